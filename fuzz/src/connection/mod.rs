//! A client's and a server's connection on plain links, in any order of what an owner may do
//! (`PROTOCOL.md` §7 and §12): bytes in any pieces, calls, answers, time, sessions that lose their link,
//! and frames of a hostile end that play with numbers.
//!
//! An input's first byte is the setting, see `setting`. What follows are [`steps`]. Afterwards both
//! ends are closed, and every call must have ended.

mod end;
pub mod frames;
pub mod seeds;
mod setting;
pub mod steps;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use protocol_core::CloseReason;
use protocol_core::codec::Plain;
use protocol_core::connection::{Role, SessionTerms, Transplant};
use protocol_core::wire::{ErrorCode, WireError};

use crate::script::Script;
use end::End;
use setting::Setting;

/// Any time; nothing depends on it.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Times that pass, and that calls may take.
const TIMES: [Duration; 8] = [
    Duration::from_millis(1),
    Duration::from_millis(150),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(11),
    Duration::from_secs(46),
    Duration::from_mins(5),
    Duration::from_mins(11),
];

/// Rounds in which two ends that close must be through: each moves at least one byte or deadline.
const ROUNDS: usize = 2_000;

struct World {
    now: Instant,
    setting: Setting,
    client: End,
    server: End,
    calls: u32,
}

/// Checks the laws of connections; returns how many calls were answered.
pub fn run(input: &[u8]) -> usize {
    let mut script = Script::new(input);
    let setting = Setting(script.byte().unwrap_or_default());
    let now = *START;
    let mut world = World {
        now,
        setting,
        client: End::new(Role::Client, setting.limits(Role::Client), now),
        server: End::new(Role::Server, setting.limits(Role::Server), now),
        calls: 0,
    };
    if setting.has_session() {
        world.begin(Role::Server, 0);
        world.begin(Role::Client, 0);
    }
    while let Some(step) = script.byte() {
        world.step(step, &mut script);
        world.check();
    }
    world.end();
    let ends = [&world.client, &world.server];
    let waiters = ends.into_iter().flat_map(|end| &end.waiters);
    waiters
        .filter(|waiter| waiter.is_done.load(Ordering::Relaxed))
        .count()
}

impl World {
    fn ends(&mut self, role: Role) -> (&mut End, &mut End) {
        match role {
            Role::Client => (&mut self.client, &mut self.server),
            Role::Server => (&mut self.server, &mut self.client),
        }
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        let role = if step & steps::SERVER == 0 {
            Role::Client
        } else {
            Role::Server
        };
        let now = self.now;
        let (end, _) = self.ends(role);
        match (step & !steps::SERVER) % steps::COUNT {
            steps::ARRIVE => end.arrive(now, script.wide_argument()),
            steps::EVENTS => {
                let most = 1 + script.argument() % 8;
                end.take_events(now, most, script.argument() & 1 != 0);
            }
            steps::ASIDE => end.set_aside(now),
            steps::ANSWER => {
                end.answer(script.argument(), script.argument());
            }
            steps::CALL => {
                let (kind, timeout) = (script.argument(), script.argument());
                self.calls += 1;
                let number = self.calls;
                let (end, _) = self.ends(role);
                end.call(now, number, kind, TIMES[timeout % TIMES.len()]);
            }
            steps::LEAVE => end.leave(script.argument()),
            steps::WRITE => self.write(role, script.wide_argument()),
            steps::BLOCKED => {
                if end.connection.output_len() > 0 && !end.connection.is_down() {
                    end.connection.blocked(now);
                }
            }
            steps::TIME => {
                self.now += TIMES[script.argument() % TIMES.len()];
                self.client.pass_time(self.now);
                self.server.pass_time(self.now);
            }
            steps::END => self.ask_for_end(role, script.argument()),
            steps::BEGIN => self.begin(role, script.argument()),
            steps::CUT => self.cut(),
            steps::LINK => self.link(script),
            steps::HELD => {
                self.calls += 1;
                let number = self.calls;
                self.server.hold(number);
            }
            steps::NOTE => {
                let received = if self.setting.is_hostile() {
                    script.argument() as u64
                } else {
                    self.client.connection.received_frames()
                };
                if !self.client.connection.is_down() {
                    self.server.connection.note_received(received);
                }
            }
            steps::TEND => end.tend(now, script.argument()),
            step => self.attack(step, role, script),
        }
    }

    /// A hostile end sends what it likes.
    fn attack(&mut self, step: u8, role: Role, script: &mut Script<'_>) {
        if !self.setting.is_hostile() {
            return;
        }
        let (end, _) = self.ends(role);
        if step == steps::BYTES {
            let count = script.argument();
            end.arriving.extend_from_slice(script.bytes(count));
        } else {
            let frame = frames::write(script, &end.ids);
            end.arriving.extend_from_slice(&frame);
        }
    }

    fn write(&mut self, role: Role, count: usize) {
        let now = self.now;
        let (end, other) = self.ends(role);
        let (written, is_last) = end.write(now, count);
        for line in written.split(|byte| *byte == b'\n') {
            let id = serde_json::from_slice::<serde_json::Value>(line)
                .ok()
                .and_then(|frame| {
                    let id = frame.get("pass_id").or_else(|| frame.get("request_id"))?;
                    Some(id.as_str()?.to_owned())
                });
            end.ids.extend(id);
        }
        other.arriving.extend_from_slice(&written);
        other.ends |= is_last;
    }

    fn ask_for_end(&mut self, role: Role, how: usize) {
        let is_hostile = self.setting.is_hostile();
        let (end, _) = self.ends(role);
        let connection = &mut end.connection;
        match how % 8 {
            0 => connection.close(),
            1 => connection.drain(),
            2 => connection.stop_taking(),
            3 => {
                connection.input_is_drained();
            }
            4 => connection.abort(),
            5 => connection.broken(CloseReason::PeerClosed),
            6 if is_hostile => connection.input_ended(),
            7 if is_hostile => connection.violated(WireError::new(ErrorCode::BadFrame, "")),
            _ => {}
        }
    }

    /// Of an honest end the terms stay the same: none of it was started anew.
    fn begin(&mut self, role: Role, terms: usize) {
        let is_hostile = self.setting.is_hostile();
        let terms = if is_hostile { terms } else { 0 };
        if !is_hostile && role == Role::Client && !self.server.connection.has_session() {
            // A client hears of a session from a server that has begun it.
            return;
        }
        let (mine, far) = match role {
            Role::Client => ("c1", "s1"),
            Role::Server => ("s1", "c1"),
        };
        let now = self.now;
        let (end, _) = self.ends(role);
        let far = [Some(far), None, Some("x"), Some(far)][terms % 4];
        let terms = SessionTerms {
            inc: mine.into(),
            far_inc: far.map(Into::into),
            // A client's life is known to its server, which says its own.
            stamp: ((role == Role::Server) != (terms & 4 != 0)).then(|| mine.into()),
        };
        end.connection.begin_session(now, terms, None);
    }

    /// The link is lost: a session goes on without it, all else ends.
    fn cut(&mut self) {
        for end in [&mut self.client, &mut self.server] {
            end.arriving.clear();
            end.ends = false;
            if end.connection.may_suspend() {
                end.connection.suspend(&CloseReason::PeerClosed);
            } else {
                end.connection.broken(CloseReason::PeerClosed);
            }
        }
    }

    /// Both ends that wait for a link get one, as after a login that says what the client has.
    fn link(&mut self, script: &mut Script<'_>) {
        let (variant, claimed) = (script.argument(), script.argument() as u64);
        let is_waiting = |end: &End| end.connection.is_down() && end.connection.may_suspend();
        if !is_waiting(&self.client) || !is_waiting(&self.server) {
            return;
        }
        let now = self.now;
        let link = || Transplant {
            codec: Box::new(Plain),
            sealed: BytesMut::new(),
            wire: BytesMut::new(),
            plain: BytesMut::new(),
            sent: 0,
        };
        let is_hostile = self.setting.is_hostile();
        self.client.connection.relink(now, link());
        let received = if is_hostile && variant & 1 != 0 {
            claimed
        } else {
            self.client.connection.received_frames()
        };
        let server = &mut self.server.connection;
        if received < server.resumable_from() {
            server.broken(CloseReason::Overflowed);
            self.client.connection.broken(CloseReason::PeerClosed);
            return;
        }
        server.relink(now, link());
        server.resumed(now, received, 0);
        let is_resumed = !is_hostile || variant & 2 == 0;
        let terms = SessionTerms {
            inc: "c1".into(),
            far_inc: Some(if is_resumed { "s1" } else { "s2" }.into()),
            stamp: None,
        };
        let client = &mut self.client.connection;
        client.greeted(now, terms, is_resumed);
    }

    /// What must hold after each step.
    fn check(&self) {
        for end in [&self.client, &self.server] {
            let limits = end.connection.limits();
            // What is admitted may be answered, and what is kept is sent again.
            let most =
                limits.outbound_bytes + limits.delivery.held_bytes + 8 * (limits.frame_out + 1);
            let due = end.connection.output_len();
            assert!(due <= most, "{due} bytes are due, {most} are the most");
        }
        if self.setting.is_hostile() {
            return;
        }
        for (end, other) in [(&self.client, &self.server), (&self.server, &self.client)] {
            let numbers: BTreeSet<_> = end.ran.iter().map(|(number, _)| number).collect();
            assert_eq!(numbers.len(), end.ran.len(), "something is run twice");
            for waiter in &other.waiters {
                if !waiter.is_confirmed_pass || !waiter.is_done.load(Ordering::Relaxed) {
                    continue;
                }
                let mut ran = end
                    .ran
                    .iter()
                    .filter(|(number, _)| *number == waiter.number);
                let how = ran
                    .next()
                    .map(|(_, how)| *how.lock().expect("nobody panicked"));
                assert_eq!(how, Some(Some(true)), "{} is confirmed", waiter.number);
            }
        }
    }

    /// Both ends end, and all their calls.
    fn end(&mut self) {
        for role in [Role::Client, Role::Server] {
            let closes = self.setting.closes();
            let (end, _) = self.ends(role);
            if !closes || end.connection.is_down() {
                end.connection.abort();
            } else {
                end.connection.close();
            }
        }
        for _ in 0..ROUNDS {
            for role in [Role::Client, Role::Server] {
                let now = self.now;
                let (end, other) = self.ends(role);
                // The other end of one that is gone sends no more.
                end.ends |= other.connection.is_closed();
                end.arrive(now, usize::MAX);
                let mut left = ROUNDS;
                while !end.take_events(now, 8, false) && end.answer(0, 0) && left > 0 {
                    left -= 1;
                }
                while end.answer(0, 0) {}
                end.connection.input_is_drained();
                self.write(role, usize::MAX);
            }
            self.check();
            if self.client.connection.is_closed() && self.server.connection.is_closed() {
                self.client.check_end();
                self.server.check_end();
                return;
            }
            let ends = [&self.client, &self.server];
            let due = ends
                .into_iter()
                .filter_map(|end| end.connection.next_deadline());
            self.now = due.min().unwrap_or(self.now).max(self.now);
            self.client.pass_time(self.now);
            self.server.pass_time(self.now);
        }
        panic!(
            "they do not end: {:?} {:?}",
            self.client.connection, self.server.connection
        );
    }
}
