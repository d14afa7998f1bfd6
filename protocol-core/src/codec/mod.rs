//! Frames ⇄ bytes on the socket: the seam behind which a link is plain or encrypted.
//!
//! A codec sees streams of bytes. It knows nothing of JSON, events or sockets.

mod plain;

use bytes::BytesMut;

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
    /// Where the bytes are not this codec's or were tampered with; the link must then be closed.
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

    /// Who the other end proved to be.
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
    /// The other end proved to hold this static public key.
    Key([u8; 32]),
}

/// Why a codec gives a link up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The received bytes are not this codec's.
    #[error("the bytes are not this codec's: {0}")]
    Malformed(&'static str),
    /// Frames were sent before the handshake ended.
    #[error("the handshake has not ended")]
    NotOpen,
}
