//! A link: whole frames above, bytes below, a codec between them.
//!
//! Knows sockets and lines; must not know what a frame says, but for the last word of a server that
//! does not shake hands.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use protocol_core::PeerIdentity;
use protocol_core::codec::{Codec, CodecError, Progress};
use protocol_core::wire::{Body, Frame, LineSplitter, MAX_FRAME_CLIENT, TooLong, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How much is asked of the socket at once.
const READ: usize = 16 * 1_024;

/// How long the other end may take nothing of what is sent to it.
const STUCK: Duration = Duration::from_secs(10);

/// A link that stands.
pub(super) struct Link {
    stream: TcpStream,
    /// What makes it a plain or an encrypted one.
    codec: Box<dyn Codec>,
    /// Received and not seen by the codec.
    wire_in: BytesMut,
    /// Bytes of frames, of which no line was taken yet.
    frames_in: BytesMut,
    /// What the codec has to say by itself.
    wire_out: BytesMut,
    lines: LineSplitter,
    /// Why nothing more can be read, once the lines before are taken.
    failed: Option<CodecError>,
}

/// Why a link cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// In place of its handshake.
    #[error("the server answered without encryption: {0}")]
    Refused(WireError),
    #[error("the server sent a frame that is too long: {0}")]
    TooLong(#[from] TooLong),
    #[error("the server takes nothing more of what is sent to it")]
    Stuck,
    /// Plain links cannot tell.
    #[error("it was cut off: the server had not said that it sends no more")]
    CutOff,
}

impl Link {
    /// Takes a socket over, up to the point from which frames may be sent. Whoever calls this sets
    /// the time that it may take.
    pub(super) async fn open(
        stream: TcpStream,
        codec: impl Codec + 'static,
    ) -> Result<Self, LinkError> {
        stream.set_nodelay(true)?;
        let mut link = Self {
            stream,
            codec: Box::new(codec),
            wire_in: BytesMut::new(),
            frames_in: BytesMut::new(),
            wire_out: BytesMut::new(),
            lines: LineSplitter::default(),
            failed: None,
        };
        let mut progress = link.codec.start(&mut link.wire_out)?;
        link.flush().await?;
        while progress == Progress::Handshaking {
            if link.read().await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            progress = link.decode().map_err(|error| link.refusal(error))?;
            link.flush().await?;
        }
        Ok(link)
    }

    /// Who the server has proved to be.
    pub(super) fn server(&self) -> PeerIdentity {
        self.codec.peer()
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
            if let Some(error) = &self.failed {
                return Err(error.clone().into());
            }
            if self.read().await? == 0 {
                return if self.codec.may_end() {
                    Ok(None)
                } else {
                    Err(LinkError::CutOff)
                };
            }
            // The lines before what is wrong are the server's all the same.
            self.failed = self.decode().err();
            self.flush().await?;
        }
    }

    /// Says that nothing more is sent.
    pub(super) async fn shut(&mut self) -> Result<(), LinkError> {
        self.codec.finish(&mut self.wire_out)?;
        let sent = timeout(STUCK, self.flush()).await;
        sent.map_err(|_| LinkError::Stuck)??;
        Ok(self.stream.shutdown().await?)
    }

    fn decode(&mut self) -> Result<Progress, CodecError> {
        self.codec
            .receive(&mut self.wire_in, &mut self.frames_in, &mut self.wire_out)
    }

    /// Why there was no handshake: the server's word, where it gave one in plain.
    fn refusal(&self, error: CodecError) -> LinkError {
        match (&error, last_word(&self.wire_in)) {
            (CodecError::AnsweredInPlain, Some(word)) => LinkError::Refused(word),
            _ => LinkError::Codec(error),
        }
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

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut link = f.debug_struct("Link");
        link.field("server", &self.server()).finish_non_exhaustive()
    }
}

/// What a plain `protocol_error` says (`PROTOCOL.md` §7).
fn last_word(wire: &[u8]) -> Option<WireError> {
    let line = LineSplitter::default()
        .next(wire, MAX_FRAME_CLIENT)
        .ok()??;
    match Frame::parse(&wire[line.range()]).ok()?.body {
        Body::Pass { name, data } if name == "protocol_error" => Some(WireError::parse(data)),
        _ => None,
    }
}
