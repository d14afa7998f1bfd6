//! Relays that lie, to show that the laws find that: between a server and the links of its clients.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::network::End;

/// What is wrong with a server's relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// It confirms a pass to a peer when it gets it.
    Confirms,
    /// It tells a new life of a peer what it has told the one before.
    Repeats,
}

/// The latest numbered pass that each peer was told.
type Told = Arc<Mutex<BTreeMap<String, Value>>>;

/// How the relay of one world lies.
#[derive(Debug, Clone)]
pub(crate) struct Forger {
    lie: Lie,
    told: Told,
}

impl Forger {
    pub(crate) fn new(lie: Lie) -> Self {
        let told = Told::default();
        Self { lie, told }
    }

    /// The server's end of a link, with lines of its own on it.
    pub(crate) fn forge(&self, end: End) -> Forged {
        Forged {
            end,
            forger: self.clone(),
            heard: Vec::new(),
            said: Vec::new(),
            due: Vec::new(),
            login: None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Forged {
    end: End,
    forger: Forger,
    /// What the client has begun to say.
    heard: Vec<u8>,
    /// What the server has begun to say.
    said: Vec<u8>,
    /// What the relay says of its own, between two lines of the server.
    due: Vec<u8>,
    /// The client's id and life.
    login: Option<(String, Value)>,
}

impl Forged {
    fn hear(&mut self, bytes: &[u8]) {
        for line in lines(&mut self.heard, bytes) {
            if line["name"] == "login" {
                let data = &line["data"];
                let id = data["id"].as_str().unwrap_or_default();
                self.login = Some((id.to_owned(), data["inc"].clone()));
            }
            if self.forger.lie == Lie::Confirms && is_numbered(&line) && !line["dest"].is_null() {
                self.confirm(&line);
            }
        }
    }

    fn confirm(&mut self, line: &Value) {
        let Some((id, inc)) = &self.login else {
            return;
        };
        let word = json!({
            "from": line["dest"], "from_inc": line["dest_inc"], "type": "confirm_pass",
            "dest": id, "dest_inc": inc, "pass_id": line["pass_id"], "ack": line["seq"],
        });
        self.say(&word);
    }

    fn said(&mut self, bytes: &[u8]) {
        for line in lines(&mut self.said, bytes) {
            let Some((id, inc)) = self.login.clone() else {
                continue;
            };
            if is_numbered(&line) && !line["from"].is_null() {
                let mut told = self.forger.told.lock().expect("nothing panics with it");
                told.insert(id, line);
            } else if self.forger.lie == Lie::Repeats
                && line["name"] == "login"
                && !line["data"].is_null()
            {
                self.repeat(&id, inc);
            }
        }
    }

    fn repeat(&mut self, id: &str, inc: Value) {
        let told = self.forger.told.lock().expect("nothing panics with it");
        let Some(mut line) = told.get(id).cloned() else {
            return;
        };
        drop(told);
        if line["dest_inc"] != inc {
            line["dest_inc"] = inc;
            line["base"] = line["seq"].clone();
            self.say(&line);
        }
    }

    fn say(&mut self, line: &Value) {
        self.due.extend_from_slice(line.to_string().as_bytes());
        self.due.push(b'\n');
    }

    /// Writes what is due, where no line of the server is on its way.
    fn forge(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.said.is_empty() && !self.due.is_empty() {
            let count = std::task::ready!(Pin::new(&mut self.end).poll_write(cx, &self.due))?;
            self.due.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

/// A confirmed pass with a number, as against what becomes of one.
fn is_numbered(line: &Value) -> bool {
    line["type"] == "confirm_pass" && !line["seq"].is_null() && !line["name"].is_null()
}

/// The lines that end in `bytes`; what begins there stays for the next ones.
fn lines(begun: &mut Vec<u8>, bytes: &[u8]) -> Vec<Value> {
    let mut lines = Vec::new();
    for byte in bytes {
        if *byte == b'\n' {
            lines.extend(serde_json::from_slice(begun).ok());
            begun.clear();
        } else {
            begun.push(*byte);
        }
    }
    lines
}

impl AsyncRead for Forged {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.end).poll_read(cx, buffer);
        self.hear(&buffer.filled()[before..]);
        // What cannot be written yet is when the server writes.
        let _ = self.forge(cx)?;
        read
    }
}

impl AsyncWrite for Forged {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.forge(cx))?;
        // The server may say no more than a line, so that there is room for others behind it.
        let line = bytes.iter().position(|byte| *byte == b'\n');
        let bytes = &bytes[..line.map_or(bytes.len(), |end| end + 1)];
        let count = std::task::ready!(Pin::new(&mut self.end).poll_write(cx, bytes))?;
        self.said(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.forge(cx))?;
        Pin::new(&mut self.end).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_shutdown(cx)
    }
}
