//! A link: whole frames above, bytes below, a codec between them.
//!
//! Knows sockets and lines; must not know what a frame says.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use protocol_core::codec::{Codec, CodecError, Plain, Progress};
use protocol_core::wire::{LineSplitter, MAX_FRAME_CLIENT, TooLong};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How much is asked of the socket at once.
const READ: usize = 16 * 1_024;

/// How long the other end may take nothing of what is sent to it.
const STUCK: Duration = Duration::from_secs(10);

/// A link that stands. `C` is where an encrypted link will differ from a plain one.
#[derive(Debug)]
pub(super) struct Link<C = Plain> {
    stream: TcpStream,
    codec: C,
    /// Received and not seen by the codec.
    wire_in: BytesMut,
    /// Bytes of frames, of which no line was taken yet.
    frames_in: BytesMut,
    /// What the codec has to say by itself.
    wire_out: BytesMut,
    lines: LineSplitter,
}

/// Why a link cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("the server sent a frame that is too long: {0}")]
    TooLong(#[from] TooLong),
    #[error("the server takes nothing more of what is sent to it")]
    Stuck,
}

impl<C: Codec> Link<C> {
    /// Takes a socket over, up to the point from which frames may be sent.
    pub(super) async fn open(stream: TcpStream, codec: C) -> Result<Self, LinkError> {
        stream.set_nodelay(true)?;
        let mut link = Self {
            stream,
            codec,
            wire_in: BytesMut::new(),
            frames_in: BytesMut::new(),
            wire_out: BytesMut::new(),
            lines: LineSplitter::default(),
        };
        let mut progress = link.codec.start(&mut link.wire_out)?;
        link.flush().await?;
        while progress == Progress::Handshaking {
            if link.read().await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            progress = link.decode()?;
            link.flush().await?;
        }
        Ok(link)
    }

    /// Sends whole frames, each with its line end. Not to be cancelled.
    pub(super) async fn send(&mut self, frames: &[u8]) -> Result<(), LinkError> {
        self.codec.send(frames, &mut self.wire_out)?;
        let sent = timeout(STUCK, self.flush()).await;
        Ok(sent.map_err(|_| LinkError::Stuck)??)
    }

    /// The next frame without its line end; none at the end of the stream. May be cancelled.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        loop {
            while let Some(line) = self.lines.next(&self.frames_in, MAX_FRAME_CLIENT)? {
                let done = self.frames_in.split_to(line.consumed);
                if !line.is_empty() {
                    return Ok(Some(done[line.range()].to_vec()));
                }
            }
            if self.read().await? == 0 {
                return Ok(None);
            }
            self.decode()?;
            self.flush().await?;
        }
    }

    /// Says that nothing more is sent.
    pub(super) async fn shut(&mut self) -> Result<(), LinkError> {
        Ok(self.stream.shutdown().await?)
    }

    fn decode(&mut self) -> Result<Progress, CodecError> {
        self.codec
            .receive(&mut self.wire_in, &mut self.frames_in, &mut self.wire_out)
    }

    /// May be cancelled: what was read is in the buffer.
    async fn read(&mut self) -> io::Result<usize> {
        self.wire_in.reserve(READ);
        self.stream.read_buf(&mut self.wire_in).await
    }

    /// May be cancelled: what was written is no longer in the buffer.
    async fn flush(&mut self) -> io::Result<()> {
        while !self.wire_out.is_empty() {
            self.stream.write_buf(&mut self.wire_out).await?;
        }
        Ok(())
    }
}
