//! What a connection reads from and writes to, and how a client gets another one.

use tokio::io::{AsyncRead, AsyncWrite};

use super::connect_error::ConnectError;
use super::opening::Opened;
use crate::router::Work;

/// A stream of bytes in both directions: a socket, or what stands for one.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for T {}

pub(super) type Io = Box<dyn Transport>;

/// A link whose codec is open.
pub(super) struct Dialed {
    pub(super) io: Io,
    pub(super) opened: Opened,
}

/// How a client gets another link to its server.
pub(super) trait Dial: Send + Sync {
    fn dial(&self) -> Work<Result<Dialed, ConnectError>>;
}
