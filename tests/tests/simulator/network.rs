//! The network between the ends, and the seed that decides what it does.

use std::collections::VecDeque;

/// `SplitMix64`, so that a seed means the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn upto(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64 + 1)).unwrap()
    }
}

/// One direction of the network.
#[derive(Default)]
pub(crate) struct Pipe {
    /// Bytes and when they arrive, in order.
    pub(crate) travelling: VecDeque<(u64, Vec<u8>)>,
    pub(crate) held: usize,
    pub(crate) capacity: usize,
    pub(crate) stalled_until: u64,
    pub(crate) latest: u64,
    /// Set once no more bytes follow: when the end of the stream arrives.
    pub(crate) ended: Option<u64>,
    pub(crate) end_told: bool,
}

impl Pipe {
    pub(crate) fn write(&mut self, bytes: &[u8], arrives: u64) -> usize {
        let count = bytes.len().min(self.capacity - self.held);
        if count > 0 && self.ended.is_none() {
            self.latest = self.latest.max(arrives);
            self.travelling
                .push_back((self.latest, bytes[..count].to_vec()));
            self.held += count;
        }
        count
    }

    pub(crate) fn read(&mut self, now: u64, most: usize) -> Vec<u8> {
        let mut read = Vec::new();
        while now >= self.stalled_until
            && read.len() < most
            && self.travelling.front().is_some_and(|(at, _)| *at <= now)
        {
            let (at, mut bytes) = self.travelling.pop_front().unwrap();
            let count = bytes.len().min(most - read.len());
            let rest = bytes.split_off(count);
            read.append(&mut bytes);
            if !rest.is_empty() {
                self.travelling.push_front((at, rest));
            }
        }
        self.held -= read.len();
        read
    }

    pub(crate) fn takes_end(&mut self, now: u64) -> bool {
        let arrived = self.travelling.is_empty()
            && now >= self.stalled_until
            && self.ended.is_some_and(|at| at <= now);
        arrived && !std::mem::replace(&mut self.end_told, true)
    }

    pub(crate) fn next_time(&self, now: u64) -> Option<u64> {
        let first = self.travelling.front().map(|(at, _)| *at);
        let end = self.ended.filter(|_| !self.end_told);
        let at = first.or(end)?.max(self.stalled_until);
        (at > now).then_some(at)
    }
}
