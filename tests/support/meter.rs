//! What the code under test counts for operators.

use std::collections::BTreeMap;
use std::mem;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// The metrics of one test.
pub struct Meter {
    snapshotter: Snapshotter,
    /// By name and the values of labels.
    counters: BTreeMap<(String, String), u64>,
    gauges: BTreeMap<String, f64>,
}

/// Counts what happens on this thread from now on, for a test that runs
/// [on one thread](crate::run_on_one_thread).
pub fn meter() -> Meter {
    // The thread is the test's own and ends with it.
    let recorder: &'static _ = Box::leak(Box::new(DebuggingRecorder::new()));
    mem::forget(metrics::set_default_local_recorder(recorder));
    Meter {
        snapshotter: recorder.snapshotter(),
        counters: BTreeMap::new(),
        gauges: BTreeMap::new(),
    }
}

impl Meter {
    /// A counter, whatever its labels.
    pub fn count(&mut self, name: &str) -> u64 {
        self.read();
        let mine = self.counters.iter().filter(|((other, _), _)| other == name);
        mine.map(|(_, count)| count).sum()
    }

    /// A counter whose only label is `value`.
    pub fn count_of(&mut self, name: &str, value: &str) -> u64 {
        self.read();
        let key = (name.to_owned(), value.to_owned());
        self.counters.get(&key).copied().unwrap_or(0)
    }

    /// A gauge of something that is counted.
    ///
    /// # Panics
    ///
    /// Where it is no whole number.
    pub fn gauge(&mut self, name: &str) -> i32 {
        self.read();
        let gauge = self.gauges.get(name).copied().unwrap_or(0.0);
        let whole = gauge.to_string().parse();
        whole.expect("a whole number")
    }

    /// A snapshot begins anew where the one before it ended.
    fn read(&mut self) {
        for (key, _, _, value) in self.snapshotter.snapshot().into_vec() {
            let key = key.key();
            let name = key.name().to_owned();
            match value {
                DebugValue::Counter(more) => {
                    let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
                    *self.counters.entry((name, labels.join(","))).or_default() += more;
                }
                DebugValue::Gauge(more) => {
                    *self.gauges.entry(name).or_default() += more.into_inner();
                }
                DebugValue::Histogram(_) => {}
            }
        }
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter")
            .field("counters", &self.counters)
            .field("gauges", &self.gauges)
            .finish_non_exhaustive()
    }
}
