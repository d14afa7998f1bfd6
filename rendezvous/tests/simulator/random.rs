//! The seed that decides what happens.

use std::time::Duration;

/// `SplitMix64`, so that a seed means the same everywhere.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A source of its own: what is taken from it changes nothing here.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn upto(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64 + 1)).expect("no more than `bound`")
    }

    pub(crate) fn ms_below(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }

    /// One of several, if there are any.
    pub(crate) fn pick<'a, T>(&mut self, several: &'a [T]) -> Option<&'a T> {
        let last = several.len().checked_sub(1)?;
        several.get(self.upto(last))
    }
}
