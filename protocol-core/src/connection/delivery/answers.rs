//! Answers to requests, kept so that a request that is repeated is not executed again.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::{DeliveryLimits, Origin, Receiver};
use crate::connection::due;
use crate::wire::{ErrorCode, WireError};

/// What is to be done with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// It is new: to be executed, then [`answered`](Receiver::answered).
    Run,
    /// It is being executed; its answer will come.
    Running,
    /// It was executed: its answer is sent again.
    Again(Box<[u8]>),
    /// It is not executed.
    Refused(WireError),
}

type Key = (Origin, Box<str>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answers {
    most: usize,
    most_bytes: usize,
    kept: Duration,
    by_id: BTreeMap<Key, Answer>,
    /// Those that are answered, in that order.
    order: VecDeque<(Instant, Key)>,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Answer {
    /// Tells the request from another with the same id.
    body: u64,
    /// None while it is being executed.
    frame: Option<Box<[u8]>>,
}

impl Answers {
    pub(super) fn new(limits: &DeliveryLimits) -> Self {
        Self {
            most: limits.answers,
            most_bytes: limits.answers_bytes,
            kept: limits.answers_kept,
            by_id: BTreeMap::new(),
            order: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Forgets all.
    pub(super) fn forget_all(&mut self) {
        self.by_id = BTreeMap::new();
        self.order = VecDeque::new();
        self.bytes = 0;
    }

    /// Forgets what is being executed.
    pub(super) fn give_up_running(&mut self) {
        self.by_id.retain(|_, answer| answer.frame.is_some());
    }

    /// Drops the oldest until there is room for one of `more` bytes.
    fn make_room(&mut self, more: usize) {
        while self.order.len() >= self.most || self.bytes + more > self.most_bytes {
            let Some((_, oldest)) = self.order.pop_front() else {
                return;
            };
            self.drop_answer(&oldest);
        }
    }

    /// Drops those whose time is over.
    fn forget(&mut self, now: Instant) {
        while let Some((_, oldest)) = self
            .order
            .pop_front_if(|(at, _)| due(*at, self.kept) <= now)
        {
            self.drop_answer(&oldest);
        }
    }

    fn drop_answer(&mut self, key: &Key) {
        if let Some(answer) = self.by_id.remove(key) {
            self.bytes -= answer.frame.map_or(0, |frame| frame.len());
        }
    }
}

impl Receiver {
    /// Judges a request with the number `seq`, whose name and data are `body`.
    pub fn asked(&mut self, now: Instant, origin: &Origin, id: &str, seq: u64, body: u64) -> Asked {
        self.answers.forget(now);
        let key = (origin.clone(), Box::from(id));
        if let Some(answer) = self.answers.by_id.get(&key) {
            if answer.body != body {
                let text = "another request had this id: give each an id of its own";
                return Asked::Refused(WireError::new(ErrorCode::IdConflict, text));
            }
            return match &answer.frame {
                Some(frame) => Asked::Again(frame.clone()),
                None => Asked::Running,
            };
        }
        match self.is_new_request(now, origin, seq) {
            Err(error) => return Asked::Refused(error),
            Ok(false) => {
                let text = "the answer is no longer kept; the request may have been executed";
                return Asked::Refused(WireError::new(ErrorCode::Expired, text));
            }
            Ok(true) => {}
        }
        self.answers.by_id.insert(key, Answer { body, frame: None });
        Asked::Run
    }

    /// Keeps the answer to a request that was to be executed.
    pub fn answered(&mut self, now: Instant, origin: &Origin, id: &str, frame: &[u8]) {
        let answers = &mut self.answers;
        let key = (origin.clone(), Box::from(id));
        let is_awaited = |answer: &Answer| answer.frame.is_none();
        if !answers.by_id.get(&key).is_some_and(is_awaited) {
            return;
        }
        answers.forget(now);
        if frame.is_empty() || answers.most == 0 || frame.len() > answers.most_bytes {
            answers.by_id.remove(&key);
            return;
        }
        answers.make_room(frame.len());
        if let Some(answer) = answers.by_id.get_mut(&key) {
            answers.bytes += frame.len();
            answer.frame = Some(frame.into());
            answers.order.push_back((now, key));
        }
    }

    /// Takes note that a request that was to be executed was not, and may come again.
    pub fn unasked(&mut self, origin: &Origin, id: &str, seq: u64) {
        self.answers.by_id.remove(&(origin.clone(), Box::from(id)));
        self.forget_request(origin, seq);
    }

    /// How many answers are kept, and requests executed.
    pub fn answers(&self) -> usize {
        self.answers.by_id.len()
    }
}
