//! What is made of measurements on a machine that has other things to do.

use std::time::Duration;

/// Rounds of each kind before anything is said.
const ENOUGH: usize = 6;

/// Rounds after which it is said whatever it is.
const AT_MOST: usize = 16;

/// By how much the slowest may be slower.
const TWICE: f64 = 2.0;

/// What 99 of 100 do not exceed.
pub(crate) fn p99(mut samples: Vec<Duration>) -> Duration {
    assert!(!samples.is_empty(), "nothing was measured");
    samples.sort_unstable();
    samples[(samples.len() * 99).div_ceil(100) - 1]
}

/// Rounds in pairs, one in peace and one with whatever may disturb, right after each other, so that
/// both find the machine equally busy. What disturbs one pair alone does not move the median.
pub(crate) struct Rounds {
    /// Less than this is as fast as nothing: the system lets others run for so long.
    floor: Duration,
    pairs: Vec<(Duration, Duration)>,
}

impl Rounds {
    pub(crate) fn new(floor: Duration) -> Self {
        Self {
            floor,
            pairs: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, peace: Duration, disturbed: Duration) {
        self.pairs.push((peace, disturbed));
    }

    /// Whether another pair is worth it: there are few, or they tell of trouble, which may be the
    /// machine's.
    pub(crate) fn go_on(&self) -> bool {
        let count = self.pairs.len();
        count < ENOUGH || (count < AT_MOST && self.ratio() >= TWICE)
    }

    /// How many times slower the one in the middle is.
    fn ratio(&self) -> f64 {
        let times = |&(peace, disturbed): &(Duration, Duration)| {
            let (peace, disturbed) = (peace.max(self.floor), disturbed.max(self.floor));
            disturbed.as_secs_f64() / peace.as_secs_f64()
        };
        let mut ratios: Vec<_> = self.pairs.iter().map(times).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }

    /// Says what came out.
    ///
    /// # Panics
    ///
    /// Where the slowest are twice as slow.
    pub(crate) fn judge(&self, what: &str) {
        let ratio = self.ratio();
        println!(
            "{what}: p99 {ratio:.2} times; in peace and not: {:?}",
            self.pairs
        );
        assert!(ratio < TWICE, "{what}: p99 {ratio:.2} times");
    }
}
