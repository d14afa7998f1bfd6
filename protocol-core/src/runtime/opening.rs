//! From a socket to an open codec: the handshake of a link, before it has a connection.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::accept::Seat;
use crate::codec::{Accept, Codec, CodecError, Plain, Progress};
use crate::wire::{Body, Frame, LineSplitter, WireError};

/// Room for a whole handshake and the first frames.
const READ_BYTES: usize = 512;

/// A codec that is open, and what arrived beside its handshake.
pub(super) struct Opened {
    pub(super) codec: Box<dyn Codec>,
    /// Of the wire.
    pub(super) wire: BytesMut,
    /// Of frames.
    pub(super) plain: BytesMut,
}

impl Opened {
    /// With a codec that is open from the start.
    pub(super) fn at_once(codec: Box<dyn Codec>) -> Self {
        Self {
            codec,
            wire: BytesMut::new(),
            plain: BytesMut::new(),
        }
    }

    pub(super) fn plain() -> Self {
        Self::at_once(Box::new(Plain))
    }
}

/// Why a codec did not open.
#[derive(Debug)]
pub(super) enum Unopened {
    Io(io::Error),
    Codec(CodecError),
    /// The other end answered in plain, with its last word.
    Refused(WireError),
}

impl From<io::Error> for Unopened {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Lets the codec shake hands until it is open. At a server the link has a `seat`, and computes its
/// handshake in places that are never kept while the other end is waited for.
pub(super) async fn open<IO>(
    io: &mut IO,
    codec: Box<dyn Codec>,
    seat: Option<&Seat>,
) -> Result<Opened, Unopened>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut opened = Opened::at_once(codec);
    let mut out = BytesMut::new();
    let mut progress = opened.codec.start(&mut out).map_err(Unopened::Codec)?;
    let mut is_encrypted = None;
    loop {
        io.write_all_buf(&mut out).await?;
        if progress == Progress::Open {
            return Ok(opened);
        }
        opened.wire.reserve(READ_BYTES);
        if io.read_buf(&mut opened.wire).await? == 0 {
            return Err(Unopened::Io(ended()));
        }
        let is_encrypted = *is_encrypted.get_or_insert_with(|| Accept::is_encrypted(&opened.wire));
        let _place = match seat.filter(|_| is_encrypted) {
            Some(seat) => Some(seat.handshake().await),
            None => None,
        };
        progress = opened.receive(&mut out)?;
    }
}

impl Opened {
    fn receive(&mut self, out: &mut BytesMut) -> Result<Progress, Unopened> {
        let Self { codec, wire, plain } = self;
        let error = match codec.receive(wire, plain, out) {
            Ok(progress) => return Ok(progress),
            Err(error) => error,
        };
        match (&error, last_word(wire)) {
            // What is wrong came behind the handshake, so the connection finds it again.
            _ if codec.peer().key().is_some() => Ok(Progress::Open),
            (CodecError::AnsweredInPlain, Some(word)) => Err(Unopened::Refused(word)),
            _ => Err(Unopened::Codec(error)),
        }
    }
}

fn ended() -> io::Error {
    let text = "the other end closed the link before it was open";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// What a plain `protocol_error` says.
fn last_word(wire: &[u8]) -> Option<WireError> {
    let line = LineSplitter::default().next(wire, wire.len()).ok()??;
    let frame = Frame::parse(&wire[line.range()]).ok()?;
    match frame.body {
        Body::Pass { name, data } if name == "protocol_error" => Some(WireError::parse(data)),
        _ => None,
    }
}
