//! The state machine on virtual time, without I/O: what it says, when, and how it ends.

mod alone;
mod aside;
mod calls;
mod early;
mod ending;
mod frames;
mod outbox;
mod paces;
mod pairs;
mod relays;
#[cfg(feature = "noise")]
mod sealed;
mod stalled;
mod strangers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{
    Connection, Exchange, Expects, IdSource, Incoming, Limits, Mode, Outcome, OutgoingCall, Role,
    SessionTerms, Waiter,
};
use crate::codec::Plain;
use crate::ids::PeerId;
use crate::wire::{self, ErrorCode, FrameType, WireError};

/// The events that these tests know.
const NAMES: &[&str] = &["wave", "note", "ask"];

/// A waiter that remembers how its call ended, as often as it is told.
#[derive(Default)]
struct Probe {
    ends: Mutex<Vec<String>>,
    abandoned: AtomicBool,
}

impl Probe {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn ends(&self) -> Vec<String> {
        self.ends.lock().unwrap().clone()
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
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
            Outcome::Rejected(error) => format!("refused {}", error.code),
            Outcome::Unknown(error) => format!("unknown: {}", error.code),
        };
        self.ends.lock().unwrap().push(end);
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

/// The bounds of a queue.
fn limits(outbound_events: usize, outbound_bytes: usize) -> Limits {
    Limits {
        outbound_events,
        outbound_bytes,
        ..Limits::server()
    }
}

/// An event as a handler would see it.
#[derive(Debug, Clone)]
struct Seen {
    exchange: Exchange,
    data: String,
}

fn admit(incoming: &Incoming<'_>) -> Result<Seen, WireError> {
    let name = NAMES.iter().find(|name| **name == incoming.name);
    let Some(name) = name else {
        return Err(WireError::new(ErrorCode::UnknownEvent, "no such event"));
    };
    let from = incoming.from.map(|from| PeerId::new(from).unwrap());
    Ok(Seen {
        exchange: Exchange::new(incoming, name, from),
        data: incoming.data.as_str().to_owned(),
    })
}

/// One end of a link, its clock and the bytes that it would write.
struct End {
    connection: Connection,
    start: Instant,
    now: Instant,
    /// Answers to other peers that went on beside a handler.
    replies: Vec<String>,
}

impl End {
    fn new(role: Role, limits: Limits) -> Self {
        let now = Instant::now();
        let ids = IdSource::new(7, now, 1_750_000_000_000);
        Self {
            connection: Connection::new(role, limits, Box::new(Plain), ids),
            start: now,
            now,
            replies: Vec::new(),
        }
    }

    fn server() -> Self {
        Self::new(Role::Server, Limits::server())
    }

    fn client() -> Self {
        Self::new(Role::Client, Limits::client())
    }

    fn server_with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::server();
        change(&mut limits);
        Self::new(Role::Server, limits)
    }

    /// Moves the clock to so many milliseconds after the start, without telling the connection.
    fn clock(&mut self, ms: u64) {
        self.now = self.at(ms);
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// Moves the clock and lets the connection end what is due.
    fn pass_time(&mut self, ms: u64) {
        self.clock(ms);
        self.connection.handle_timeout(self.now);
    }

    fn feed(&mut self, bytes: impl AsRef<[u8]>) {
        self.connection
            .read_buffer()
            .extend_from_slice(bytes.as_ref());
        self.connection.received();
    }

    fn next(&mut self) -> Option<Seen> {
        self.connection.next_event(self.now, admit)
    }

    fn set_aside(&mut self) {
        let replies = &mut self.replies;
        self.connection.set_aside(self.now, |incoming| {
            replies.push(incoming.id.to_owned());
            Ok(())
        });
    }

    /// The data of all events that can be handled now.
    fn events(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next())
            .map(|seen| seen.data)
            .collect()
    }

    fn answer(&mut self, seen: &Seen, data: &str) {
        self.connection.answer(&seen.exchange, Ok(data.as_bytes()));
    }

    /// Starts a request or a confirmed pass.
    fn call(&mut self, expects: Expects, timeout_ms: u64) -> Arc<Probe> {
        let waiter = Probe::new();
        let call = call(&waiter, expects, timeout_ms);
        self.connection.send_call(self.now, call);
        waiter
    }

    /// Starts a request to another peer.
    fn call_peer(&mut self, peer: &str, timeout_ms: u64) -> Arc<Probe> {
        let waiter = Probe::new();
        let mut call = call(&waiter, Expects::Response, timeout_ms);
        call.from = Some(PeerId::new(peer).unwrap());
        self.connection.send_call(self.now, call);
        waiter
    }

    /// Writes everything that is due.
    fn written(&mut self) -> String {
        let output = self.connection.output().to_vec();
        self.connection.written(output.len());
        String::from_utf8(output).unwrap()
    }

    /// Writes everything that is due and returns the id of its only frame.
    fn id_of_call(&mut self) -> String {
        let output = self.written();
        assert_eq!(output.matches('\n').count(), 1, "{output}");
        ids(&output).remove(0)
    }

    /// Writes what is due and shuts the sending half, as a driver does.
    fn shut(&mut self) {
        let _ = self.written();
        assert!(self.connection.wants_shutdown());
        self.connection.shut_down(self.now);
    }
}

fn call(waiter: &Arc<Probe>, expects: Expects, timeout_ms: u64) -> OutgoingCall {
    let kind = match expects {
        Expects::Acknowledgement => FrameType::ConfirmPass,
        Expects::Response => FrameType::Request,
    };
    let mut start = Vec::new();
    wire::write_head(&mut start, kind, None, None, "ask");
    start.extend_from_slice(b"1");
    OutgoingCall {
        start,
        expects,
        from: None,
        timeout: Duration::from_millis(timeout_ms),
        deadline: None,
        waiter: Arc::clone(waiter) as Arc<dyn Waiter>,
    }
}

/// The ids of the frames in `output`, in their order.
fn ids(output: &str) -> Vec<String> {
    output
        .split("_id\":\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

fn request(data: &str, id: &str) -> String {
    format!("{{\"type\":\"request\",\"name\":\"ask\",\"data\":{data},\"request_id\":\"{id}\"}}\n")
}

fn pass(data: &str) -> String {
    format!("{{\"type\":\"pass\",\"name\":\"wave\",\"data\":{data}}}\n")
}

fn response(data: &str, id: &str) -> String {
    format!("{{\"type\":\"response\",\"name\":\"ask\",\"data\":{data},\"request_id\":\"{id}\"}}\n")
}

fn acknowledgement(id: &str) -> String {
    format!("{{\"type\":\"confirm_pass\",\"pass_id\":\"{id}\"}}\n")
}

/// The code of the one `protocol_error` that `output` ends with.
fn last_word(output: &str) -> &str {
    let opening = r#"{"type":"pass","name":"protocol_error","data":{"code":""#;
    let lines: Vec<_> = output.lines().collect();
    let words = lines
        .iter()
        .filter(|line| line.starts_with(opening))
        .count();
    assert_eq!(words, 1, "{output}");
    let last = lines.last().unwrap().strip_prefix(opening).unwrap();
    last.split('"').next().unwrap()
}
