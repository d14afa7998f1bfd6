//! What a connection reads from and writes to, and how a client gets another one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::connect_error::ConnectError;
use super::opening::Opened;
use crate::router::Work;

/// A stream of bytes in both directions: a socket, or what stands for one.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for T {}

/// A transport as a driver has it.
pub(super) enum Io {
    /// Most are sockets, which need no box and say whether something has arrived.
    Tcp(TcpStream),
    Other(Box<dyn Transport>),
}

impl Io {
    /// Whether nothing has arrived since a read had to wait, so that its task is still to be woken by
    /// that; `false` where this cannot be told.
    pub(super) fn is_silent(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.try_io(Interest::READABLE, || Ok(())).is_err(),
            Self::Other(_) => false,
        }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut dyn Transport> {
        Pin::new(match self.get_mut() {
            Self::Tcp(stream) => stream,
            Self::Other(stream) => &mut **stream,
        })
    }
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

/// A link whose codec is open.
pub(super) struct Dialed {
    pub(super) io: Io,
    pub(super) opened: Opened,
}

/// How a client gets another link to its server.
pub(super) trait Dial: Send + Sync {
    fn dial(&self) -> Work<Result<Dialed, ConnectError>>;
}
