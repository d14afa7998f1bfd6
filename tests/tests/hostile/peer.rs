//! A peer without manners: a bare socket, and what a server says to it.

use std::io::ErrorKind;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Stands in every hostile frame and must never come back.
pub(crate) const SECRET: &str = "s3cr3t-of-the-peer";

pub(crate) struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::of(TcpStream::connect(address).await.unwrap())
    }

    /// Waits for somebody to connect.
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        Self::of(listener.accept().await.unwrap().0)
    }

    fn of(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Writes as far as the other end lets it; whether everything was taken.
    pub(crate) async fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// What fits into the socket without waiting.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> usize {
        match self.stream.try_write(bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => panic!("the link is gone: {error}"),
        }
    }

    pub(crate) async fn writable(&self) {
        self.stream.writable().await.unwrap();
    }

    /// The next line; none at the end of the stream. A reset is a failure of the test.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let line = String::from_utf8(line).unwrap();
                assert!(!line.contains(SECRET), "it echoes: {line}");
                // A client begins with an empty line (`PROTOCOL.md` §1).
                if !line.trim_end().is_empty() {
                    return Some(line.trim_end().to_owned());
                }
                continue;
            }
            if self.stream.read_buf(&mut self.received).await.unwrap() == 0 {
                assert!(self.received.is_empty(), "the last line has no end");
                return None;
            }
        }
    }

    pub(crate) async fn json(&mut self) -> Value {
        let line = self.line().await.expect("the link is up");
        serde_json::from_str(&line).unwrap()
    }

    /// Writes a line and returns the next one that comes back.
    pub(crate) async fn ask(&mut self, line: &str) -> Value {
        self.write(format!("{line}\n")).await;
        self.json().await
    }

    /// Asks something that every server here can answer.
    pub(crate) async fn is_served(&mut self) {
        let answer = self.ask(&add(20, 22, "served")).await;
        assert_eq!(answer["data"]["sum"], 42, "{answer}");
    }

    /// Reads the server's last word, the end of the stream behind it, and returns the code.
    pub(crate) async fn last_word(&mut self) -> String {
        let word = self.json().await;
        assert_eq!(word["type"], "pass", "{word}");
        assert_eq!(word["name"], "protocol_error", "{word}");
        assert!(word["data"]["message"].is_string(), "{word}");
        assert_eq!(self.line().await, None, "something follows the last word");
        word["data"]["code"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn half_close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Ends the link with a reset.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

pub(crate) fn add(a: i64, b: i64, id: &str) -> String {
    request("add", &format!("{{\"a\":{a},\"b\":{b}}}"), id)
}

pub(crate) fn request(name: &str, data: &str, id: &str) -> String {
    format!("{{\"type\":\"request\",\"name\":\"{name}\",\"data\":{data},\"request_id\":\"{id}\"}}")
}

pub(crate) fn confirm(name: &str, data: &str, id: &str) -> String {
    format!(
        "{{\"type\":\"confirm_pass\",\"name\":\"{name}\",\"data\":{data},\"pass_id\":\"{id}\"}}"
    )
}

pub(crate) fn pass(name: &str, data: &str) -> String {
    format!("{{\"type\":\"pass\",\"name\":\"{name}\",\"data\":{data}}}")
}
