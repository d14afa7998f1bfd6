//! Ends that speak lines of JSON over a bare socket, for what the typed ends would never send.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// How long a line takes to get through to nobody: hundreds of times what it takes to get through
/// to somebody.
const STUCK: Duration = Duration::from_millis(500);

/// A bare socket.
#[derive(Debug)]
pub struct Raw {
    stream: BufReader<TcpStream>,
}

impl Raw {
    /// Connects to a server.
    ///
    /// # Panics
    ///
    /// Where nobody listens.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connects");
        Self::new(stream)
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a fresh socket");
        Self {
            stream: BufReader::new(stream),
        }
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
        self.stream.write_all(bytes).await.expect("the link is up");
    }

    /// The next line; none where the link has ended.
    pub async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.strip_suffix('\n').unwrap_or(&line).to_owned()),
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
        self.stream.shutdown().await.expect("the link is up");
    }

    /// Ends the link with a reset instead of an orderly end.
    ///
    /// # Panics
    ///
    /// Where the system refuses.
    pub fn reset(self) {
        let stream = self.stream.into_inner();
        stream.set_zero_linger().expect("the socket is open");
    }
}

/// A bare listener.
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

    /// Accepts the next link.
    ///
    /// # Panics
    ///
    /// Where the system refuses.
    pub async fn accept(&self) -> Raw {
        let (stream, _) = self.listener.accept().await.expect("accepts");
        Raw::new(stream)
    }
}
