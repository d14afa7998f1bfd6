//! Ids of calls: UUID v7 from an injected seed and clock, so that a run can be repeated.

use std::time::Instant;

use uuid::{Builder, Uuid};

/// The slot of a pending call stands in the last bytes of its id, where RFC 9562 §6.2 allows any
/// counter, so that an answer finds its waiter without a search.
const SLOT_BYTES: usize = 3;

/// The largest slot that an id can carry.
pub(crate) const MAX_SLOT: usize = (1 << (8 * SLOT_BYTES)) - 1;

/// Where a connection's ids come from.
///
/// Ids need be unique, not secret: an answer counts only from the peer that was asked
/// (`PROTOCOL.md` §3).
#[derive(Debug, Clone)]
pub struct IdSource {
    state: u64,
    origin: Instant,
    origin_unix_ms: u64,
}

impl IdSource {
    /// Ids of a clock that showed `unix_ms` at `now`, and of a seed that no other live connection
    /// has.
    pub fn new(seed: u128, now: Instant, unix_ms: u64) -> Self {
        let bytes = seed.to_le_bytes();
        let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
        Self {
            state: half(0) ^ half(8),
            origin: now,
            origin_unix_ms: unix_ms,
        }
    }

    /// The time from which its clock runs.
    pub(super) fn origin(&self) -> Instant {
        self.origin
    }

    pub(super) fn next(&mut self, now: Instant, slot: usize) -> Uuid {
        let elapsed = now.saturating_duration_since(self.origin).as_millis();
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        let unix_ms = self.origin_unix_ms.saturating_add(elapsed);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.random().to_le_bytes());
        random[10 - SLOT_BYTES..]
            .copy_from_slice(&slot.to_be_bytes()[size_of::<usize>() - SLOT_BYTES..]);
        Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid()
    }

    /// A source of other random numbers, which tell nothing of these.
    pub(crate) fn fork(&mut self) -> Self {
        Self {
            state: self.random(),
            ..*self
        }
    }

    /// `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    pub(crate) fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

pub(super) fn slot_of(id: Uuid) -> usize {
    let bytes = id.as_bytes();
    bytes[16 - SLOT_BYTES..]
        .iter()
        .fold(0, |slot, byte| slot << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_its_slot_and_is_a_v7() {
        let now = Instant::now();
        let mut ids = IdSource::new(7, now, 1_750_000_000_000);
        for slot in [0, 1, 255, 256, 65_535, MAX_SLOT] {
            let id = ids.next(now, slot);
            assert_eq!(slot_of(id), slot);
            assert_eq!(id.get_version_num(), 7);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let now = Instant::now();
        let (mut a, mut b) = (IdSource::new(1, now, 0), IdSource::new(1, now, 0));
        assert_eq!(a.next(now, 3), b.next(now, 3));
        assert_ne!(a.next(now, 3), IdSource::new(2, now, 0).next(now, 3));
    }
}
