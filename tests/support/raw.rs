//! Ends that speak lines of JSON by hand, for what the typed ends would never send.
//!
//! Over encrypted links the lines go through the codec, driven here without the runtime of the
//! typed ends.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use protocol_core::codec::{Accept, Codec, Encryption, Noise, Plain, Progress, Suite};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::links::{CLIENT, Links, SERVER};

/// How long a line takes to get through to nobody: hundreds of times what it takes to get through
/// to somebody.
const STUCK: Duration = Duration::from_millis(500);

/// Read at once.
const READ_BYTES: usize = 16 * 1024;

/// What a record takes beside what it holds: its length and its tag.
pub const RECORD_OVERHEAD: usize = 2 + 16;

/// A socket, and the codec that the links of the test have.
pub struct Raw {
    stream: TcpStream,
    codec: Box<dyn Codec>,
    /// What arrived and the codec has not taken yet.
    wire: BytesMut,
    /// What arrived and was not read yet.
    plain: BytesMut,
    /// What is due. It stays where a send is given up, since a record that is cut would make the
    /// next one another.
    out: BytesMut,
}

impl Raw {
    /// Connects to a server.
    ///
    /// # Panics
    ///
    /// Where nobody listens, or shakes no hands.
    pub async fn connect(address: SocketAddr) -> Self {
        let codec: Box<dyn Codec> = match Links::of_this_test() {
            Links::Plain => Box::new(Plain),
            Links::Encrypted => {
                let codec = Noise::client(Suite::fastest(), &CLIENT, Some(SERVER.public()));
                Box::new(codec.expect("the ciphers are there"))
            }
        };
        Self::open(dial(address).await, codec).await
    }

    /// Connects to a server without encryption, whatever the links of the test are.
    ///
    /// # Panics
    ///
    /// Where nobody listens.
    pub async fn connect_plain(address: SocketAddr) -> Self {
        Self::open(dial(address).await, Box::new(Plain)).await
    }

    /// Shakes hands.
    async fn open(stream: TcpStream, codec: Box<dyn Codec>) -> Self {
        stream.set_nodelay(true).expect("a fresh socket");
        let mut raw = Self {
            stream,
            codec,
            wire: BytesMut::new(),
            plain: BytesMut::new(),
            out: BytesMut::new(),
        };
        let mut progress = raw.codec.start(&mut raw.out).expect("the codec starts");
        raw.flush().await;
        while progress == Progress::Handshaking {
            progress = raw.read().await.expect("the other end shakes hands");
            raw.flush().await;
        }
        raw
    }

    /// Reads what is there; how far the codec is then, or nothing where the link has ended.
    async fn read(&mut self) -> Option<Progress> {
        self.wire.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.wire).await {
            Ok(0) | Err(_) => None,
            Ok(_) => {
                let Self {
                    codec,
                    wire,
                    plain,
                    out,
                    ..
                } = self;
                let progress = codec.receive(wire, plain, out);
                Some(progress.expect("the other end speaks the same codec"))
            }
        }
    }

    /// Writes what is due.
    async fn flush(&mut self) {
        let written = self.stream.write_all_buf(&mut self.out).await;
        written.expect("the link is up");
    }

    /// Sends one line.
    ///
    /// # Panics
    ///
    /// Where the link has ended.
    pub async fn send(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes()).await;
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    ///
    /// Where the link has ended.
    pub async fn write(&mut self, bytes: &[u8]) {
        let sealed = self.codec.send(bytes, &mut self.out);
        sealed.expect("nothing is sent behind the end");
        self.flush().await;
    }

    /// The next line that is not empty, as far as it came; none where the link has ended.
    pub async fn line(&mut self) -> Option<String> {
        let mut searched = 0;
        loop {
            let mut new = self.plain[searched..].iter();
            let line = if let Some(end) = new.position(|&byte| byte == b'\n') {
                self.plain.split_to(searched + end + 1)
            } else {
                searched = self.plain.len();
                if self.read().await.is_some() {
                    continue;
                }
                self.plain.split()
            };
            if line.is_empty() {
                return None;
            }
            searched = 0;
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            // Says nothing: a client's first line is so (`PROTOCOL.md` §1).
            if !line.is_empty() {
                return String::from_utf8(line.to_vec()).ok();
            }
        }
    }

    /// The next line as JSON.
    ///
    /// # Panics
    ///
    /// Where the link has ended, or sent something else.
    pub async fn json(&mut self) -> Value {
        let line = self.line().await.expect("the link is up");
        serde_json::from_str(&line).expect("a line of JSON")
    }

    /// Sends a line and returns the next that comes back.
    pub async fn ask(&mut self, line: &str) -> Value {
        self.send(line).await;
        self.json().await
    }

    /// Sends lines until one does not get through, or all are sent; how many got through whole.
    ///
    /// # Panics
    ///
    /// Where the link has ended.
    pub async fn send_until_stuck(&mut self, lines: impl IntoIterator<Item = String>) -> u32 {
        let mut sent = 0;
        for line in lines {
            if timeout(STUCK, self.send(&line)).await.is_err() {
                break;
            }
            sent += 1;
        }
        sent
    }

    /// Ends the sending half.
    ///
    /// # Panics
    ///
    /// Where the link has ended.
    pub async fn end(&mut self) {
        let said = self.codec.finish(&mut self.out);
        said.expect("the sending half ends once");
        self.flush().await;
        self.stream.shutdown().await.expect("the link is up");
    }

    /// Ends the link with a reset instead of an orderly end.
    ///
    /// # Panics
    ///
    /// Where the system refuses.
    pub fn reset(self) {
        let lingers = self.stream.set_zero_linger();
        lingers.expect("the socket is open");
    }
}

async fn dial(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("connects")
}

/// A listener that speaks by hand.
#[derive(Debug)]
pub struct RawServer {
    listener: TcpListener,
}

impl RawServer {
    /// Listens on a free port.
    ///
    /// # Panics
    ///
    /// Where the system refuses.
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        Self { listener }
    }

    /// Where it listens.
    ///
    /// # Panics
    ///
    /// Never: it is bound.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it is bound")
    }

    /// Accepts the next link. An encrypted one shakes hands here, and its client waits for that.
    ///
    /// # Panics
    ///
    /// Where the system refuses.
    pub async fn accept(&self) -> Raw {
        let (stream, _) = self.listener.accept().await.expect("accepts");
        let codec: Box<dyn Codec> = match Links::of_this_test() {
            Links::Plain => Box::new(Plain),
            Links::Encrypted => Box::new(Accept::new(Encryption::Encrypted(SERVER.clone()))),
        };
        Raw::open(stream, codec).await
    }
}
