//! The receiver of streams: which event is next, which was processed before, and how it ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::Origin;
use super::answers::Answers;
use crate::connection::{Limits, due};
use crate::metrics;
use crate::wire::{ErrorCode, WireError};

/// Refusals that a stream remembers, however wide the sender's window is, and the longest one.
const MAX_REFUSAL_BYTES: usize = 1_024;

/// Refusals that are remembered beyond a session.
const MAX_KEPT_REFUSALS: usize = 4;

/// What a receiver remembers of those who send to it: one counter a stream, and which of the last
/// events were refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Receiver {
    limits: Arc<Limits>,
    streams: BTreeMap<Origin, Stream>,
    pub(super) answers: Answers,
}

#[derive(Debug, Clone, PartialEq)]
struct Stream {
    /// The number of the event that is run next; none before the first confirmed pass.
    next: Option<u64>,
    /// Whether that one is being run.
    running: bool,
    /// Which of the last events were refused, and how.
    refusals: VecDeque<(u64, WireError)>,
    /// The highest `base` that the sender told: below it nothing is open there.
    start: u64,
    /// How events from this number on ended is known.
    known_from: u64,
    requests: Numbers,
    touched: Instant,
}

/// What is to be done with a confirmed pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is the next: to be handled, then [`processed`](Receiver::processed).
    Run,
    /// It is being handled.
    Running,
    /// It was processed before: to be acknowledged again, not handled.
    Again(Processed),
    /// It is not its turn, or there is no room: to be refused, which is no outcome.
    Refused(WireError),
}

/// That events were processed, as an acknowledgement says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Processed {
    /// The last event that is spoken for.
    pub ack: u64,
    /// The first one; none for all before.
    pub since: Option<u64>,
    /// How `ack` alone was refused; none where all that are spoken for went well.
    pub error: Option<WireError>,
}

impl Receiver {
    /// Remembers nothing yet.
    pub fn new(limits: impl Into<Arc<Limits>>) -> Self {
        let limits = limits.into();
        Self {
            answers: Answers::new(&limits.delivery),
            limits,
            streams: BTreeMap::new(),
        }
    }

    /// Judges a confirmed pass with the number `seq`; `base` says that all before it is settled at the
    /// sender.
    pub fn judge(&mut self, now: Instant, origin: &Origin, seq: u64, base: Option<u64>) -> Verdict {
        let starts = base.is_some_and(|base| base == seq);
        if !self.streams.contains_key(origin) && !starts {
            return Verdict::Refused(WireError::expect(1));
        }
        let stream = match self.stream(now, origin) {
            Ok(stream) => stream,
            Err(error) => return Verdict::Refused(error),
        };
        let next = match (stream.next, base) {
            (Some(next), Some(base)) if base > next => {
                if stream.running {
                    let text = "an event that was given up is still handled: send again later";
                    return Verdict::Refused(WireError::new(ErrorCode::Busy, text));
                }
                // The sender has given up what was between.
                stream.start_at(base);
                base
            }
            (Some(next), _) => next,
            (None, _) if starts => {
                stream.start_at(seq);
                seq
            }
            (None, _) => return Verdict::Refused(WireError::expect(1)),
        };
        stream.next = Some(next);
        stream.start = stream.start.max(base.unwrap_or(0));
        if seq > next {
            return Verdict::Refused(WireError::expect(next));
        }
        if seq < next {
            return Verdict::Again(stream.outcome(seq, next));
        }
        if stream.running {
            return Verdict::Running;
        }
        stream.running = true;
        Verdict::Run
    }

    /// Takes note that the event `seq`, which was to be run, was processed, and how; returns the
    /// acknowledgement.
    pub fn processed(
        &mut self,
        now: Instant,
        origin: &Origin,
        seq: u64,
        result: Result<(), &WireError>,
    ) -> Processed {
        let window = self.limits.delivery.window_events.max(1) as u64;
        let stream = self.streams.get_mut(origin);
        let Some((stream, next)) = stream.and_then(|stream| stream.next.map(|n| (stream, n)))
        else {
            return Processed {
                ack: seq,
                since: Some(seq),
                error: result.err().cloned(),
            };
        };
        stream.touched = now;
        if seq != next {
            return stream.outcome(seq, next);
        }
        stream.running = false;
        stream.next = Some(next + 1);
        if let Err(error) = result {
            stream.refusals.push_back((seq, cut(error)));
        }
        while let Some((oldest, _)) = stream.refusals.front()
            && oldest + window <= seq
        {
            stream.known_from = oldest + 1;
            stream.refusals.pop_front();
        }
        let mut processed = stream.outcome(seq, next + 1);
        if let Err(error) = result {
            // Cut only where it is kept.
            processed.error = Some(error.clone());
        }
        processed
    }

    /// Takes note that the event `seq`, which was to be run, was not run after all.
    pub fn put_back(&mut self, origin: &Origin, seq: u64) {
        if let Some(stream) = self.streams.get_mut(origin)
            && stream.next == Some(seq)
        {
            stream.running = false;
        }
    }

    /// Gives up what is being run: nobody will say how it ended.
    pub(crate) fn give_up_running(&mut self) {
        for stream in self.streams.values_mut() {
            if stream.running
                && let Some(next) = &mut stream.next
            {
                *next += 1;
                stream.running = false;
                stream.known_from = *next;
                stream.refusals.clear();
            }
        }
        self.answers.give_up_running();
    }

    /// How many streams are remembered.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Whether a request with this number was not executed in the stream; from now on it was.
    pub(super) fn is_new_request(
        &mut self,
        now: Instant,
        origin: &Origin,
        seq: u64,
    ) -> Result<bool, WireError> {
        let requests = &mut self.stream(now, origin)?.requests;
        Ok(requests.insert(seq))
    }

    /// A request was not executed after all, so that it may come again.
    pub(super) fn forget_request(&mut self, origin: &Origin, seq: u64) {
        if let Some(stream) = self.streams.get_mut(origin) {
            stream.requests.remove(seq);
        }
    }

    /// The streams of peers in which something came since `since`, and the number that is next in
    /// each.
    pub(crate) fn live(&self, since: Instant) -> impl Iterator<Item = (&Origin, u64)> {
        let live = self
            .streams
            .iter()
            .filter(move |(_, stream)| stream.touched >= since);
        live.filter_map(|(origin, stream)| Some((origin, stream.next?)))
    }

    /// Leaves what is needed to know processed events again: numbers, and few words on refusals.
    pub(crate) fn shrink(&mut self) {
        self.answers.forget_all();
        for stream in self.streams.values_mut() {
            let words = stream.refusals.iter();
            let words: usize = words.map(|(_, error)| error.message.len()).sum();
            if stream.refusals.len() > MAX_KEPT_REFUSALS || words > MAX_REFUSAL_BYTES {
                stream.known_from = stream.next.unwrap_or(stream.known_from);
                stream.refusals = VecDeque::new();
            }
        }
    }

    /// The stream of `origin`, a new one where there was none.
    fn stream(&mut self, now: Instant, origin: &Origin) -> Result<&mut Stream, WireError> {
        if !self.streams.contains_key(origin) {
            self.make_room(now, origin)?;
        }
        let stream = self.streams.entry(origin.clone()).or_insert(Stream {
            next: None,
            running: false,
            refusals: VecDeque::new(),
            start: 0,
            known_from: 0,
            requests: Numbers::default(),
            touched: now,
        });
        stream.touched = now;
        Ok(stream)
    }

    /// Finds room for a new stream, without taking it from a live one. Of one sender only its latest
    /// life is live.
    fn make_room(&mut self, now: Instant, origin: &Origin) -> Result<(), WireError> {
        let oldest = |streams: &mut dyn Iterator<Item = (&Origin, &Stream)>| {
            let idle = streams.filter(|(_, stream)| !stream.running);
            let oldest = idle.min_by_key(|(_, stream)| stream.touched);
            oldest.map(|(origin, stream)| (origin.clone(), stream.touched))
        };
        let first = Origin {
            from: origin.from.clone(),
            inc: "".into(),
        };
        let mine = || {
            let rest = self.streams.range(&first..);
            rest.take_while(|(other, _)| other.from == origin.from)
        };
        if mine().count() >= self.limits.delivery.streams_a_sender.max(1)
            && let Some((old, _)) = oldest(&mut mine())
        {
            self.streams.remove(&old);
        }
        if self.streams.len() < self.limits.delivery.streams.max(1) {
            return Ok(());
        }
        match oldest(&mut self.streams.iter()) {
            Some((old, touched)) if due(touched, self.limits.delivery.stream_idle) <= now => {
                self.streams.remove(&old);
                Ok(())
            }
            _ => {
                metrics::count(metrics::STREAMS_REFUSED);
                let text = "too many senders have streams to this end: send again later";
                Err(WireError::new(ErrorCode::Busy, text))
            }
        }
    }
}

/// The numbers that were seen: the highest one, and which of the last before it. A number that was lost
/// with a link may come after later ones.
#[derive(Debug, Clone, PartialEq, Default)]
struct Numbers {
    highest: u64,
    /// One bit each for the highest and those before it.
    seen: u64,
}

impl Numbers {
    /// Whether a number was not seen; from now on it was. Of those too far back nobody knows.
    fn insert(&mut self, number: u64) -> bool {
        if number > self.highest {
            // What came before the first that is seen here may have been seen by one who was forgotten.
            self.seen = match number - self.highest {
                _ if self.highest == 0 => u64::MAX,
                rise @ ..=63 => self.seen << rise | 1,
                _ => 1,
            };
            self.highest = number;
            return true;
        }
        let Some(bit) = self.bit(number) else {
            return false;
        };
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }

    fn remove(&mut self, number: u64) {
        if let Some(bit) = self.bit(number) {
            self.seen &= !bit;
        }
    }

    fn bit(&self, number: u64) -> Option<u64> {
        let back = self.highest.checked_sub(number)?;
        (back < 64).then(|| 1 << back)
    }
}

impl Stream {
    fn start_at(&mut self, seq: u64) {
        self.refusals.clear();
        self.start = seq;
        self.known_from = seq;
    }

    /// How the event `seq`, below `next`, ended, and as many others as ended well together with it.
    fn outcome(&self, seq: u64, next: u64) -> Processed {
        let mut since = self.known_from;
        let mut ack = next - 1;
        for (refused, error) in &self.refusals {
            if *refused == seq {
                return Processed {
                    ack: seq,
                    since: None,
                    error: Some(error.clone()),
                };
            }
            if *refused < seq {
                since = refused + 1;
            } else {
                ack = refused - 1;
                break;
            }
        }
        if seq < self.known_from {
            let text = "the event was processed, how it ended is no longer known";
            return Processed {
                ack: seq,
                since: None,
                error: Some(WireError::new(ErrorCode::Expired, text)),
            };
        }
        Processed {
            ack,
            since: (since > self.start).then_some(since),
            error: None,
        }
    }
}

/// A refusal as it is kept: a long one without its data, and with less of its words.
pub(super) fn cut(error: &WireError) -> WireError {
    let data = error.data.as_ref().map_or(0, |data| data.get().len());
    if error.code.len() + error.message.len() + data <= MAX_REFUSAL_BYTES {
        return error.clone();
    }
    let at = error.message.floor_char_boundary(MAX_REFUSAL_BYTES / 4);
    let code = if error.code.len() > MAX_REFUSAL_BYTES / 4 {
        ErrorCode::Internal.as_str().into()
    } else {
        error.code.clone()
    };
    WireError {
        code,
        message: error.message[..at].to_owned(),
        data: None,
    }
}
