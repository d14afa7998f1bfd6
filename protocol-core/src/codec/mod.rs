//! Frames ⇄ bytes on the socket: the seam behind which a link is plain or encrypted.
//!
//! A codec sees streams of bytes. It knows nothing of JSON, events or sockets. [`Plain`] passes
//! frames through, `Noise` encrypts them, and a server's [`Accept`] tells by a link's first byte
//! which of the two it is.

mod accept;
mod keys;
#[cfg(feature = "noise")]
mod noise;
mod plain;

use bytes::BytesMut;

pub use accept::{Accept, Encryption};
#[cfg(feature = "noise")]
pub use keys::SecretKey;
pub use keys::{KeyError, PublicKey};
#[cfg(feature = "noise")]
pub use noise::{Noise, REKEY_AFTER, Suite};
pub use plain::Plain;

/// Turns the stream of frames into bytes on the socket and back, without doing I/O.
///
/// Everything above a codec is the same for plain and encrypted links (`PROTOCOL.md` §1).
///
/// # Examples
///
/// ```
/// use bytes::BytesMut;
/// use protocol_core::codec::{Codec, Plain, Progress};
///
/// let (mut wire, mut plain, mut out) = (BytesMut::from("{}\n"), BytesMut::new(), BytesMut::new());
/// assert_eq!(Plain.receive(&mut wire, &mut plain, &mut out)?, Progress::Open);
/// assert_eq!(&plain[..], b"{}\n");
/// # Ok::<(), protocol_core::codec::CodecError>(())
/// ```
pub trait Codec: Send {
    /// Appends what this end says first, such as a handshake's opening, to `out`, and says whether
    /// frames may be sent already.
    ///
    /// # Errors
    ///
    /// Where the codec cannot start, for example for want of randomness.
    fn start(&mut self, out: &mut BytesMut) -> Result<Progress, CodecError>;

    /// Takes received bytes from `wire`, appends the frames' bytes to `plain`, and what must be
    /// sent back (handshake messages) to `out`. Bytes that are no whole record stay in `wire`.
    ///
    /// # Errors
    ///
    /// Where the bytes are not this codec's or were tampered with; the link must then be closed, and
    /// nothing more is taken from it. What was appended to `plain` before is genuine.
    fn receive(
        &mut self,
        wire: &mut BytesMut,
        plain: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<Progress, CodecError>;

    /// Appends the wire form of `plain`, which holds whole frames, to `wire`.
    ///
    /// # Errors
    ///
    /// Where the codec is not [`Progress::Open`] or can send no more.
    fn send(&mut self, plain: &[u8], wire: &mut BytesMut) -> Result<(), CodecError>;

    /// Appends to `wire` what tells the other end that this one sends no more, where the codec has a
    /// way to say so; then nothing can be sent afterwards.
    ///
    /// # Errors
    ///
    /// Where the codec is not [`Progress::Open`].
    fn finish(&mut self, wire: &mut BytesMut) -> Result<(), CodecError>;

    /// Whether the stream may end here, which is asked when the socket has nothing more: whether the
    /// other end has said that it sends no more, or has no way to say so.
    fn may_end(&self) -> bool;

    /// Whether frames are the bytes on the socket as they are, so that [`send`](Self::send) may be left
    /// out.
    fn is_plain(&self) -> bool {
        false
    }

    /// Who the other end proved to be; nobody before the codec is [`Progress::Open`].
    fn peer(&self) -> PeerIdentity;
}

/// How far a codec is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More of the other end's handshake is needed before frames can be sent.
    Handshaking,
    /// Frames travel both ways.
    Open,
}

/// Who is at the other end of a link, as far as its codec can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerIdentity {
    /// The codec authenticates nobody.
    Anonymous,
    /// The other end proved to hold this static key.
    Key(PublicKey),
}

impl PeerIdentity {
    /// The key that the other end proved to hold, on an encrypted link.
    pub fn key(self) -> Option<PublicKey> {
        match self {
            Self::Anonymous => None,
            Self::Key(key) => Some(key),
        }
    }
}

/// Why a codec gives a link up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The received bytes are not this codec's.
    #[error("the bytes are not this codec's: {0}")]
    Malformed(&'static str),
    /// Frames were sent before the handshake ended, or after the last one.
    #[error("the codec is not open")]
    NotOpen,
    /// A plain link to a server that takes encrypted ones only.
    #[error("this server takes encrypted links only: connect with its public key")]
    EncryptionRequired,
    /// An encrypted link to a server that takes plain ones only.
    #[error("this server takes plain links only")]
    EncryptionRefused,
    /// The other end answered an encrypted handshake with plain frames. A client never goes on
    /// without encryption.
    #[error("the other end answered without encryption")]
    AnsweredInPlain,
    /// The other end wants a version of the handshake that this one does not know.
    #[error("version {0} of encryption is not known here, only 1: update the older side")]
    UnknownVersion(u8),
    /// The other end wants ciphers that this one does not know.
    #[error("suite {0} of ciphers is not known here, only 1 and 2: update the older side")]
    UnknownSuite(u8),
    /// The server holds another key than the one that was asked for.
    #[error(
        "the server's key is {found}, not {expected}: it was replaced, or somebody stands in \
         between; ask its operator which is right"
    )]
    WrongKey {
        /// The key that the server should hold.
        expected: PublicKey,
        /// The one that it proved to hold.
        found: PublicKey,
    },
    /// The other end sent a key of low order, with which anybody could read along (RFC 7748 §6.1).
    #[error("the other end's key is of low order, so anybody could read along")]
    WeakKey,
    /// The handshake was altered on its way.
    #[error("the handshake was altered on its way")]
    AlteredHandshake,
    /// A record was altered, dropped, repeated or moved on its way.
    #[error("a record was altered, dropped, repeated or moved on its way")]
    AlteredRecord,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// As many records were sent as one key may encrypt.
    #[error("the link has sent as many records as it may: connect again")]
    Exhausted,
}
