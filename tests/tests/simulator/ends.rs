//! One end: its connection, the handler at work, the calls that it made.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use protocol_core::Limits;
use protocol_core::codec::Plain;
use protocol_core::connection::{
    Connection, Exchange, IdSource, Incoming, Mode, Outcome, Role, Waiter,
};
use protocol_core::wire::{self, ErrorCode, FrameType, WireError};

/// A waiter that remembers how its call ended, as often as it is told.
#[derive(Default)]
pub(crate) struct Probe {
    pub(crate) ends: Mutex<Vec<String>>,
}

impl Probe {
    pub(crate) fn ends(&self) -> Vec<String> {
        self.ends.lock().unwrap().clone()
    }
}

impl Waiter for Probe {
    fn complete(&self, outcome: Outcome<'_>) {
        let end = match outcome {
            Outcome::Done(data) => format!("done {}", data.as_str()),
            Outcome::Refused(error) => format!("refused {}", WireError::parse(error).code),
            Outcome::TimedOut => "timed out".to_owned(),
            Outcome::Lost(reason) => format!("lost: {reason}"),
            Outcome::NotSentInTime => "not sent in time".to_owned(),
            Outcome::NotSent(reason) => format!("not sent: {reason}"),
            other => format!("{other:?}"),
        };
        self.ends.lock().unwrap().push(end);
    }

    fn is_abandoned(&self) -> bool {
        false
    }
}

/// An event that is handled: its number, and what is needed to answer it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) exchange: Exchange,
    pub(crate) mode: Mode,
    pub(crate) number: u64,
}

pub(crate) fn admit(incoming: &Incoming<'_>) -> Result<Seen, WireError> {
    let (number, _) = incoming.data.as_str()[1..].split_once(',').unwrap();
    if incoming.name != "ask" {
        return Err(WireError::new(ErrorCode::UnknownEvent, "no such event"));
    }
    Ok(Seen {
        exchange: Exchange::new(incoming, "ask", None),
        mode: incoming.mode,
        number: number.parse().unwrap(),
    })
}

/// A frame of event `number`, up to the end of its data.
pub(crate) fn head(kind: FrameType, number: u64, size: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    wire::write_head(&mut frame, kind, None, None, "ask");
    write!(frame, "[{number},\"{}\"]", "x".repeat(size)).unwrap();
    frame
}

/// A call that one end made.
pub(crate) struct Made {
    pub(crate) number: u64,
    pub(crate) deadline: u64,
    pub(crate) waiter: Arc<Probe>,
}

/// One end with its handler at work.
pub(crate) struct Node {
    pub(crate) connection: Connection,
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) handler: Option<(Seen, u64)>,
    pub(crate) calls: Vec<Made>,
    pub(crate) sent: u64,
    /// The last event of the other end that was handled.
    pub(crate) handled: u64,
    pub(crate) reset: bool,
    pub(crate) reset_told: bool,
}

impl Node {
    pub(crate) fn new(role: Role, limits: Limits, start: Instant) -> Self {
        let ids = IdSource::new(7, start, 1_750_000_000_000);
        Self {
            connection: Connection::new(role, limits, Box::new(Plain), ids),
            start,
            now: start,
            handler: None,
            calls: Vec::new(),
            sent: 0,
            handled: 0,
            reset: false,
            reset_told: false,
        }
    }
}
