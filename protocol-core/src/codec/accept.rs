//! A server's end of a link, until its first byte says whether it is plain or encrypted.

use std::sync::Arc;

use bytes::BytesMut;

#[cfg(feature = "noise")]
use super::SecretKey;
#[cfg(feature = "noise")]
use super::noise::{self, Noise};
use super::{Codec, CodecError, PeerIdentity, Plain, Progress};

/// The first byte of an encrypted link (`PROTOCOL.md` §1).
pub(super) const ENCRYPTED: u8 = 0x01;

/// Which links a server takes, and the key that it proves itself by.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Encryption {
    /// Plain ones only.
    Plain,
    /// Encrypted ones only.
    #[cfg(feature = "noise")]
    Encrypted(SecretKey),
    /// Both, told apart by their first byte.
    #[cfg(feature = "noise")]
    Both(SecretKey),
}

impl Encryption {
    /// The key that clients know the server by; none where it takes plain links only.
    pub fn public_key(&self) -> Option<super::PublicKey> {
        match self {
            Self::Plain => None,
            #[cfg(feature = "noise")]
            Self::Encrypted(key) | Self::Both(key) => Some(key.public()),
        }
    }
}

/// The codec of a server's end: plain or encrypted, as the client's first byte says and the
/// server's [`Encryption`] allows.
///
/// A frame starts with `{`, or with white space before it; a link that starts with the byte 1 is
/// encrypted. Where only plain links are taken the codec is open at once, so that the server may
/// speak first; otherwise it waits for that byte.
#[derive(Debug)]
pub struct Accept(State);

#[derive(Debug)]
enum State {
    /// A link to a server that takes no others, before its first byte.
    OnlyPlain,
    #[cfg(feature = "noise")]
    Undecided(Arc<Encryption>),
    Plain,
    #[cfg(feature = "noise")]
    Noise(Box<Noise>),
}

impl Accept {
    /// A codec for a link that was just accepted.
    pub fn new(encryption: impl Into<Arc<Encryption>>) -> Self {
        match encryption.into() {
            encryption if matches!(*encryption, Encryption::Plain) => Self(State::OnlyPlain),
            #[cfg(feature = "noise")]
            encryption => Self(State::Undecided(encryption)),
            #[cfg(not(feature = "noise"))]
            _ => Self(State::OnlyPlain),
        }
    }

    /// Whether a link that starts with these bytes is encrypted.
    pub(crate) fn is_encrypted(wire: &[u8]) -> bool {
        wire.first() == Some(&ENCRYPTED)
    }

    /// Decides by the bytes that have arrived; not before there are enough of them.
    fn decide(&mut self, wire: &mut BytesMut) -> Result<(), CodecError> {
        let Some(&first) = wire.first() else {
            return Ok(());
        };
        let decided = match &self.0 {
            State::OnlyPlain if first == ENCRYPTED => return Err(CodecError::EncryptionRefused),
            // What is no frame is found to be none where frames are read.
            State::OnlyPlain => State::Plain,
            #[cfg(feature = "noise")]
            State::Undecided(encryption) => match (first, &**encryption) {
                (ENCRYPTED, Encryption::Encrypted(key) | Encryption::Both(key)) => {
                    match noise::take_preamble(wire)? {
                        None => return Ok(()),
                        Some(suite) => State::Noise(Box::new(Noise::server(suite, key)?)),
                    }
                }
                (b'{' | b' ' | b'\t' | b'\r' | b'\n', Encryption::Encrypted(_)) => {
                    return Err(CodecError::EncryptionRequired);
                }
                (b'{' | b' ' | b'\t' | b'\r' | b'\n', _) => State::Plain,
                _ => {
                    return Err(CodecError::Malformed(
                        "a link starts with a frame or with the preamble of encryption",
                    ));
                }
            },
            _ => return Ok(()),
        };
        self.0 = decided;
        Ok(())
    }
}

impl Codec for Accept {
    fn start(&mut self, _out: &mut BytesMut) -> Result<Progress, CodecError> {
        Ok(match self.0 {
            State::OnlyPlain | State::Plain => Progress::Open,
            #[cfg(feature = "noise")]
            State::Undecided(_) | State::Noise(_) => Progress::Handshaking,
        })
    }

    fn receive(
        &mut self,
        wire: &mut BytesMut,
        plain: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<Progress, CodecError> {
        self.decide(wire)?;
        match &mut self.0 {
            State::OnlyPlain | State::Plain => Plain.receive(wire, plain, out),
            #[cfg(feature = "noise")]
            State::Undecided(_) => Ok(Progress::Handshaking),
            #[cfg(feature = "noise")]
            State::Noise(noise) => noise.receive(wire, plain, out),
        }
    }

    fn send(&mut self, plain: &[u8], wire: &mut BytesMut) -> Result<(), CodecError> {
        match &mut self.0 {
            State::OnlyPlain | State::Plain => Plain.send(plain, wire),
            #[cfg(feature = "noise")]
            State::Undecided(_) => Err(CodecError::NotOpen),
            #[cfg(feature = "noise")]
            State::Noise(noise) => noise.send(plain, wire),
        }
    }

    fn finish(&mut self, wire: &mut BytesMut) -> Result<(), CodecError> {
        match &mut self.0 {
            State::OnlyPlain | State::Plain => Plain.finish(wire),
            #[cfg(feature = "noise")]
            State::Undecided(_) => Err(CodecError::NotOpen),
            #[cfg(feature = "noise")]
            State::Noise(noise) => noise.finish(wire),
        }
    }

    fn may_end(&self) -> bool {
        match &self.0 {
            State::OnlyPlain | State::Plain => true,
            #[cfg(feature = "noise")]
            State::Undecided(_) => true,
            #[cfg(feature = "noise")]
            State::Noise(noise) => noise.may_end(),
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self.0, State::OnlyPlain | State::Plain)
    }

    fn peer(&self) -> PeerIdentity {
        match &self.0 {
            State::OnlyPlain | State::Plain => PeerIdentity::Anonymous,
            #[cfg(feature = "noise")]
            State::Undecided(_) => PeerIdentity::Anonymous,
            #[cfg(feature = "noise")]
            State::Noise(noise) => noise.peer(),
        }
    }
}
