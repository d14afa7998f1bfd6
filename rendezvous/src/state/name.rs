//! Which texts are names and peer ids, how they are shown, and which of them count as the same.
//!
//! Knows Unicode and nothing else: not who holds a name, and not where one is asked for.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};
use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory, WhiteSpace};
use icu_properties::{CodePointMapData, CodePointSetData};
use protocol_core::{MAX_PEER_ID_BYTES, PeerId};

/// The longest name in characters: Unicode scalar values, after NFC.
pub const MAX_NAME_CHARACTERS: usize = 64;

/// A name as it is shown, and the key by which it is unique.
///
/// It has 1 to [`MAX_NAME_CHARACTERS`] characters after NFC, so at most 256 bytes. Control
/// characters, line and paragraph separators, bidi controls and unassigned characters are refused
/// anywhere, white space at the edges. Characters that show nothing may stand in it, such as the
/// joiners of emoji, but not alone.
///
/// The key is the name in `NFKC_Casefold`: case, width and other compatibility forms, and ignorable
/// characters make no difference. Two names are equal only if they are shown alike: for uniqueness
/// compare [`key`](Self::key).
///
/// # Examples
///
/// ```
/// use rendezvous::state::Name;
///
/// let alice = Name::new("Alice")?;
/// assert_eq!(alice.as_str(), "Alice");
/// assert_eq!(alice.key(), "alice");
/// assert_eq!(Name::new("ａｌｉ\u{200B}ＣＥ")?.key(), alice.key());
/// # Ok::<(), rendezvous::state::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    shown: Box<str>,
    key: Box<str>,
}

impl Name {
    /// Brings a text to NFC, checks it and folds its key.
    ///
    /// # Errors
    ///
    /// Names the first rule that the text breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.len() > MAX_INPUT_BYTES {
            return Err(NameError::TooManyBytes { bytes: text.len() });
        }
        let shown = ComposingNormalizer::new_nfc().normalize(text);
        check(&shown)?;
        let key = nfkc_casefold(&shown);
        if key.is_empty() {
            return Err(NameError::Invisible);
        }
        Ok(Self {
            shown: shown.into(),
            key: key.into(),
        })
    }

    /// The name as it is shown: as given, in NFC.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What must be unique among names. It is not for show, and [`new`](Self::new) may refuse it:
    /// it can be longer, and that of U+00B4 starts with a space.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// A peer id as it is shown, and the key by which it is unique: a [`Name`] that does not start with
/// `#`, nor with what folds to it.
///
/// # Examples
///
/// ```
/// use rendezvous::state::{NameError, PeerName};
///
/// let alice = PeerName::new("Alice")?;
/// assert_eq!(alice.id().as_str(), "Alice");
/// assert_eq!(alice.key(), "alice");
/// assert_eq!(PeerName::new("＃lobby"), Err(NameError::RoomMark('＃')));
/// # Ok::<(), NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerName {
    id: PeerId,
    key: Box<str>,
}

impl PeerName {
    /// Brings a text to NFC, checks it and folds its key.
    ///
    /// # Errors
    ///
    /// Names the first rule that the text breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let Name { shown, key } = Name::new(text)?;
        if key.starts_with('#') {
            let first = shown.chars().find(|&c| !is_ignorable(c));
            return Err(NameError::RoomMark(first.unwrap_or('#')));
        }
        let id = PeerId::new(&*shown).map_err(|_| NameError::NotAnId)?;
        Ok(Self { id, key })
    }

    /// The id as it is shown and travels: as given, in NFC.
    pub fn id(&self) -> &PeerId {
        &self.id
    }

    /// What must be unique among peers; see [`Name::key`].
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Why a text is no name. The message goes on after "the id" or "the name", and holds numbers and
/// code points, never the text.
///
/// # Examples
///
/// ```
/// use rendezvous::state::{Name, NameError};
///
/// let error = Name::new("alice\u{3000}").unwrap_err();
/// assert_eq!(error, NameError::EndsWithSpace);
/// assert_eq!(error.to_string(), "ends with white space: leave it out");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It is empty.
    #[error("is empty: give it 1 to {MAX_NAME_CHARACTERS} characters")]
    Empty,
    /// It has more than [`MAX_NAME_CHARACTERS`].
    #[error("has {characters} characters: at most {MAX_NAME_CHARACTERS} are allowed")]
    TooManyCharacters {
        /// How many characters it has in NFC.
        characters: usize,
    },
    /// It is so long that its characters were not counted.
    #[error("has {bytes} bytes: at most {MAX_PEER_ID_BYTES} are allowed")]
    TooManyBytes {
        /// How many bytes were given.
        bytes: usize,
    },
    /// It has a control character.
    #[error("has the control character U+{:04X}: leave it out", *.0 as u32)]
    Control(char),
    /// It has a line or paragraph separator.
    #[error("has the line or paragraph separator U+{:04X}: leave it out", *.0 as u32)]
    Separator(char),
    /// It has a character that turns the direction of the text around it.
    #[error("has the bidi control U+{:04X}: leave it out", *.0 as u32)]
    BidiControl(char),
    /// It has a code point that is no character, or none yet.
    #[error("has the unassigned code point U+{:04X}: leave it out", *.0 as u32)]
    Unassigned(char),
    /// White space is the first that shows.
    #[error("starts with white space: leave it out")]
    StartsWithSpace,
    /// White space is the last that shows.
    #[error("ends with white space: leave it out")]
    EndsWithSpace,
    /// All its characters are ignorable.
    #[error("has only characters that show nothing: give it one that shows")]
    Invisible,
    /// A peer id starts with `#`, or with this character, which folds to it.
    #[error("starts with `#` (U+{:04X}), which marks rooms: leave it out", *.0 as u32)]
    RoomMark(char),
    /// The rules here allow it and those of [`PeerId`] do not. None is known.
    #[error("is no peer id of the protocol: choose another")]
    NotAnId,
}

/// NFC leaves of no text less than two sevenths of its bytes: U+1FBE U+0308 U+0301, seven bytes,
/// become U+0390, two. So what is refused by this bound, before memory is taken to normalize it,
/// would be too long in NFC too.
const MAX_INPUT_BYTES: usize = 4 * MAX_PEER_ID_BYTES;

// A character has at most four bytes, so the limit in bytes follows from the one in characters.
const _: () = assert!(4 * MAX_NAME_CHARACTERS <= MAX_PEER_ID_BYTES);

/// The rules for a text in NFC that need no key.
fn check(shown: &str) -> Result<(), NameError> {
    let characters = shown.chars().count();
    if characters == 0 {
        return Err(NameError::Empty);
    }
    if characters > MAX_NAME_CHARACTERS {
        return Err(NameError::TooManyCharacters { characters });
    }
    shown.chars().try_for_each(check_anywhere)?;
    // Behind an ignorable character, white space is at the edge for whoever looks.
    let mut visible = shown.chars().filter(|&c| !is_ignorable(c));
    if visible.clone().next().is_some_and(is_space) {
        return Err(NameError::StartsWithSpace);
    }
    if visible.next_back().is_some_and(is_space) {
        return Err(NameError::EndsWithSpace);
    }
    Ok(())
}

pub(super) fn check_anywhere(c: char) -> Result<(), NameError> {
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        GeneralCategory::Control => Err(NameError::Control(c)),
        GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            Err(NameError::Separator(c))
        }
        GeneralCategory::Unassigned => Err(NameError::Unassigned(c)),
        GeneralCategory::Format if CodePointSetData::new::<BidiControl>().contains(c) => {
            Err(NameError::BidiControl(c))
        }
        _ => Ok(()),
    }
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn is_space(c: char) -> bool {
    CodePointSetData::new::<WhiteSpace>().contains(c)
}

/// Unicode's `NFKC_Casefold`. A second round, for the compatibility form of a character may have
/// case, as that of U+1D400 does. A third would change nothing.
pub(super) fn nfkc_casefold(text: &str) -> String {
    let folded = fold(text);
    if folded == text {
        folded
    } else {
        fold(&folded)
    }
}

/// One round. It starts with NFD, so that U+0345, which folds to a letter, holds no marks apart.
fn fold(text: &str) -> String {
    let decomposed = DecomposingNormalizer::new_nfd().normalize(text);
    let folded = CaseMapper::new().fold_string(&decomposed);
    let visible: String = folded.chars().filter(|&c| !is_ignorable(c)).collect();
    ComposingNormalizer::new_nfkc()
        .normalize(&visible)
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use icu_properties::props::ChangesWhenNfkcCasefolded;

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap_or_else(|error| panic!("{text:?} {error}"))
    }

    fn assert_refused(text: &str, error: NameError) {
        assert_eq!(Name::new(text), Err(error), "{text:?}");
    }

    #[test]
    fn a_name_has_1_to_64_characters() {
        assert_refused("", NameError::Empty);
        assert_eq!(name("a").as_str(), "a");
        let error = NameError::TooManyCharacters { characters: 65 };
        for character in ["a", "ä", "字"] {
            let longest = character.repeat(64);
            assert_eq!(name(&longest).as_str(), longest);
            assert_refused(&character.repeat(65), error.clone());
        }
        // Two characters as given and one in NFC; then the other way round.
        assert_eq!(name(&"e\u{301}".repeat(64)).as_str(), "é".repeat(64));
        assert_refused(&"e\u{301}".repeat(65), error);
        assert!(Name::new(&"\u{958}".repeat(32)).is_ok());
        let error = NameError::TooManyCharacters { characters: 66 };
        assert_refused(&"\u{958}".repeat(33), error);
    }

    #[test]
    fn a_name_has_at_most_256_bytes() {
        let longest = "😀".repeat(64);
        assert_eq!(longest.len(), 256);
        assert_eq!(PeerName::new(&longest).unwrap().id().as_str(), longest);
        let error = NameError::TooManyCharacters { characters: 65 };
        assert_refused(&(longest + "a"), error);
    }

    #[test]
    fn huge_input_is_not_normalized() {
        let most = "a".repeat(MAX_INPUT_BYTES);
        let error = NameError::TooManyCharacters { characters: 1024 };
        assert_refused(&most, error);
        assert_refused(&(most + "a"), NameError::TooManyBytes { bytes: 1025 });
        // No text is longer, compared with its NFC.
        let longest = "\u{1FBE}\u{308}\u{301}".repeat(64);
        assert_eq!(name(&longest).as_str(), "\u{390}".repeat(64));
    }

    #[test]
    fn some_characters_are_refused_anywhere() {
        let assert_each = |characters: &str, error: fn(char) -> NameError| {
            for c in characters.chars() {
                for (before, after) in [("", ""), ("", "b"), ("a", "b"), ("a", "")] {
                    assert_refused(&format!("{before}{c}{after}"), error(c));
                }
            }
        };
        let controls = "\0\u{7}\t\n\r\u{1F}\u{7F}\u{80}\u{85}\u{9F}";
        assert_each(controls, NameError::Control);
        assert_each("\u{2028}\u{2029}", NameError::Separator);
        let embeddings = "\u{61C}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}";
        assert_each(embeddings, NameError::BidiControl);
        let isolates = "\u{2066}\u{2067}\u{2068}\u{2069}";
        assert_each(isolates, NameError::BidiControl);
        let unassigned = "\u{FDD0}\u{FFFE}\u{FFFF}\u{50000}\u{E0000}\u{10FFFF}";
        assert_each(unassigned, NameError::Unassigned);
        for neighbor in " ~\u{A0}\u{200D}\u{2010}\u{2027}\u{202F}\u{206A}\u{FFFD}".chars() {
            assert!(Name::new(&format!("a{neighbor}b")).is_ok(), "{neighbor:?}");
        }
    }

    #[test]
    fn white_space_is_refused_at_the_edges() {
        for space in " \u{A0}\u{1680}\u{2000}\u{200A}\u{202F}\u{205F}\u{3000}".chars() {
            for hidden in ["", "\u{200B}", "\u{FE0F}\u{200D}"] {
                let edge = format!("{hidden}{space}{hidden}");
                assert_refused(&edge, NameError::StartsWithSpace);
                assert_refused(&format!("{edge}a"), NameError::StartsWithSpace);
                assert_refused(&format!("a{edge}"), NameError::EndsWithSpace);
            }
            assert_eq!(name(&format!("a{space}b")).key().chars().count(), 3);
        }
        // Not white space, though its key starts with some.
        assert_eq!(name("´alice").key(), " \u{301}alice");
    }

    #[test]
    fn something_has_to_show() {
        for text in "\u{200B} \u{AD} \u{FE0F}\u{200D} \u{3164} \u{E0061}\u{E007F}".split(' ') {
            assert_refused(text, NameError::Invisible);
            assert_eq!(name(&format!("a{text}")).key(), "a");
        }
    }

    #[test]
    fn names_are_shown_as_given_in_nfc() {
        let zoe = PeerName::new("Zoe\u{308}").unwrap();
        assert_eq!(zoe.id().as_str(), "Zoë");
        for text in "Zoë ＡＬＩＣＥ ali\u{200B}ce 👩\u{200D}👧 ❤\u{FE0F} Straße #".split(' ')
        {
            assert_eq!(name(text).as_str(), text);
        }
    }

    #[test]
    fn twins_share_a_key() {
        for (key, twins) in [
            ("alice", "Alice ALICE ａｌｉｃｅ ali\u{200B}ce 𝐀𝓁𝒾𝕔𝑒"),
            ("a b", "A\u{3000}B a\u{A0}b a\u{2003}B"),
            ("strasse", "straße STRASSE STRAẞE ſtraſſe"),
            ("σοσ", "σος ΣΟΣ σοσ"),
            ("é", "é É e\u{301} E\u{301} e\u{34F}\u{301}"),
            ("i\u{307}", "İ I\u{307}"),
            ("άι", "α\u{345}\u{301} α\u{301}\u{345} ά\u{345} ᾴ άι"),
            ("kfi", "KFI \u{212A}ﬁ"),
            ("가", "가 \u{1100}\u{1161}"),
            ("👩👧", "👩👧 👩\u{200D}👧"),
        ] {
            for twin in twins.split(' ') {
                assert_eq!(name(twin).key(), key, "{twin:?}");
            }
        }
        for (one, other) in [("alice", "al1ce"), ("a", "ä"), ("ı", "i"), ("ab", "a b")] {
            assert_ne!(name(one).key(), name(other).key());
        }
    }

    #[test]
    fn a_peer_id_does_not_start_as_a_room() {
        for mark in "#＃﹟".chars() {
            for text in [format!("{mark}"), format!("\u{200B}\u{FE0F}{mark}a")] {
                let error = NameError::RoomMark(mark);
                assert_eq!(PeerName::new(&text), Err(error), "{text:?}");
                assert_eq!(name(&text).as_str(), text);
            }
        }
        assert_eq!(PeerName::new("lobby#").unwrap().key(), "lobby#");
    }

    #[test]
    fn messages_go_on_after_the_id() {
        let message = |text: &str| PeerName::new(text).unwrap_err().to_string();
        let [many, huge] = [65, 2000].map(|length| message(&"a".repeat(length)));
        assert_eq!(many, "has 65 characters: at most 64 are allowed");
        assert_eq!(huge, "has 2000 bytes: at most 256 are allowed");
        for (text, rest) in [
            ("", "is empty: give it 1 to 64 characters"),
            ("\u{7}", "has the control character U+0007: leave it out"),
            ("\u{202E}", "has the bidi control U+202E: leave it out"),
            (" a", "starts with white space: leave it out"),
        ] {
            assert_eq!(message(text), rest);
        }
        let mark = "starts with `#` (U+FF03), which marks rooms: leave it out";
        assert_eq!(message("＃a"), mark);
    }

    #[test]
    fn each_character_of_planes_0_to_2_has_a_stable_key() {
        sweep('\0'..='\u{2FFFF}');
    }

    #[test]
    fn each_character_of_planes_3_to_16_has_a_stable_key() {
        sweep('\u{30000}'..=char::MAX);
    }

    /// All of a key but its composing works character by character, so what holds for each
    /// character holds for texts.
    fn sweep(characters: RangeInclusive<char>) {
        let nfc = ComposingNormalizer::new_nfc();
        let changes = CodePointSetData::new::<ChangesWhenNfkcCasefolded>();
        for c in characters {
            let mut buffer = [0; 4];
            let text = &*c.encode_utf8(&mut buffer);
            let Ok(name) = Name::new(text) else { continue };
            assert!(nfc.is_normalized(name.as_str()), "{c:?}");
            assert_eq!(PeerId::new(name.as_str()).is_err(), c == '#', "{c:?}");
            assert_eq!(name.key().starts_with('#'), "#＃﹟".contains(c), "{c:?}");
            assert_eq!(name.key() != text, changes.contains(c), "{c:?}");
            if name.key() != text {
                assert_eq!(fold(name.key()), name.key(), "{c:?}");
                match Name::new(name.key()) {
                    Ok(again) => assert_eq!(again.key(), name.key(), "{c:?}"),
                    Err(error) => assert_eq!(error, NameError::StartsWithSpace, "{c:?}"),
                }
            }
        }
    }
}
