//! A client by hand: a socket that blocks.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// Far above what any answer takes, also on a busy machine.
const AT_MOST: Duration = Duration::from_secs(30);

pub(crate) struct Peer {
    stream: BufReader<TcpStream>,
    line: String,
}

impl Peer {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a fresh socket");
        stream.set_read_timeout(Some(AT_MOST)).expect("no zero");
        Self {
            stream: BufReader::new(stream),
            line: String::new(),
        }
    }

    /// Connects, and takes a name by a request of this name.
    pub(crate) fn enter(address: SocketAddr, request: &str, name: &str) -> Self {
        let mut peer = Self::connect(address);
        let answer = peer.ask(request, &json!({"id": name}));
        assert_eq!(answer["data"]["id"], name, "{answer}");
        peer
    }

    /// Asks the server; returns the answer, and skips what comes before it.
    pub(crate) fn ask(&mut self, name: &str, data: &Value) -> Value {
        let request = json!({"type": "request", "name": name, "data": data, "request_id": "1"});
        self.write(&format!("{request}\n"));
        loop {
            let frame: Value = serde_json::from_str(self.read()).expect("JSON");
            if frame["type"] == "response" {
                return frame;
            }
        }
    }

    /// Writes frames with their line ends, at once.
    pub(crate) fn write(&mut self, frames: &str) {
        let written = self.stream.get_mut().write_all(frames.as_bytes());
        written.expect("the link is up");
    }

    /// The next line without its end.
    pub(crate) fn read(&mut self) -> &str {
        self.line.clear();
        self.stream.read_line(&mut self.line).expect("a line");
        self.line.strip_suffix('\n').expect("the link is up")
    }

    /// Reads a frame, which has to have all of these parts.
    pub(crate) fn expect(&mut self, parts: &[&str]) {
        let line = self.read();
        for part in parts {
            assert!(line.contains(part), "no {part} in {line}");
        }
    }
}
