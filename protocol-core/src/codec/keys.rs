//! Static keys: what an end of an encrypted link is known by.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "noise")]
use x25519_dalek::StaticSecret;

/// Bytes of a key of either kind.
const KEY_BYTES: usize = 32;

/// What the text of a secret key starts with, so that none is given where a public one is meant.
#[cfg(feature = "noise")]
const SECRET_PREFIX: &str = "secret-";

/// The public half of a static key: the identity of an end of an encrypted link, an X25519 public
/// key (RFC 7748).
///
/// As text it is 64 hexadecimal digits.
///
/// # Examples
///
/// ```
/// use protocol_core::PublicKey;
///
/// let text = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
/// let key: PublicKey = text.parse()?;
/// assert_eq!(key.to_string(), text);
/// # Ok::<(), protocol_core::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; KEY_BYTES]);

impl PublicKey {
    /// The key that these bytes are.
    pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as they travel in the handshake.
    pub const fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        parse(text.trim()).map(Self)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The secret half of a static key. Whoever has it is, to all others, the end that it stands for.
///
/// Prints as `[redacted]`; its text is had by [`to_text`](Self::to_text) alone.
///
/// # Examples
///
/// ```
/// use protocol_core::SecretKey;
///
/// let key = SecretKey::generate()?;
/// let again: SecretKey = key.to_text().parse()?;
/// assert_eq!(again.public(), key.public());
/// assert_eq!(format!("{key:?}"), "[redacted]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "noise")]
#[derive(Clone)]
pub struct SecretKey {
    // Wiped from memory when dropped.
    secret: StaticSecret,
    public: PublicKey,
}

#[cfg(feature = "noise")]
impl SecretKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// [`CodecError::NoRandomness`](super::CodecError::NoRandomness) where the system gives none.
    pub fn generate() -> Result<Self, super::CodecError> {
        super::noise::random().map(Self::from_bytes)
    }

    /// The key that these bytes are; any 32 bytes are one.
    pub fn from_bytes(secret: [u8; KEY_BYTES]) -> Self {
        let secret = StaticSecret::from(secret);
        let public = PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes());
        Self { secret, public }
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Its text, for a file that nobody else can read: `secret-` and 64 hexadecimal digits.
    pub fn to_text(&self) -> String {
        format!("{SECRET_PREFIX}{}", PublicKey(self.secret.to_bytes()))
    }

    pub(super) fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        self.secret.as_bytes()
    }
}

#[cfg(feature = "noise")]
impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let digits = text.strip_prefix(SECRET_PREFIX);
        parse(digits.ok_or(KeyError::NotSecret)?).map(Self::from_bytes)
    }
}

#[cfg(feature = "noise")]
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a text is no key. Never holds the text, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It has another length.
    #[error("a key has 64 hexadecimal digits, this text has {found} characters")]
    Length {
        /// Its characters.
        found: usize,
    },
    /// Some character of it is no digit.
    #[error("a key has hexadecimal digits only, character {at} is not one")]
    NotHexadecimal {
        /// Which one, counted from 1.
        at: usize,
    },
    /// It is a secret key where a public one is meant.
    #[error("this is a secret key: give the public one, and make a new secret if others saw it")]
    Secret,
    /// It is no secret key.
    #[error("a secret key starts with `secret-`: make one with `SecretKey::generate`")]
    NotSecret,
}

fn parse(text: &str) -> Result<[u8; KEY_BYTES], KeyError> {
    if text.starts_with("secret-") {
        return Err(KeyError::Secret);
    }
    let mut key = [0; KEY_BYTES];
    let mut found = 0;
    for character in text.chars() {
        let digit = character
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
            .ok_or(KeyError::NotHexadecimal { at: found + 1 })?;
        if let Some(byte) = key.get_mut(found / 2) {
            *byte = *byte << 4 | digit;
        }
        found += 1;
    }
    if found == 2 * KEY_BYTES {
        Ok(key)
    } else {
        Err(KeyError::Length { found })
    }
}
