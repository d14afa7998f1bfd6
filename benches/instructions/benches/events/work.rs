//! What an event carries, and how it is written and read without a connection.

use protocol_core::wire::{
    Body, Frame, FrameType, decode_data, write_data, write_head, write_tail,
};
use protocol_core::{Event, EventSet};

/// Asks for the same back.
#[derive(Debug, Event)]
#[event(request, response = Echoed)]
pub(crate) struct Echo {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) pos: [f64; 3],
}

/// What was asked for.
#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Echoed {
    id: u64,
    name: String,
    tags: Vec<String>,
    pos: [f64; 3],
}

#[derive(Debug, EventSet)]
pub(crate) enum Work {
    Echo(Echo),
}

impl From<Echo> for Echoed {
    fn from(asked: Echo) -> Self {
        let Echo {
            id,
            name,
            tags,
            pos,
        } = asked;
        Self {
            id,
            name,
            tags,
            pos,
        }
    }
}

impl Echo {
    fn new() -> Self {
        Self {
            id: 1_000_001,
            name: "Wanderer-of-Oaks".to_owned(),
            tags: ["explorer", "redguild", "level-42"]
                .map(str::to_owned)
                .into(),
            pos: [1523.75, -48.0625, 307.5],
        }
    }
}

/// The data of an echo, always as long.
pub(crate) fn data(number: usize) -> String {
    let mut data = Vec::new();
    let echo = Echo {
        id: 1_000_000 + number as u64,
        ..Echo::new()
    };
    write_data(&mut data, &echo).expect("it encodes");
    String::from_utf8(data).expect("JSON")
}

/// An id as long as those that clients make.
pub(crate) fn id(number: usize) -> String {
    format!("01934f2c-7b1a-7c3e-9d55-{number:012}")
}

pub(crate) fn encode(echo: &Echo, mut out: Vec<u8>) -> Vec<u8> {
    write_head(&mut out, FrameType::Request, None, None, "echo");
    write_data(&mut out, echo).expect("it encodes");
    write_tail(
        &mut out,
        FrameType::Request,
        Some("01934f2c-7b1a-7c3e-9d55-000000000001"),
    );
    out
}

pub(crate) fn decode(frame: &Frame<'_>) -> Echo {
    let Body::Request { data, .. } = &frame.body else {
        panic!("no request: {frame:?}");
    };
    decode_data(*data).expect("the data of an echo")
}

/// An echo, and room for its frame.
pub(crate) fn to_encode() -> (Echo, Vec<u8>) {
    let echo = Echo::new();
    // What is done once in a process is done before.
    let mut out = encode(&echo, Vec::new());
    out.clear();
    (echo, out)
}

/// The frame of an echo, without its line end.
pub(crate) fn to_decode() -> Vec<u8> {
    let mut line = encode(&Echo::new(), Vec::new());
    line.pop();
    decode(&Frame::parse(&line).expect("a frame"));
    line
}
