//! A peer of any language: what it gets, frame by frame, in the order of the wire.

use std::net::SocketAddr;

use protocol_tests::Raw;
use serde_json::{Value, json};

pub(crate) struct Bare {
    pub(crate) raw: Raw,
    asked: usize,
}

impl Bare {
    /// Connects and logs in.
    pub(crate) async fn log_in(address: SocketAddr, id: &str) -> Self {
        let raw = Raw::connect(address).await;
        let mut peer = Self { raw, asked: 0 };
        let answer = peer.answer("login", json!({"id": id})).await;
        assert_eq!(answer["data"]["id"], id, "{answer}");
        peer
    }

    /// Asks the server; returns what comes until the answer, which is the last.
    pub(crate) async fn ask(&mut self, name: &str, data: Value) -> Vec<Value> {
        let request = self.request(name, data);
        self.raw.send(&request.to_string()).await;
        self.until_answer(&request).await
    }

    /// Asks the server; returns its answer.
    pub(crate) async fn answer(&mut self, name: &str, data: Value) -> Value {
        let mut frames = self.ask(name, data).await;
        frames.pop().expect("an answer")
    }

    /// What was sent to this peer before the server handles this.
    pub(crate) async fn settle(&mut self) -> Vec<Value> {
        let mut frames = self.ask("ping", json!({})).await;
        frames.pop();
        frames
    }

    /// Nothing was sent to this peer.
    pub(crate) async fn hears_nothing(&mut self) {
        let heard = self.settle().await;
        assert!(heard.is_empty(), "{heard:?}");
    }

    /// A request with an id of its own.
    pub(crate) fn request(&mut self, name: &str, data: Value) -> Value {
        self.asked += 1;
        let id = format!("q{}", self.asked);
        json!({"type": "request", "name": name, "data": data, "request_id": id})
    }

    /// What comes until the answer to a request, which is the last.
    pub(crate) async fn until_answer(&mut self, request: &Value) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.raw.json().await;
            let answers = frame["type"] == "response"
                && frame["from"].is_null()
                && frame["request_id"] == request["request_id"];
            frames.push(frame);
            if answers {
                return frames;
            }
        }
    }

    /// Makes a room called `lobby`; returns its id.
    pub(crate) async fn create(&mut self) -> String {
        let answer = self.answer("create_room", json!({"name": "lobby"})).await;
        answer["data"]["id"].as_str().expect("an id").to_owned()
    }

    /// Asks for something to do with a room, and nothing else.
    pub(crate) async fn do_in(&mut self, name: &str, room: &str) -> Vec<Value> {
        self.ask(name, json!({"room": room})).await
    }
}

/// The names of frames; of answers with their code, where they are refusals.
pub(crate) fn names(frames: &[Value]) -> Vec<String> {
    let name = |frame: &Value| {
        let name = frame["name"].as_str().unwrap_or("acknowledgement");
        match frame["error"]["code"].as_str() {
            Some(code) => format!("{name}: {code}"),
            None if frame["type"] == "response" => format!("answer to {name}"),
            None => name.to_owned(),
        }
    };
    frames.iter().map(name).collect()
}
