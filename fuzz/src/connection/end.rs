//! One end: its connection, who waits for its calls, and the events that are not answered yet.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use protocol_core::codec::Plain;
use protocol_core::connection::{
    Connection, Exchange, Expects, IdSource, Incoming, Mode, Outcome, OutgoingCall, Role, Waiter,
};
use protocol_core::wire::{ErrorCode, FrameType, WireError, decode_data, write_data, write_head};
use protocol_core::{Limits, PeerId};

/// Events that are not answered yet; the owner of a connection has bounds of its own.
const MOST_HANDLED: usize = 4;

/// Who waits for a call.
#[derive(Default)]
pub(super) struct Waiting {
    completed: AtomicUsize,
    /// Whether it was said to be done.
    pub(super) is_done: AtomicBool,
    left: AtomicBool,
    pub(super) is_confirmed_pass: bool,
    pub(super) number: u32,
}

impl Waiter for Waiting {
    fn complete(&self, outcome: Outcome<'_>) {
        let before = self.completed.fetch_add(1, Ordering::Relaxed);
        assert_eq!(before, 0, "{} ends twice: {outcome:?}", self.number);
        self.is_done
            .store(matches!(outcome, Outcome::Done(_)), Ordering::Relaxed);
    }

    fn is_abandoned(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }
}

pub(super) struct End {
    pub(super) connection: Connection,
    pub(super) role: Role,
    /// Bytes that the other end wrote.
    pub(super) arriving: Vec<u8>,
    /// The other end writes no more.
    pub(super) ends: bool,
    pub(super) waiters: Vec<Arc<Waiting>>,
    handled: Vec<(Exchange, Option<u32>)>,
    /// Numbers of calls of the other end whose handlers ran, and whether they were done.
    pub(super) ran: Vec<(u32, Arc<Mutex<Option<bool>>>)>,
    /// Ids that were written.
    pub(super) ids: Vec<String>,
}

impl End {
    pub(super) fn new(role: Role, limits: Limits, now: Instant) -> Self {
        let ids = IdSource::new(role as u128 + 1, now, 0);
        Self {
            connection: Connection::new(role, limits, Box::new(Plain), ids),
            role,
            arriving: Vec::new(),
            ends: false,
            waiters: Vec::new(),
            handled: Vec::new(),
            ran: Vec::new(),
            ids: Vec::new(),
        }
    }

    pub(super) fn arrive(&mut self, now: Instant, count: usize) {
        if !self.connection.wants_read() {
            return;
        }
        let count = count.min(self.arriving.len());
        let bytes = self.arriving.drain(..count);
        self.connection.read_buffer().extend(bytes);
        self.connection.received();
        self.connection.heard(now);
        if self.ends && self.arriving.is_empty() {
            self.ends = false;
            self.connection.input_ended();
        }
    }

    /// Takes events; whether all that there are were taken.
    pub(super) fn take_events(&mut self, now: Instant, most: usize, refuses: bool) -> bool {
        for _ in 0..most {
            if self.handled.len() >= MOST_HANDLED {
                return false;
            }
            let role = self.role;
            let event = self
                .connection
                .next_event(now, |event| admit(role, event, refuses));
            match event {
                None => return true,
                Some(None) => {}
                Some(Some((exchange, number))) => {
                    self.handled.push((exchange, number));
                    if let Some(number) = number {
                        self.ran.push((number, Arc::default()));
                    }
                    self.connection.set_handling(self.handled.len());
                }
            }
        }
        false
    }

    pub(super) fn set_aside(&mut self, now: Instant) {
        self.connection.set_aside(now, |_| Err(not_found()));
    }

    /// Answers an event, if there is one.
    pub(super) fn answer(&mut self, place: usize, how: usize) -> bool {
        if self.handled.is_empty() {
            return false;
        }
        let (exchange, number) = self.handled.remove(place % self.handled.len());
        self.connection.set_handling(self.handled.len());
        let error = WireError {
            code: "unwanted".into(),
            message: "x".repeat(how * 8),
            data: None,
        };
        let long = format!("\"{}\"", "y".repeat(how * 8));
        let result = match how % 3 {
            0 => Ok(&b"1"[..]),
            1 => Ok(long.as_bytes()),
            _ => Err(&error),
        };
        let ran = self.ran.iter().rev().find(|(ran, _)| Some(*ran) == number);
        if let Some((_, how)) = ran {
            *how.lock().expect("nobody panicked") = Some(result.is_ok());
        }
        self.connection.answer(&exchange, result);
        true
    }

    /// Sends the call `number`, if there is room.
    pub(super) fn call(&mut self, now: Instant, number: u32, kind: usize, timeout: Duration) {
        if !self.connection.has_room_for_call() || !self.connection.has_room_to_send() {
            return;
        }
        let dest = (kind & 2 != 0 && self.role == Role::Client).then_some("bob");
        let (frame, expects) = if kind & 1 == 0 {
            (FrameType::ConfirmPass, Expects::Acknowledgement)
        } else {
            (FrameType::Request, Expects::Response)
        };
        let mut start = Vec::new();
        write_head(&mut start, frame, dest, None, "n");
        write_data(&mut start, &number).expect("it is JSON");
        let waiter = Arc::new(Waiting {
            is_confirmed_pass: kind.is_multiple_of(4),
            number,
            ..Waiting::default()
        });
        self.waiters.push(Arc::clone(&waiter));
        self.connection.send_call(
            now,
            OutgoingCall {
                start,
                expects,
                from: dest.map(|dest| PeerId::new(dest).expect("a peer id")),
                timeout,
                deadline: None,
                waiter,
            },
        );
    }

    pub(super) fn leave(&mut self, place: usize) {
        if !self.waiters.is_empty() {
            let place = place % self.waiters.len();
            self.waiters[place].left.store(true, Ordering::Relaxed);
            self.connection.sweep_abandoned();
        }
    }

    pub(super) fn hold(&mut self, number: u32) {
        // While there is no link, and where there is no room, it waits in the owner's queue.
        if !self.connection.has_room_to_send() {
            return;
        }
        let mut frame = Vec::new();
        write_head(&mut frame, FrameType::Pass, None, None, "news");
        write_data(&mut frame, &number).expect("it is JSON");
        frame.extend_from_slice(b"}\n");
        self.connection.send_held(&Arc::from(frame));
    }

    /// Writes so many bytes at most; returns them, and whether nothing follows.
    pub(super) fn write(&mut self, now: Instant, count: usize) -> (Vec<u8>, bool) {
        if self.connection.is_down() {
            return (Vec::new(), false);
        }
        let due = self.connection.output();
        let written = due[..count.min(due.len())].to_vec();
        self.connection.written(written.len());
        if self.connection.has_streams_waiting() && self.connection.has_room_to_send() {
            self.connection.transmit(now);
        }
        let mut is_last = false;
        if self.connection.wants_shutdown() {
            self.connection.finish();
            if self.connection.wants_shutdown() {
                self.connection.shut_down(now);
                is_last = true;
            }
        }
        (written, is_last)
    }

    /// Keeps the time.
    pub(super) fn pass_time(&mut self, now: Instant) {
        if self
            .connection
            .next_deadline()
            .is_some_and(|due| due <= now)
        {
            self.connection.handle_timeout(now);
        }
        let due = self.connection.next_deadline();
        assert!(due.is_none_or(|due| due > now), "it would be due for ever");
    }

    pub(super) fn tend(&mut self, now: Instant, how: usize) {
        match how % 3 {
            0 => self.connection.identified(),
            1 => self.connection.expect_heartbeats(now),
            _ => {
                self.connection.give_back_input(drop::<BytesMut>);
                self.connection.give_back_output(drop, drop);
            }
        }
    }

    /// All calls have ended, each once.
    pub(super) fn check_end(&mut self) {
        assert!(self.connection.is_closed() && !self.connection.has_open_calls());
        for waiter in &self.waiters {
            let completed = waiter.completed.load(Ordering::Relaxed);
            assert!(
                completed == 1 || waiter.is_abandoned(),
                "{} did not end",
                waiter.number
            );
        }
        let _ = self.connection.take_memory();
    }
}

fn not_found() -> WireError {
    WireError::new(ErrorCode::PeerNotFound, "nobody has this name")
}

/// What becomes of an event: an exchange where it is for this end, with its number where it is awaited.
type Admitted = Option<(Exchange, Option<u32>)>;

fn admit(role: Role, event: &Incoming<'_>, refuses: bool) -> Result<Admitted, WireError> {
    if role == Role::Server && event.dest.is_some() {
        // A relay keeps nothing of a numbered pass.
        return if refuses { Err(not_found()) } else { Ok(None) };
    }
    if refuses {
        return Err(WireError::new(ErrorCode::Busy, "later"));
    }
    let from = event.from.and_then(|from| PeerId::new(from).ok());
    let number = decode_data(event.data).ok();
    let number = number.filter(|_| matches!(event.mode, Mode::ConfirmPass | Mode::Request));
    Ok(Some((Exchange::new(event, "n", from), number)))
}
