//! The seed that decides what happens.

/// `SplitMix64`, so that a seed means the same everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(super) fn upto(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64 + 1)).unwrap()
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.upto(several.len() - 1)]
    }

    /// Something, once in so many.
    pub(super) fn maybe<T>(
        &mut self,
        chances: u64,
        make: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        self.one_in(chances).then(|| make(self))
    }
}
