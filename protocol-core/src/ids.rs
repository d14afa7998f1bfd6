//! Names of ends: peers, rooms and connections.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest peer or room id in bytes (`PROTOCOL.md` §3).
pub const MAX_PEER_ID_BYTES: usize = 256;

/// Why a text is no peer or room id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The id is empty.
    #[error("an id is empty: give it 1 to 256 bytes")]
    Empty,
    /// The id is longer than [`MAX_PEER_ID_BYTES`].
    #[error("an id of {length} bytes is too long: at most 256 are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The id has a control character.
    #[error("an id has the control character U+{:04X}: leave it out", *.0 as u32)]
    Control(char),
    /// The id starts with `#`, which marks rooms in `dest`.
    #[error("the id `{0}` starts with `#`, which marks rooms: leave it out")]
    Room(String),
}

fn check(id: &str) -> Result<(), IdError> {
    if id.is_empty() {
        return Err(IdError::Empty);
    }
    if id.len() > MAX_PEER_ID_BYTES {
        return Err(IdError::TooLong { length: id.len() });
    }
    if let Some(control) = id.chars().find(|c| c.is_control()) {
        return Err(IdError::Control(control));
    }
    if id.starts_with('#') {
        return Err(IdError::Room(id.into()));
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes an id.
            ///
            /// # Errors
            ///
            /// Names what is wrong: empty, longer than 256 bytes, a control character, a leading
            /// `#`.
            pub fn new(id: impl AsRef<str>) -> Result<Self, IdError> {
                let id = id.as_ref();
                check(id)?;
                Ok(Self(id.into()))
            }

            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        /// Hashes and compares as its text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(id: &str) -> Result<Self, IdError> {
                Self::new(id)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(id: String) -> Result<Self, IdError> {
                Self::new(id)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(id: &str) -> Result<Self, IdError> {
                Self::new(id)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        /// Refuses what is no id.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let id = String::deserialize(deserializer)?;
                Self::new(id).map_err(de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

id! {
    /// The name of a participant, unique at its server.
    ///
    /// # Examples
    ///
    /// ```
    /// use protocol_core::PeerId;
    ///
    /// let alice = PeerId::new("alice")?;
    /// assert_eq!(alice.as_str(), "alice");
    /// assert!(PeerId::new("#lobby").is_err());
    /// # Ok::<(), protocol_core::IdError>(())
    /// ```
    PeerId
}

id! {
    /// The id of a room, without the `#` that marks it in `dest`.
    RoomId
}

/// One accepted link of a server, unique while the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub(crate) u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
