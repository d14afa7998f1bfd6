//! Two ends on one network, and what must hold at every moment.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol_core::connection::{Expects, Mode, OutgoingCall, Role, Waiter};
use protocol_core::wire::{self, FrameType};
use protocol_core::{CloseReason, Limits};

use crate::ends::{Made, Node, Probe, Seen, admit, head};
use crate::network::{Pipe, Random};

/// How long a script runs, in virtual milliseconds, before both ends are closed.
const SCRIPT_MS: u64 = 4_000;

/// By then every limit of the connection has passed.
const END_MS: u64 = 100_000;

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) now: u64,
    pub(crate) nodes: [Node; 2],
    /// `pipes[n]` is what node `n` writes.
    pub(crate) pipes: [Pipe; 2],
    pub(crate) trace: String,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let start = Instant::now();
        let mut limits = |mut limits: Limits| {
            limits.outbound_bytes = 200 + random.upto(3_000);
            limits.open_calls = 1 + random.upto(8);
            limits.queued_events = random.upto(6);
            limits.frame_timeout = Duration::from_millis(500 + random.below(10_000));
            limits.write_stall = Duration::from_millis(500 + random.below(10_000));
            limits
        };
        let nodes = [
            Node::new(Role::Server, limits(Limits::server()), start),
            Node::new(Role::Client, limits(Limits::client()), start),
        ];
        let pipes = [(); 2].map(|()| Pipe {
            capacity: 50 + random.upto(2_000),
            ..Pipe::default()
        });
        Self {
            random,
            now: 0,
            nodes,
            pipes,
            trace: String::new(),
        }
    }

    pub(crate) fn note(&mut self, node: usize, text: &str) {
        writeln!(self.trace, "{} {node} {text}", self.now).unwrap();
    }

    pub(crate) fn run(&mut self) {
        while self.now < SCRIPT_MS {
            for node in 0..2 {
                self.act(node);
            }
            self.misfortune();
            let step = self.random.below(60);
            self.advance_to(self.now + step);
        }
        for node in 0..2 {
            self.nodes[node].connection.close();
            self.note(node, "closes");
        }
        self.advance_to(END_MS);
        for node in &self.nodes {
            assert!(node.connection.is_closed(), "an end never closes");
            assert!(!node.connection.has_open_calls());
            for call in &node.calls {
                assert_eq!(call.waiter.ends().len(), 1, "call {}", call.number);
            }
        }
    }

    /// Something that this end's program does.
    pub(crate) fn act(&mut self, node: usize) {
        let what = self.random.below(8);
        let timeout = 1 + self.random.below(3_000);
        let size = self.random.upto(120);
        let at = &mut self.nodes[node];
        let connection = &mut at.connection;
        if connection.is_output_full() || connection.is_muted() {
            return;
        }
        let number = at.sent + 1;
        let (expects, kind) = match what {
            0 | 1 => {
                at.sent = number;
                let mut frame = head(FrameType::Pass, number, size);
                wire::write_tail(&mut frame, FrameType::Pass, None);
                connection.send_frame(&frame);
                return;
            }
            2 => (Expects::Acknowledgement, FrameType::ConfirmPass),
            3 | 4 => (Expects::Response, FrameType::Request),
            _ => return,
        };
        if !connection.has_room_for_call() {
            return;
        }
        at.sent = number;
        let waiter = Arc::<Probe>::default();
        let call = OutgoingCall {
            start: head(kind, number, size),
            expects,
            from: None,
            timeout: Duration::from_millis(timeout),
            deadline: None,
            waiter: Arc::clone(&waiter) as Arc<dyn Waiter>,
        };
        connection.send_call(at.now, call);
        at.calls.push(Made {
            number,
            deadline: self.now + timeout,
            waiter,
        });
        self.note(node, &format!("calls {number}"));
    }

    /// Something that happens to the network, or an end that has enough.
    pub(crate) fn misfortune(&mut self) {
        let node = self.random.upto(1);
        match self.random.below(400) {
            0..20 => {
                let until = self.now + self.random.below(4_000);
                self.pipes[node].stalled_until = until;
                self.note(node, "stalls");
            }
            20 => {
                for pipe in &mut self.pipes {
                    pipe.travelling.clear();
                    pipe.held = 0;
                    pipe.capacity = 0;
                }
                for node in &mut self.nodes {
                    node.reset = true;
                }
                self.note(node, "is reset");
            }
            21 => {
                self.pipes[node].ended.get_or_insert(self.now);
                self.note(node, "is cut off");
            }
            22 => {
                self.nodes[node].connection.close();
                self.note(node, "closes");
            }
            23 => {
                self.nodes[node].connection.drain();
                self.note(node, "drains");
            }
            24 => {
                self.nodes[node].connection.abort();
                self.pipes[node].ended.get_or_insert(self.now);
                self.note(node, "aborts");
            }
            _ => {}
        }
    }

    /// Lets time pass up to `target`, stopping wherever something is due.
    pub(crate) fn advance_to(&mut self, target: u64) {
        let mut visits = 0;
        loop {
            self.pump();
            self.check();
            if self.now >= target {
                return;
            }
            let due = self.next_time().map_or(target, |at| at.min(target));
            visits += 1;
            assert!(visits < 100_000, "time stands still");
            self.now = due.max(self.now + 1);
            for node in &mut self.nodes {
                node.now = node.start + Duration::from_millis(self.now);
            }
        }
    }

    pub(crate) fn next_time(&self) -> Option<u64> {
        let pipes = self
            .pipes
            .iter()
            .filter_map(|pipe| pipe.next_time(self.now));
        let nodes = self.nodes.iter().flat_map(|node| {
            let deadline = node.connection.next_deadline().map(|at| {
                let ms = at.saturating_duration_since(node.start).as_millis();
                u64::try_from(ms).unwrap()
            });
            [deadline, node.handler.as_ref().map(|(_, at)| *at)]
        });
        pipes.chain(nodes.flatten()).min()
    }

    /// Both drivers' turns, until neither has anything left to do.
    pub(crate) fn pump(&mut self) {
        let mut rounds = 0;
        while self.turn(0) | self.turn(1) {
            rounds += 1;
            assert!(rounds < 10_000, "the ends never come to rest");
        }
    }

    /// One turn of a driver; whether anything happened.
    pub(crate) fn turn(&mut self, node: usize) -> bool {
        let due = self.nodes[node].connection.next_deadline();
        if due.is_some_and(|due| due <= self.nodes[node].now) {
            let now = self.nodes[node].now;
            self.nodes[node].connection.handle_timeout(now);
        }
        let read = self.read(node);
        let handled = self.handle(node);
        let wrote = self.write(node);
        read || handled || wrote
    }

    pub(crate) fn read(&mut self, node: usize) -> bool {
        let at = &mut self.nodes[node];
        let connection = &mut at.connection;
        if at.reset && !std::mem::replace(&mut at.reset_told, true) {
            connection.broken(reset());
            return true;
        }
        let held = at.handler.is_some();
        if !connection.wants_read() || (held && !connection.has_open_calls()) {
            connection.pause_input();
            return false;
        }
        if held {
            connection.set_aside(at.now, |_| Ok(()));
        }
        let most = 1 + self.random.upto(300);
        let pipe = &mut self.pipes[1 - node];
        let bytes = pipe.read(self.now, most);
        if bytes.is_empty() {
            if pipe.takes_end(self.now) {
                connection.input_ended();
                return true;
            }
            // More may be on its way that the drain still answers.
            return self.random.one_in(30) && connection.input_is_drained();
        }
        connection.read_buffer().extend_from_slice(&bytes);
        connection.received();
        if held {
            connection.set_aside(at.now, |_| Ok(()));
        }
        true
    }

    pub(crate) fn handle(&mut self, node: usize) -> bool {
        let mut happened = false;
        loop {
            if let Some((seen, until)) = &self.nodes[node].handler {
                if *until > self.now {
                    return happened;
                }
                let seen = seen.clone();
                self.nodes[node].handler = None;
                self.reply(node, &seen);
            }
            let at = &mut self.nodes[node];
            let Some(seen) = at.connection.next_event(at.now, admit) else {
                return happened;
            };
            happened = true;
            let number = seen.number;
            self.note(node, &format!("handles {number}"));
            let at = &mut self.nodes[node];
            assert!(
                number > at.handled,
                "{number} is handled after {}",
                at.handled
            );
            at.handled = number;
            let work = if self.random.one_in(4) {
                self.random.below(400)
            } else {
                0
            };
            self.nodes[node].handler = Some((seen, self.now + work));
        }
    }

    pub(crate) fn reply(&mut self, node: usize, seen: &Seen) {
        let answer = match seen.mode {
            Mode::Request => seen.number.to_string(),
            Mode::Pass | Mode::ConfirmPass | Mode::Reply => String::new(),
        };
        let connection = &mut self.nodes[node].connection;
        connection.answer(&seen.exchange, Ok(answer.as_bytes()));
    }

    pub(crate) fn write(&mut self, node: usize) -> bool {
        let delay = self.random.below(80);
        let most = 1 + self.random.upto(500);
        let at = &mut self.nodes[node];
        let now = at.now;
        let connection = &mut at.connection;
        let output = connection.output();
        if !output.is_empty() {
            let piece = &output[..output.len().min(most)];
            let count = self.pipes[node].write(piece, self.now + delay);
            if count == 0 {
                connection.blocked(now);
                return false;
            }
            connection.written(count);
            return true;
        }
        if connection.wants_shutdown() {
            connection.shut_down(now);
            self.pipes[node].ended.get_or_insert(self.now + delay);
            return true;
        }
        false
    }

    pub(crate) fn check(&mut self) {
        for at in 0..2 {
            let node = &self.nodes[at];
            let limits = node.connection.limits();
            // One frame may stand on top of a full output.
            assert!(node.connection.output_len() < limits.outbound_bytes + 1_000);
            // The network is slow, not wrong.
            if let Some(CloseReason::Violated(error) | CloseReason::RefusedByPeer(error)) =
                node.connection.close_reason()
            {
                assert_eq!(error.code, "timeout");
            }
            let mut ended = Vec::new();
            for call in &node.calls {
                let ends = call.waiter.ends();
                assert!(ends.len() <= 1, "call {} ends twice", call.number);
                match ends.first() {
                    None => assert!(self.now < call.deadline, "call {} is late", call.number),
                    Some(end) => {
                        if end == "timed out" {
                            assert!(self.now >= call.deadline, "call {} is hasty", call.number);
                        }
                        if let Some(data) = end.strip_prefix("done ") {
                            let answer = call.number.to_string();
                            assert!(data == answer || data == "null", "{data}, not {answer}");
                        }
                        ended.push(format!("call {}: {end}", call.number));
                    }
                }
            }
            let line = ended.len().to_string();
            if !ended.is_empty() {
                self.note(at, &line);
            }
        }
    }
}

fn reset() -> CloseReason {
    CloseReason::Io {
        kind: std::io::ErrorKind::ConnectionReset,
        message: "reset".to_owned(),
    }
}
