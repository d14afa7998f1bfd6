//! Values of rooms that cannot be out of bounds: what does not fit is refused with `bad_data`.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use protocol_core::Json;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Visibility;

/// How many players a room takes: 1 to 1,000, by default 16.
///
/// # Examples
///
/// ```
/// use rendezvous::events::Capacity;
///
/// assert_eq!(Capacity::default().seats(), 16);
/// assert_eq!(Capacity::new(1_000).map(Capacity::seats), Some(1_000));
/// assert_eq!(Capacity::new(1_001), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capacity(u16);

impl Capacity {
    /// The largest: news of a change go to each member, so that work grows with the square.
    pub const MAX: Self = Self(1_000);

    /// Takes a number of seats; none where it is 0 or above 1,000.
    pub const fn new(seats: usize) -> Option<Self> {
        if seats == 0 || seats > Self::MAX.seats() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is at most 1,000")]
        Some(Self(seats as u16))
    }

    /// How many players that is.
    pub const fn seats(self) -> usize {
        self.0 as usize
    }
}

impl Default for Capacity {
    fn default() -> Self {
        Self(16)
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Capacity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for Capacity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seats = u64::deserialize(deserializer)?;
        let capacity = usize::try_from(seats).ok().and_then(Self::new);
        let expected = &"a whole number from 1 to 1000";
        capacity.ok_or_else(|| D::Error::invalid_value(Unexpected::Unsigned(seats), expected))
    }
}

/// The host's own data on a room: any JSON of at most 4 KiB, by default `null`.
///
/// # Examples
///
/// ```
/// use protocol_core::Json;
/// use rendezvous::events::Meta;
///
/// let meta = Meta::new(Json::parse(r#"{"map":"desert"}"#)?).expect("it is short");
/// assert_eq!(meta.json().get(), r#"{"map":"desert"}"#);
/// # Ok::<(), protocol_core::wire::FrameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta(Json);

impl Meta {
    /// The most bytes that it may have as JSON: each member gets it with each update.
    pub const MAX_BYTES: usize = 4_096;

    /// Takes JSON; none where it is too long.
    pub fn new(json: Json) -> Option<Self> {
        (json.get().len() <= Self::MAX_BYTES).then_some(Self(json))
    }

    /// The JSON itself.
    pub fn json(&self) -> &Json {
        &self.0
    }
}

impl Default for Meta {
    fn default() -> Self {
        Self(Json::null())
    }
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let bytes = json.get().len();
        let expected = &"JSON of at most 4096 bytes";
        Self::new(json).ok_or_else(|| D::Error::invalid_length(bytes, expected))
    }
}

/// Where a list of rooms ended. Its text is the server's own: give it back as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub(crate) u64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl FromStr for Cursor {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = &"the cursor of an earlier list";
        text.parse()
            .map_err(|_| D::Error::invalid_value(Unexpected::Other("another text"), expected))
    }
}

/// A visibility that this version knows: to take another for one of them could show a room to those
/// that it is hidden from.
pub(super) fn known_visibility<'de, D>(deserializer: D) -> Result<Option<Visibility>, D::Error>
where
    D: Deserializer<'de>,
{
    match Option::deserialize(deserializer)? {
        Some(Visibility::Unknown) => Err(D::Error::invalid_value(
            Unexpected::Other("another visibility"),
            &"one of `public`, `unlisted`, `private`",
        )),
        known => Ok(known),
    }
}
