//! The sender of streams: confirmed passes in flight to each destination, sent again until they are
//! settled.
//!
//! Numbers only ever rise, one by one in each stream, and a stream that was forgotten begins again
//! above all that were ever given, so that it repeats none. A frame whose number is the lowest that is open says so, and its receiver may begin
//! there.

mod sent;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use self::sent::After;
use self::stream::Stream;
use crate::connection::Limits;
use crate::ids::PeerId;
use crate::wire::WireError;

/// A confirmed pass that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pass<W> {
    /// Its id.
    pub id: Uuid,
    /// Its frame from the first byte to the end of `data`.
    pub start: Vec<u8>,
    /// When it is reported as unknown.
    pub deadline: Instant,
    /// Who is told how it ended.
    pub waiter: W,
}

/// A confirmed pass as it is sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmission<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its frame from the first byte to the end of `data`.
    pub start: &'a [u8],
    /// Which life of the destination it is for; none where that is not known yet.
    pub dest_inc: Option<&'a str>,
    /// Its number.
    pub seq: u64,
    /// The same number, where all before it is settled.
    pub base: Option<u64>,
}

/// How a confirmed pass ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// It was processed.
    Confirmed,
    /// It was refused.
    Refused(WireError),
    /// No acknowledgement came by its deadline; it may have been processed.
    TimedOut,
    /// Its deadline passed before it was sent.
    NotSentInTime,
    /// It was sent, and nobody will tell whether it was processed.
    Unknown(WireError),
}

/// What is known of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pin {
    /// Nothing yet.
    Unknown,
    /// It has declared no life, so that it understands no numbers.
    Absent,
    /// The life that it is in.
    Life(Box<str>),
}

impl Pin {
    /// The life that a destination has declared.
    pub fn of(inc: Option<&str>) -> Self {
        inc.map_or(Self::Absent, |inc| Self::Life(inc.into()))
    }
}

/// The streams of one process.
#[derive(Debug, Clone, PartialEq)]
pub struct Sender<W> {
    limits: Arc<Limits>,
    /// Boxed, since a map of few keeps room for many.
    streams: BTreeMap<Option<PeerId>, Box<Stream<W>>>,
    /// What is known of the other end itself, which has a stream once something is sent in it.
    far: Pin,
    /// Those that may have something to transmit.
    ready: BTreeSet<Option<PeerId>>,
    /// Where a new stream begins: no number from this one on was given in a stream that was forgotten.
    next: u64,
    /// The last number of a request.
    requests: u64,
    /// Passes whose end somebody awaits.
    open: usize,
    bytes: usize,
    /// Nothing is due before this time.
    due: Option<Instant>,
}

impl<W> Sender<W> {
    /// Has sent nothing yet.
    pub fn new(limits: impl Into<Arc<Limits>>) -> Self {
        let limits = limits.into();
        Self {
            limits,
            streams: BTreeMap::new(),
            far: Pin::Unknown,
            ready: BTreeSet::new(),
            next: 1,
            requests: 0,
            open: 0,
            bytes: 0,
            due: None,
        }
    }

    /// How many passes await their end.
    pub fn open(&self) -> usize {
        self.open
    }

    /// The bytes of all passes that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many passes are sent and not settled.
    pub fn in_flight(&self) -> usize {
        self.streams.values().map(|stream| stream.in_flight()).sum()
    }

    /// The number of the next request.
    pub fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// What is known of a destination; from now on more of it is learned.
    pub fn pin(&mut self, dest: Option<&PeerId>) -> &Pin {
        let dest = dest.cloned();
        if !self.streams.contains_key(&dest) {
            self.forget_idle();
        }
        if self.streams.len() >= self.limits.delivery.streams.max(1)
            && !self.streams.contains_key(&dest)
        {
            return &Pin::Unknown;
        }
        let pin = match &dest {
            None => self.far.clone(),
            Some(_) => Pin::Unknown,
        };
        let stream = self.streams.entry(dest);
        let new = || Box::new(Stream::new(self.next, pin));
        &stream.or_insert_with(new).pin
    }

    /// Whether something was sent to a destination of whose life nothing is known.
    pub fn is_asking(&self, dest: Option<&PeerId>) -> bool {
        let stream = self.streams.get(&dest.cloned());
        stream.is_some_and(|stream| !matches!(stream.pin, Pin::Life(_)))
    }

    /// Takes note of the life that a destination is in. What was sent to an earlier one is unknown
    /// from now on.
    pub fn learn(
        &mut self,
        dest: Option<&PeerId>,
        inc: Option<&str>,
        mut end: impl FnMut(W, Ended),
    ) {
        let pin = Pin::of(inc);
        if dest.is_none() {
            self.far = pin.clone();
        }
        self.with(dest, |stream, after| {
            stream.learn(pin, after, &mut end);
        });
    }

    /// Takes a pass in. It is given back where its destination understands no numbers, or where there
    /// are too many destinations.
    ///
    /// # Errors
    ///
    /// Gives the pass back.
    pub fn confirm(&mut self, dest: Option<&PeerId>, pass: Pass<W>) -> Result<(), Pass<W>> {
        if *self.pin(dest) == Pin::Absent || !self.streams.contains_key(&dest.cloned()) {
            return Err(pass);
        }
        let mut pass = Some(pass);
        self.with(dest, |stream, after| {
            if let Some(pass) = pass.take() {
                after.opened(pass.start.len());
                after.due(pass.deadline);
                stream.waiting.push_back(pass);
                after.is_ready = true;
            }
        });
        pass.map_or(Ok(()), Err)
    }

    /// The destinations that understand no numbers.
    pub fn absent(&self) -> Vec<Option<PeerId>> {
        let absent = self.streams.iter();
        let absent = absent.filter(|(_, stream)| stream.pin == Pin::Absent);
        absent.map(|(dest, _)| dest.clone()).collect()
    }

    /// The passes to a destination that turned out to understand no numbers; to be sent without.
    pub fn take_unnumbered(&mut self, dest: Option<&PeerId>) -> Vec<Pass<W>> {
        let Some(stream) = self.streams.get_mut(&dest.cloned()) else {
            return Vec::new();
        };
        if stream.pin != Pin::Absent {
            return Vec::new();
        }
        let passes: Vec<_> = stream.waiting.drain(..).collect();
        self.open -= passes.len();
        self.bytes -= passes.iter().map(|pass| pass.start.len()).sum::<usize>();
        passes
    }

    /// Transmits what is to be sent now, as long as `send` returns `true`, which says that there is
    /// room for more.
    pub fn transmit(&mut self, now: Instant, mut send: impl FnMut(Transmission<'_>) -> bool) {
        let mut has_room = true;
        while has_room && let Some(dest) = self.ready.pop_first() {
            let Some(stream) = self.streams.get_mut(&dest) else {
                continue;
            };
            has_room = stream.transmit(now, &self.limits.delivery, &mut send);
            let due = stream.attempt_due(&self.limits.delivery);
            if !has_room {
                self.ready.insert(dest);
            }
            self.due = earlier(self.due, due);
        }
    }

    /// Whether something is to be transmitted.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes an acknowledgement: how the pass `ack` was refused, or that all of `since` to `ack` were
    /// processed. Returns whether it settled anything.
    pub fn acknowledged(
        &mut self,
        now: Instant,
        dest: Option<&PeerId>,
        ack: u64,
        since: Option<u64>,
        error: Option<WireError>,
        mut end: impl FnMut(W, Ended),
    ) -> bool {
        let mut settled = false;
        self.with(dest, |stream, after| {
            settled = stream.acknowledged(now, ack, since, error, after, &mut end);
        });
        settled
    }

    /// Takes a refusal of the pass `id` that says nothing of how it was processed. `dest` is none
    /// where the refusal may be the relay's. Returns the destination, where it was one of ours.
    pub fn refused(
        &mut self,
        now: Instant,
        dest: Option<&PeerId>,
        id: Uuid,
        error: &WireError,
        mut end: impl FnMut(W, Ended),
    ) -> Option<Option<PeerId>> {
        let is_theirs = |stream: &Stream<W>| stream.is_sent(id);
        let key = if let Some(peer) = dest {
            let key = Some(peer.clone());
            self.streams
                .get(&key)
                .is_some_and(|stream| is_theirs(stream))
                .then_some(key)
        } else {
            let mut streams = self.streams.iter();
            let found = streams.find(|(_, stream)| is_theirs(stream));
            found.map(|(key, _)| key.clone())
        }?;
        self.with(key.as_ref(), |stream, after| {
            stream.refused(now, id, error, after, &mut end);
        });
        Some(key)
    }

    /// Sends what is open to `dest` again: it says that it is back.
    pub fn nudged(&mut self, now: Instant, dest: Option<&PeerId>) -> bool {
        let mut is_ready = false;
        self.with(dest, |stream, after| {
            stream.nudged(now, after);
            is_ready = after.is_ready;
        });
        is_ready
    }

    /// The relay was started anew or has forgotten this end, so perhaps the others too: for a while
    /// it says nothing about a destination that it does not know it.
    pub fn scattered(&mut self, now: Instant) {
        let until = now + self.limits.delivery.resend_at_most;
        for stream in self.streams.values_mut() {
            stream.scattered(until);
        }
    }

    /// Sends everything that is open again: a new link stands.
    pub fn send_again(&mut self, now: Instant) {
        for (dest, stream) in &mut self.streams {
            stream.go_back();
            stream.retry_at = None;
            if stream.has_work() {
                self.ready.insert(dest.clone());
            }
        }
        self.due = Some(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due next. May be earlier than needed.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Ends what is due, and sends again what is.
    pub fn handle_timeout(&mut self, now: Instant, mut end: impl FnMut(W, Ended)) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.due = None;
        let limits = &self.limits.delivery;
        for (dest, stream) in &mut self.streams {
            let mut after = After::default();
            stream.handle_timeout(now, limits, &mut after, &mut end);
            self.open -= after.ended;
            self.bytes -= after.freed;
            if after.is_ready {
                self.ready.insert(dest.clone());
            }
            self.due = earlier(self.due, stream.due(limits));
        }
    }

    /// Takes out those who no longer wait; what was sent keeps its place.
    pub fn sweep(&mut self, is_abandoned: impl Fn(&W) -> bool) {
        for stream in self.streams.values_mut() {
            let mut after = After::default();
            stream.sweep(&is_abandoned, &mut after);
            self.open -= after.ended;
            self.bytes -= after.freed;
        }
    }

    /// Ends everything for good: first those that were sent, then those that were not.
    pub fn end_all(&mut self) -> (Vec<W>, Vec<W>) {
        let (mut sent, mut waiting) = (Vec::new(), Vec::new());
        for stream in std::mem::take(&mut self.streams).into_values() {
            self.next = stream.next().max(self.next);
            sent.extend(stream.sent.into_iter().filter_map(|sent| sent.waiter));
            waiting.extend(stream.waiting.into_iter().map(|pass| pass.waiter));
        }
        self.ready.clear();
        (self.open, self.bytes, self.due) = (0, 0, None);
        (sent, waiting)
    }

    /// What [`open`](Self::open) and [`bytes`](Self::bytes) must be.
    #[cfg(test)]
    pub(super) fn counted(&self) -> (usize, usize) {
        let streams = || self.streams.values();
        let sent = || streams().flat_map(|stream| &stream.sent);
        let waiting = || streams().flat_map(|stream| &stream.waiting);
        let open = sent().filter(|sent| sent.waiter.is_some()).count() + waiting().count();
        let sent = sent().map(|sent| sent.start.len()).sum::<usize>();
        let waiting = waiting().map(|pass| pass.start.len()).sum::<usize>();
        (open, sent + waiting)
    }

    /// Changes a stream and takes note of what came of it.
    fn with(&mut self, dest: Option<&PeerId>, change: impl FnOnce(&mut Stream<W>, &mut After)) {
        let dest = dest.cloned();
        let Some(stream) = self.streams.get_mut(&dest) else {
            return;
        };
        let mut after = After {
            resend_delay: self.limits.delivery.resend_after,
            ..After::default()
        };
        change(stream, &mut after);
        self.open = self.open + after.began - after.ended;
        self.bytes = self.bytes + after.taken - after.freed;
        self.due = earlier(self.due, after.due);
        if after.is_ready {
            self.ready.insert(dest);
        }
    }

    /// Forgets destinations to which nothing is open, once there are many.
    fn forget_idle(&mut self) {
        if self.streams.len() >= self.limits.delivery.streams.max(1) {
            let next = &mut self.next;
            self.streams.retain(|dest, stream| {
                let is_kept = dest.is_none() || !stream.is_idle();
                if !is_kept {
                    *next = stream.next().max(*next);
                }
                is_kept
            });
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}
