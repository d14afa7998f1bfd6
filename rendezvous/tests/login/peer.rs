//! A peer of any language: a bare socket that speaks lines of JSON.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    received: Vec<u8>,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Connects and logs in.
    pub(crate) async fn log_in(address: SocketAddr, id: &str) -> Self {
        let mut peer = Self::connect(address).await;
        let answer = peer.request("login", json!({"id": id})).await;
        assert!(answer["data"]["session"].is_string(), "{answer}");
        peer
    }

    /// Asks the server, and returns its answer.
    pub(crate) async fn request(&mut self, name: &str, data: Value) -> Value {
        let frame = json!({"type": "request", "name": name, "data": data, "request_id": "1"});
        self.ask(&frame).await
    }

    /// Sends a frame and returns the next that comes.
    pub(crate) async fn ask(&mut self, frame: &Value) -> Value {
        self.send(frame).await;
        self.json().await
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.write(format!("{frame}\n")).await;
    }

    /// Sends frames together.
    pub(crate) async fn send_all(&mut self, frames: &[Value]) {
        let lines: Vec<_> = frames.iter().map(Value::to_string).collect();
        self.write(lines.join("\n") + "\n").await;
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    pub(crate) async fn json(&mut self) -> Value {
        let line = self.line().await.expect("the link is up");
        serde_json::from_str(&line).unwrap()
    }

    /// The next line; none at the end of the stream. A reset is a failure of the test.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                return Some(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            if self.stream.read_buf(&mut self.received).await.unwrap() == 0 {
                assert!(self.received.is_empty(), "the last line has no end");
                return None;
            }
        }
    }

    /// Reads the server's last word and the end of the stream behind it; returns the code.
    pub(crate) async fn last_word(&mut self) -> String {
        let word = self.json().await;
        assert_eq!(word["name"], "protocol_error", "{word}");
        assert_eq!(self.line().await, None, "something follows the last word");
        word["data"]["code"].as_str().unwrap().to_owned()
    }

    /// Ends the sending half.
    pub(crate) async fn end(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Ends the link with a reset, as the system does for a process that was killed.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}
