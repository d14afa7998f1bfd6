//! Hash tables whose keys need no hash of their own: ids that this process counted out, and texts of
//! others that were hashed once, with a key that they do not know.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::LazyLock;

/// For keys of which nobody outside can choose what they hash to.
pub(crate) type ByHash = BuildHasherDefault<Mixed>;

/// An odd number with bits everywhere: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Takes numbers as they are, and spreads their bits.
#[derive(Debug, Default)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(32) ^ number).wrapping_mul(SPREAD);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Hashes a text of the other end's choice, whose hash it cannot guess.
pub(super) fn keyed(text: &[u8]) -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    // One write, without the separator that a key of several parts needs.
    let mut hasher = KEY.build_hasher();
    hasher.write(text);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_spread_evenly() {
        let hashes = (0..1_024_u64).map(|number| ByHash::default().hash_one(number));
        // A table takes its place from the low bits, and tells entries apart by the high ones.
        let (low, high): (HashSet<_>, HashSet<_>) =
            hashes.map(|hash| (hash % 1_024, hash >> 57)).unzip();
        assert_eq!((low.len(), high.len()), (1_024, 128));
    }

    #[test]
    fn a_text_has_one_hash() {
        let texts = ["", "a", "b", "ab", "ba", &"a".repeat(64), &"a".repeat(63)];
        let hashes: HashSet<_> = texts.iter().map(|text| keyed(text.as_bytes())).collect();
        assert_eq!(hashes.len(), texts.len());
        assert!(hashes.contains(&keyed(b"ab")));
    }
}
