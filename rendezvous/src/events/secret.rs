//! Text that proves who somebody is, and that no log may show.

use std::fmt;

use protocol_core::EventData;

/// A credential: a token, a password, an invite. It prints as `[redacted]`.
#[derive(Clone, EventData)]
pub struct Secret(String);

impl Secret {
    /// Takes a credential's text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it has any text; an empty one stands for none.
    pub(crate) fn is_given(&self) -> bool {
        !self.0.is_empty()
    }

    /// The text itself, to prove or to store. Compare it in constant time.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
