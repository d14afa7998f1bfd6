//! What proves that a link speaks for a session whose link was lost.
//!
//! Makes no random numbers: they are passed in.

use std::fmt;

use blake2::{Blake2s256, Digest};
use subtle::ConstantTimeEq;

use crate::events::Secret;

/// A resume token as it is kept: its digest, from which nobody gets the token back.
///
/// Two are compared in constant time, and it prints as `[redacted]`.
///
/// # Examples
///
/// ```
/// use rendezvous::state::ResumeToken;
///
/// let random = [7; 16]; // From the system's random source.
/// let (secret, token) = ResumeToken::issue(random);
/// // The client gets `secret` and brings it back; the session keeps `token`.
/// assert_eq!(ResumeToken::of(&secret), token);
/// ```
#[derive(Clone)]
pub struct ResumeToken([u8; 32]);

impl ResumeToken {
    /// The token that a client brings.
    pub fn of(secret: &Secret) -> Self {
        Self(Blake2s256::digest(secret.expose()).into())
    }

    /// A new token: what the client gets, and what is kept of it.
    pub fn issue(random: [u8; 16]) -> (Secret, Self) {
        let secret = Secret::new(format!("{:032x}", u128::from_be_bytes(random)));
        let token = Self::of(&secret);
        (secret, token)
    }
}

impl PartialEq for ResumeToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for ResumeToken {}

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
