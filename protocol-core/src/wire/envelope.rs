//! The envelope of a frame, found but not yet judged: where each known member stands.
//!
//! Knows the names of members; must not know which of them a frame's type needs.

use std::borrow::Cow;
use std::ops::Range;

use super::fault::{Member, Reason};
use super::scan::Scanner;
use super::text::unescaped;
use super::{FrameError, MAX_DEPTH, MAX_SEQ, RawData};

/// One frame's members by [`Member`].
pub(super) struct Envelope<'a> {
    pub(super) text: &'a str,
    slots: [Slot; Member::COUNT],
    end: usize,
    /// Whether any member of [`Delivery`](super::Delivery) is there.
    pub(super) numbered: bool,
}

/// Where the value of a member stands.
#[derive(Clone, Copy)]
struct Slot {
    kind: Kind,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Absent,
    /// A string without escapes.
    Text,
    Escaped,
    Null,
    Object,
    Other,
}

impl<'a> Envelope<'a> {
    /// Scans the whole line (`PROTOCOL.md` §2): one JSON object, each known member at most once.
    #[inline]
    pub(super) fn scan(line: &'a [u8]) -> Result<Self, FrameError> {
        let text = std::str::from_utf8(line)
            .map_err(|error| FrameError::new(Reason::NotUtf8, error.valid_up_to()))?;
        let scanner = Scanner::new(text);
        let mut slots = [Slot {
            kind: Kind::Absent,
            start: 0,
            end: 0,
        }; Member::COUNT];
        let mut numbered = false;
        let end = scanner.members(|key, start| {
            let Some(member) = known(&text[key.start + 1..key.end - 1]) else {
                return scanner.value(start, MAX_DEPTH);
            };
            let slot = &mut slots[member as usize];
            if slot.kind != Kind::Absent {
                return Err(FrameError::of(member, Reason::Twice, key.start));
            }
            let kind = match scanner.peek(start) {
                b'"' => Kind::Text,
                b'{' => Kind::Object,
                b'n' => Kind::Null,
                _ => Kind::Other,
            };
            let (kind, end) = match kind {
                Kind::Text => match scanner.text(start)? {
                    (end, true) => (Kind::Text, end),
                    (end, false) => (Kind::Escaped, end),
                },
                _ => (kind, scanner.value(start, MAX_DEPTH)?),
            };
            *slot = Slot { kind, start, end };
            numbered |= member.numbers();
            Ok(end)
        })?;
        Ok(Self {
            text,
            slots,
            end,
            numbered,
        })
    }

    /// A member that is a string, if it is there; `null` reads as absent (`PROTOCOL.md` §3).
    #[inline]
    pub(super) fn text(&self, member: Member) -> Result<Option<Cow<'a, str>>, FrameError> {
        let slot = self.slots[member as usize];
        let content = || &self.text[slot.start + 1..slot.end - 1];
        match slot.kind {
            Kind::Text => Ok(Some(Cow::Borrowed(content()))),
            Kind::Escaped => Ok(Some(unescaped(content()))),
            Kind::Absent | Kind::Null => Ok(None),
            _ => Err(FrameError::of(member, Reason::NotText, slot.start)),
        }
    }

    /// As [`text`](Self::text), with 1 to `limit` bytes.
    #[inline]
    pub(super) fn bounded(
        &self,
        member: Member,
        limit: usize,
        reason: Reason,
    ) -> Result<Option<Cow<'a, str>>, FrameError> {
        let text = self.text(member)?;
        match &text {
            Some(text) if text.is_empty() || text.len() > limit => {
                Err(FrameError::of(member, reason, self.start(member)))
            }
            _ => Ok(text),
        }
    }

    /// A member that is an integer of `least` to [`MAX_SEQ`], written with digits alone, if it is
    /// there; `null` reads as absent.
    pub(super) fn number(
        &self,
        member: Member,
        least: u64,
        reason: Reason,
    ) -> Result<Option<u64>, FrameError> {
        let slot = self.slots[member as usize];
        if matches!(slot.kind, Kind::Absent | Kind::Null) {
            return Ok(None);
        }
        // The scanner let no leading zero pass, and Rust takes a `+`, which JSON does not.
        self.text[slot.start..slot.end]
            .parse()
            .ok()
            .filter(|number| (least..=MAX_SEQ).contains(number))
            .map(Some)
            .ok_or_else(|| FrameError::of(member, reason, slot.start))
    }

    /// The raw value of a member; `null` is a value.
    pub(super) fn raw(&self, member: Member) -> Option<RawData<'a>> {
        let slot = self.slots[member as usize];
        (slot.kind != Kind::Absent).then(|| RawData::scanned(&self.text[slot.start..slot.end]))
    }

    /// A member that is an object, if it is there; `null` reads as absent.
    pub(super) fn object(&self, member: Member) -> Result<Option<RawData<'a>>, FrameError> {
        match self.slots[member as usize].kind {
            Kind::Absent | Kind::Null => Ok(None),
            Kind::Object => Ok(self.raw(member)),
            _ => Err(FrameError::of(
                member,
                Reason::NotObject,
                self.start(member),
            )),
        }
    }

    pub(super) const fn missing(&self, member: Member) -> FrameError {
        FrameError::of(member, Reason::Missing, self.end - 1)
    }

    /// Where the value of a member stands, if it is there.
    pub(super) fn range(&self, member: Member) -> Option<Range<usize>> {
        let slot = self.slots[member as usize];
        (slot.kind != Kind::Absent).then_some(slot.start..slot.end)
    }

    /// Where the value of a member that is there starts.
    pub(super) const fn start(&self, member: Member) -> usize {
        self.slots[member as usize].start
    }
}

/// Members are compared after unescaping (`PROTOCOL.md` §3).
#[inline]
fn known(key: &str) -> Option<Member> {
    Member::of_key(key.as_bytes()).or_else(|| match unescaped(key) {
        Cow::Borrowed(_) => None,
        Cow::Owned(key) => Member::of_key(key.as_bytes()),
    })
}
