//! Streams of confirmed passes between one sender and three ends (`PROTOCOL.md` §12), in any order of
//! events: loss, repetition, time, restarts, and forgeries.
//!
//! An input's first byte is the setting: which limits hold, and which ends understand numbers. What
//! follows are [`steps`]. Afterwards the network is made whole, and everything must settle.

mod end;
mod laws;
pub mod seeds;
pub mod steps;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use protocol_core::PeerId;
use protocol_core::connection::DeliveryLimits;
use protocol_core::connection::delivery::{Ended, Pass, Processed, Sender};
use protocol_core::wire::{ErrorCode, MAX_SEQ, WireError};
use uuid::Uuid;

use crate::script::Script;
use end::{End, Result};

/// Any time; nothing depends on it.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Times that pass.
const TIMES: [Duration; 10] = [
    Duration::from_millis(1),
    Duration::from_millis(99),
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(29),
    Duration::from_secs(31),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(11),
];

/// How long a pass may take.
const DEADLINES: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_secs(1),
    Duration::from_secs(30),
    Duration::from_mins(2),
];

/// Frames and answers under way; more would only be slower.
const MOST: usize = 64;

struct Frame {
    to: usize,
    pass: u32,
    dest_inc: Option<String>,
    seq: u64,
    base: Option<u64>,
}

#[derive(Clone)]
struct Answer {
    /// None where it is the relay's.
    from: Option<PeerId>,
    pass: u32,
    says: std::result::Result<Processed, WireError>,
}

/// What became of a pass at its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Its waiter was told.
    Ended,
    /// Nobody awaits it, or it is no longer the streams'.
    Left,
}

struct World {
    now: Instant,
    sender: Sender<u32>,
    ends: [End; 3],
    /// To which end each is.
    passes: Vec<(usize, State)>,
    deadlines: Vec<Instant>,
    /// Since when the network is whole.
    whole_since: Option<Instant>,
    frames: Vec<Frame>,
    answers: Vec<Answer>,
    is_honest: bool,
    ended: Vec<(u32, Ended)>,
    confirmed: usize,
}

/// Checks the laws of streams; returns how many passes were confirmed.
pub fn run(input: &[u8]) -> usize {
    let mut script = Script::new(input);
    let setting = script.byte().unwrap_or_default();
    let mut world = World::new(setting);
    while let Some(step) = script.byte() {
        world.step(step % steps::COUNT, &mut script);
        world.check();
    }
    world.settle();
    world.confirmed
}

impl World {
    fn new(setting: u8) -> Self {
        let mut limits = DeliveryLimits::default();
        if setting & 1 != 0 {
            (limits.window_events, limits.window_bytes) = (2, 100);
            (limits.answers, limits.answers_bytes) = (2, 100);
            limits.streams = 2;
        }
        let peer = |name| Some(PeerId::new(name).expect("a peer id"));
        let mut sender = Sender::new(limits);
        let server = End::new(None, true, limits);
        sender.pin(None);
        sender.learn(None, Some(&server.life()), |_, _| {});
        Self {
            now: *START,
            sender,
            ends: [
                server,
                End::new(peer("alice"), setting & 2 == 0, limits),
                End::new(peer("bob"), setting & 4 == 0, limits),
            ],
            passes: Vec::new(),
            deadlines: Vec::new(),
            whole_since: None,
            frames: Vec::new(),
            answers: Vec::new(),
            is_honest: true,
            ended: Vec::new(),
            confirmed: 0,
        }
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step {
            steps::CONFIRM => self.confirm(script),
            steps::TRANSMIT => self.transmit(1 + script.argument()),
            steps::DELIVER => {
                if let Some(frame) = taken(&mut self.frames, script) {
                    self.deliver(&frame);
                }
            }
            steps::REPEAT => {
                if let Some(frame) = taken(&mut self.frames, script) {
                    self.deliver(&frame);
                    self.frames.push(frame);
                }
            }
            steps::LOSE => drop(taken(&mut self.frames, script)),
            steps::REFUSE => {
                let codes = [
                    ErrorCode::PeerReconnecting,
                    ErrorCode::PeerSlow,
                    ErrorCode::Busy,
                    ErrorCode::ShuttingDown,
                ];
                let frame = taken(&mut self.frames, script);
                let code = codes[script.argument() % codes.len()];
                if let Some(frame) = frame {
                    self.answer(None, frame.pass, Err(WireError::new(code, "")));
                }
            }
            steps::PROCESS => {
                let end = script.argument() % 3;
                let how = [Result::Done, Result::Refused, Result::Later];
                self.process(end, how[script.argument() % 3]);
            }
            steps::ANSWER => {
                if let Some(answer) = taken(&mut self.answers, script) {
                    self.answered(answer);
                }
            }
            steps::ANSWER_TWICE => {
                if let Some(answer) = taken(&mut self.answers, script) {
                    self.answered(answer.clone());
                    self.answers.push(answer);
                }
            }
            steps::CUT => self.cut(),
            steps::TIME => self.pass_time(TIMES[script.argument() % TIMES.len()]),
            steps::RESTART => self.restart(script.argument() % 3),
            steps::LEAVE => self.leave(script),
            steps::FORGE_ACK | steps::FORGE_REFUSAL => self.forge(step, script),
            steps::STRAY => {
                let end = script.argument() % 3;
                let seq = number(script).max(1);
                let base = Some(number(script)).filter(|base| *base > 0);
                self.ends[end].stray(self.now, seq, base);
            }
            steps::ASK => {
                let end = script.argument() % 3;
                let (id, seq) = (script.argument() % 8, number(script).max(1));
                self.ends[end].ask(self.now, id, seq, script.argument() as u64 % 2);
            }
            _ => {
                let end = script.argument() % 3;
                let answer = script.argument();
                self.ends[end].reply(self.now, (answer < 250).then_some(answer));
            }
        }
    }

    fn confirm(&mut self, script: &mut Script<'_>) {
        let to = script.argument() % 3;
        let dest = self.ends[to].peer.clone();
        let start = vec![b'x'; script.argument()];
        let deadline = self.now + DEADLINES[script.argument() % DEADLINES.len()];
        let waiter = u32::try_from(self.passes.len()).expect("few passes");
        let pass = Pass {
            id: Uuid::from_u128(waiter.into()),
            start,
            deadline,
            waiter,
        };
        let is_taken = self.sender.confirm(dest.as_ref(), pass).is_ok();
        let state = if is_taken { State::Open } else { State::Left };
        self.passes.push((to, state));
        self.deadlines.push(deadline);
    }

    fn transmit(&mut self, mut room: usize) {
        let (frames, passes) = (&mut self.frames, &self.passes);
        self.sender.transmit(self.now, |sent| {
            let pass = u32::try_from(sent.id.as_u128()).expect("one of ours");
            assert!(sent.base.is_none_or(|base| base == sent.seq));
            if frames.len() < MOST {
                frames.push(Frame {
                    to: passes[pass as usize].0,
                    pass,
                    dest_inc: sent.dest_inc.map(str::to_owned),
                    seq: sent.seq,
                    base: sent.base,
                });
            }
            room -= 1;
            room > 0
        });
    }

    /// A frame arrives, at a relay or at its end.
    fn deliver(&mut self, frame: &Frame) {
        let end = &mut self.ends[frame.to];
        let from = end.peer.clone();
        let life = end.takes_numbers.then(|| end.life());
        if life.is_none() || frame.dest_inc != life {
            let error = WireError::stale_dest(life.as_deref());
            self.answer(None, frame.pass, Err(error));
        } else if let Some(says) = end.take(self.now, frame.pass, frame.seq, frame.base) {
            self.answer(from, frame.pass, says);
        }
    }

    fn process(&mut self, end: usize, how: Result) {
        let from = self.ends[end].peer.clone();
        if let Some((pass, says)) = self.ends[end].process(self.now, how) {
            self.answer(from, pass, says);
        }
    }

    fn answer(
        &mut self,
        from: Option<PeerId>,
        pass: u32,
        says: std::result::Result<Processed, WireError>,
    ) {
        if self.answers.len() < MOST {
            self.answers.push(Answer { from, pass, says });
        }
    }

    fn answered(&mut self, answer: Answer) {
        let Answer { from, pass, says } = answer;
        let (ended, now) = (&mut self.ended, self.now);
        let mut end = |pass, how| ended.push((pass, how));
        match says {
            Ok(Processed { ack, since, error }) => {
                let sender = &mut self.sender;
                sender.acknowledged(now, from.as_ref(), ack, since, error, &mut end);
            }
            Err(error) => {
                let id = Uuid::from_u128(pass.into());
                let of = self
                    .sender
                    .refused(now, from.as_ref(), id, &error, &mut end);
                if let Some(of) = of {
                    for pass in self.sender.take_unnumbered(of.as_ref()) {
                        self.passes[pass.waiter as usize].1 = State::Left;
                    }
                }
            }
        }
    }

    fn cut(&mut self) {
        self.frames.clear();
        self.answers.clear();
        self.sender.send_again(self.now);
    }

    fn pass_time(&mut self, time: Duration) {
        self.now += time;
        let (ended, now) = (&mut self.ended, self.now);
        self.sender
            .handle_timeout(now, |pass, how| ended.push((pass, how)));
        let due = self.sender.next_deadline();
        assert!(due.is_none_or(|due| due > now), "it would be due for ever");
    }

    fn restart(&mut self, end: usize) {
        self.ends[end].restart();
        if self.ends[end].peer.is_none() {
            // A server says its life at each login.
            let (ended, life) = (&mut self.ended, self.ends[end].life());
            self.sender
                .learn(None, Some(&life), |pass, how| ended.push((pass, how)));
            self.cut();
        }
    }

    fn leave(&mut self, script: &mut Script<'_>) {
        if self.passes.is_empty() {
            return;
        }
        let place = script.argument() % self.passes.len();
        self.sender.sweep(|pass| *pass as usize == place);
        if self.passes[place].1 == State::Open {
            self.passes[place].1 = State::Left;
        }
    }

    fn forge(&mut self, step: u8, script: &mut Script<'_>) {
        self.is_honest = false;
        let from = self.ends[script.argument() % 3].peer.clone();
        let errors = [
            None,
            Some(WireError::expect(7)),
            Some(WireError::stale_dest(None)),
            Some(WireError::stale_dest(Some("l1"))),
            Some(WireError::new(ErrorCode::Busy, "")),
            Some(WireError::new(ErrorCode::Expired, "")),
            Some(WireError::new(ErrorCode::PeerNotFound, "")),
            Some(WireError::new(ErrorCode::PeerGone, "")),
            Some(WireError::new(ErrorCode::NotLoggedIn, "")),
        ];
        let (ack, since) = (number(script), number(script));
        let error = errors[script.argument() % errors.len()].clone();
        let pass = u32::try_from(script.argument() % self.passes.len().max(1)).unwrap_or(0);
        let says = match error {
            Some(error) if step == steps::FORGE_REFUSAL => Err(error),
            error => Ok(Processed {
                ack,
                since: Some(since).filter(|since| *since > 0),
                error,
            }),
        };
        self.answered(Answer { from, pass, says });
    }
}

/// Takes one of several things that are under way.
fn taken<T>(under_way: &mut Vec<T>, script: &mut Script<'_>) -> Option<T> {
    let place = script.argument();
    (!under_way.is_empty()).then(|| under_way.remove(place % under_way.len()))
}

/// A number of a stream: a low one, or one of the highest.
fn number(script: &mut Script<'_>) -> u64 {
    let byte = script.argument() as u64;
    if byte < 250 {
        byte
    } else {
        MAX_SEQ - (255 - byte)
    }
}
