//! A bare socket that speaks lines, cheap enough to have a thousand of.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

/// What the system keeps for a reader that is narrow.
const NARROW: u32 = 4_096;

pub(crate) struct Bare {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
    /// So much of that holds no line end.
    scanned: usize,
}

impl Bare {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            read: Vec::new(),
            scanned: 0,
        }
    }

    /// Connects with so little room for what is not read that its sender soon feels it.
    pub(crate) async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(NARROW).expect("a socket");
        Self {
            stream: socket.connect(address).await.expect("a connection"),
            read: Vec::new(),
            scanned: 0,
        }
    }

    /// Logs in with `data`; the answer's data.
    pub(crate) async fn log_in(&mut self, data: Value) -> Value {
        let answer = self.ask("login", data).await;
        assert!(answer["error"].is_null(), "{answer}");
        answer["data"].clone()
    }

    /// Asks the server; the answer, whatever else comes before it.
    pub(crate) async fn ask(&mut self, name: &str, data: Value) -> Value {
        let request = json!({"type": "request", "name": name, "data": data, "request_id": "ask"});
        self.send(&request).await;
        loop {
            let line = self.line().await.expect("the link is up");
            let frame: Value = serde_json::from_str(&line).expect("a frame");
            if frame["request_id"] == "ask" {
                return frame;
            }
            assert_ne!(frame["name"], "protocol_error", "{frame}");
        }
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.write(&format!("{frame}\n")).await;
    }

    pub(crate) async fn write(&mut self, text: &str) {
        let written = self.stream.write_all(text.as_bytes()).await;
        written.expect("the link is up");
    }

    /// The next line; none where the link has ended, in whatever way.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            let new = &self.read[self.scanned..];
            if let Some(end) = new.iter().position(|byte| *byte == b'\n') {
                let end = self.scanned + end;
                self.scanned = 0;
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(String::from_utf8(line).expect("text"));
            }
            self.scanned = self.read.len();
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads and forgets for so long.
    ///
    /// # Panics
    ///
    /// Where the link ends.
    pub(crate) async fn read_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(line) = timeout_at(end, self.line()).await {
            assert!(line.is_some(), "the link is cut off");
        }
    }

    /// Cuts the link, as the system does for a process that was killed.
    pub(crate) fn cut(self) {
        self.stream.set_zero_linger().expect("a socket");
    }
}

/// As many as the system lets this process open beside what else it needs, at most `wanted`.
pub(crate) fn sockets(wanted: usize) -> usize {
    let files = rlimit::increase_nofile_limit(4 * wanted as u64).expect("the limit can be read");
    let count = usize::try_from(files / 2).map_or(wanted, |room| room.min(wanted));
    if count < wanted {
        println!("only {count}: this process may open no more files");
    }
    count
}
