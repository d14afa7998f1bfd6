//! One direction of a link: bytes on their way, and when they arrive.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use crate::random::Random;

/// In which pieces a link hands over what was written at once.
#[derive(Debug, Clone, Copy)]
enum Pieces {
    /// Single bytes.
    Bytes,
    /// So many bytes at most, as it comes.
    Upto(usize),
    /// All of it.
    Whole,
}

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Bytes,
    /// The stream has ended.
    End,
    /// Nothing before this time.
    Later(Instant),
    /// Nothing as far as is known.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Pipe {
    random: Random,
    pieces: Pieces,
    /// How long each byte travels at least.
    delay: Duration,
    travelling: VecDeque<(Instant, Vec<u8>)>,
    /// Bytes that the writer has given away and the reader has not got.
    held: usize,
    capacity: usize,
    /// When the last of what was written arrives.
    latest: Instant,
    stalled_until: Option<Instant>,
    /// Set once no more bytes follow: when the end of the stream arrives.
    ended: Option<Instant>,
    /// Whether what is written is gone, without an error.
    is_hole: bool,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
}

impl Pipe {
    pub(super) fn new(mut random: Random, delay: Duration) -> Self {
        let pieces = match random.below(12) {
            0 => Pieces::Bytes,
            1..4 => Pieces::Upto(20),
            4..8 => Pieces::Upto(600),
            _ => Pieces::Whole,
        };
        let capacity = match random.below(4) {
            0 => 200 + random.upto(2_000),
            _ => 64 * 1_024,
        };
        Self {
            random,
            pieces,
            delay,
            travelling: VecDeque::new(),
            held: 0,
            capacity,
            latest: Instant::now(),
            stalled_until: None,
            ended: None,
            is_hole: false,
            reader: None,
            writer: None,
        }
    }

    /// Takes bytes; how many, none where it is full.
    pub(super) fn write(&mut self, bytes: &[u8]) -> usize {
        let mut count = bytes.len().min(self.capacity - self.held);
        if count > 1 && self.random.one_in(8) {
            count = 1 + self.random.upto(count - 1);
        }
        if count == 0 {
            return 0;
        }
        // A hole fills up as the system's buffer does that nobody acknowledges.
        self.held += count;
        if self.is_hole || self.ended.is_some() {
            return count;
        }
        let mut at = Instant::now() + self.delay + self.jitter();
        let mut rest = &bytes[..count];
        while !rest.is_empty() {
            let size = match self.pieces {
                Pieces::Bytes => 1,
                Pieces::Upto(most) => 1 + self.random.upto(most - 1),
                Pieces::Whole => rest.len(),
            };
            let (piece, more) = rest.split_at(size.min(rest.len()));
            if self.random.one_in(24) {
                at += self.jitter();
            }
            self.latest = self.latest.max(at);
            self.travelling.push_back((self.latest, piece.to_vec()));
            rest = more;
        }
        count
    }

    fn jitter(&mut self) -> Duration {
        match self.random.below(16) {
            0 => self.random.ms_below(400),
            1..6 => self.random.ms_below(20),
            _ => Duration::ZERO,
        }
    }

    /// Hands over a piece, or a part of it: `most` bytes.
    pub(super) fn read(&mut self, most: usize, mut take: impl FnMut(&[u8])) -> Found {
        let now = Instant::now();
        if let Some(until) = self.stalled_until.filter(|until| *until > now) {
            return Found::Later(until);
        }
        match self.travelling.front_mut() {
            Some((at, _)) if *at > now => Found::Later(*at),
            Some((_, piece)) => {
                let count = piece.len().min(most);
                take(&piece[..count]);
                piece.drain(..count);
                if piece.is_empty() {
                    self.travelling.pop_front();
                }
                self.held -= count;
                Found::Bytes
            }
            None => match self.ended {
                Some(at) if at > now => Found::Later(at),
                Some(_) => Found::End,
                None => Found::Nothing,
            },
        }
    }

    /// Whether bytes wait for the reader, or are on their way.
    pub(super) fn has_bytes(&self) -> bool {
        !self.travelling.is_empty()
    }

    /// Nothing follows but what is on its way.
    pub(super) fn end(&mut self) {
        let arrives = self.latest.max(Instant::now() + self.delay);
        if !self.is_hole {
            self.ended.get_or_insert(arrives);
        }
    }

    /// Nothing moves before `until`.
    pub(super) fn stall(&mut self, until: Instant) {
        self.stalled_until = self.stalled_until.max(Some(until));
    }

    pub(super) fn resume(&mut self) {
        self.stalled_until = None;
    }

    /// From now on, what is written is gone, and what was on its way too.
    pub(super) fn vanish(&mut self) {
        self.is_hole = true;
        self.travelling.clear();
    }

    pub(super) fn is_hole(&self) -> bool {
        self.is_hole
    }

    pub(super) fn wakers(&mut self) -> [Option<Waker>; 2] {
        [self.reader.take(), self.writer.take()]
    }
}
