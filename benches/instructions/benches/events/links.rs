//! A server's clients: pipes in memory, with frames written by hand.

use std::time::Duration;

use protocol_core::{Protocol, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// More than any exchange has on its way, so that nobody waits for room.
const PIPE_BYTES: usize = 1 << 20;

/// Far above what an exchange takes, also where its instructions are counted.
const AT_MOST: Duration = Duration::from_mins(1);

/// How often an exchange is made before it is counted: then all buffers have their size.
const WARM_UP: usize = 4;

/// One end of a link to a server.
pub(crate) struct Link {
    stream: DuplexStream,
    heard: Vec<u8>,
}

impl Link {
    pub(crate) fn connect<P: Protocol>(server: &Server<P>) -> Self {
        let (stream, far) = duplex(PIPE_BYTES);
        server.accept_stream(far);
        let heard = Vec::new();
        Self { stream, heard }
    }

    pub(crate) async fn write(&mut self, frames: &str) {
        let written = self.stream.write_all(frames.as_bytes()).await;
        written.expect("the link is up");
    }

    /// Reads as much as is expected.
    async fn read(&mut self, bytes: usize) {
        self.heard.resize(bytes, 0);
        let read = self.stream.read_exact(&mut self.heard).await;
        read.expect("the link is up");
    }

    /// Reads what is expected, which has to come in time.
    pub(crate) async fn expect(&mut self, frames: &str) {
        let read = timeout(AT_MOST, self.read(frames.len())).await;
        assert!(read.is_ok(), "{frames} did not come within {AT_MOST:?}");
        self.check(frames);
    }

    fn check(&self, frames: &str) {
        let heard = String::from_utf8_lossy(&self.heard);
        assert_eq!(heard, frames, "something else was heard");
    }
}

/// Frames that one link writes at once, and what others hear because of them.
pub(crate) struct Exchange {
    runtime: Runtime,
    /// Kept up.
    _server: Box<dyn Send>,
    /// Who writes, then whoever hears it; where there is nobody else, who writes hears it too.
    links: Vec<Link>,
    frames: String,
    expected: String,
}

impl Exchange {
    /// Makes the exchange a few times.
    pub(crate) fn new<P: Protocol>(
        runtime: Runtime,
        (server, links): (Server<P>, Vec<Link>),
        (frames, expected): (String, String),
    ) -> Self {
        let mut exchange = Self {
            runtime,
            _server: Box::new(server),
            links,
            frames,
            expected,
        };
        for _ in 0..WARM_UP {
            exchange.make_in_time();
        }
        exchange
    }

    /// As [`run`](Self::run), but ends also where frames are missing.
    fn make_in_time(&mut self) {
        self.runtime.block_on(async {
            self.links[0].write(&self.frames).await;
            for link in hearing(&mut self.links) {
                link.expect(&self.expected).await;
            }
        });
    }

    /// Writes the frames, and reads until all is heard.
    pub(crate) fn run(&mut self) {
        self.runtime.block_on(async {
            self.links[0].write(&self.frames).await;
            for link in hearing(&mut self.links) {
                link.read(self.expected.len()).await;
            }
        });
    }

    /// Fails where something else was heard.
    pub(crate) fn check(mut self) {
        for link in hearing(&mut self.links) {
            link.check(&self.expected);
        }
    }
}

fn hearing(links: &mut [Link]) -> &mut [Link] {
    let first = usize::from(links.len() > 1);
    &mut links[first..]
}
