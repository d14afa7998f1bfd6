//! A peer of any language at the end of a pipe in memory, which reads when the test has it read.

use std::mem;

use protocol_core::{Protocol, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// The other end of a server in memory, line by line and without encryption.
#[derive(Debug)]
pub struct Pipe {
    stream: DuplexStream,
    received: Vec<u8>,
    /// What came that was no answer, and is not taken yet.
    heard: Vec<Value>,
    frames: u64,
    asked: u32,
}

impl Pipe {
    /// A link whose pipe holds so many bytes in each direction.
    pub fn open<P: Protocol>(server: &Server<P>, bytes: usize) -> Self {
        let (stream, far) = duplex(bytes);
        server.accept_stream(far);
        Self {
            stream,
            received: Vec::new(),
            heard: Vec::new(),
            frames: 0,
            asked: 0,
        }
    }

    /// Frames that came.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Sends a frame.
    ///
    /// # Panics
    ///
    /// Where the link has ended.
    pub async fn send(&mut self, frame: &Value) {
        self.write(format!("{frame}\n").as_bytes()).await;
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    ///
    /// Where the link has ended.
    pub async fn write(&mut self, bytes: &[u8]) {
        let written = self.stream.write_all(bytes).await;
        written.expect("the link is up");
    }

    /// The next frame; none where the link has ended.
    ///
    /// # Panics
    ///
    /// Where something else than JSON came.
    pub async fn frame(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                self.frames += 1;
                return Some(serde_json::from_slice(&line).expect("a line of JSON"));
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends a request, and does not wait for its answer.
    pub async fn request(&mut self, name: &str, data: Value) -> String {
        self.asked += 1;
        let id = self.asked.to_string();
        let request = json!({"type": "request", "name": name, "data": data, "request_id": id});
        self.send(&request).await;
        id
    }

    /// Asks the server; returns its answer. What comes before that is heard.
    ///
    /// # Panics
    ///
    /// Where the link has ended.
    pub async fn ask(&mut self, name: &str, data: Value) -> Value {
        let id = self.request(name, data).await;
        loop {
            let frame = self.frame().await.expect("the link is up");
            if frame["type"] == "response" && frame["request_id"] == *id {
                return frame;
            }
            self.heard.push(frame);
        }
    }

    /// What came before answers since the last time.
    pub fn take_heard(&mut self) -> Vec<Value> {
        mem::take(&mut self.heard)
    }

    /// The code of the server's last word, behind which the link has ended.
    ///
    /// # Panics
    ///
    /// Where something else comes.
    pub async fn last_word(&mut self) -> String {
        let word = self.frame().await.expect("a last word");
        assert_eq!(word["name"], "protocol_error", "{word}");
        assert_eq!(self.frame().await, None, "something follows the last word");
        word["data"]["code"].as_str().expect("a code").to_owned()
    }

    /// The link has ended; what came before that is thrown away.
    pub async fn ends(mut self) {
        while self.frame().await.is_some() {}
    }
}
