//! Seeds, each on a runtime and in a time of its own, several at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::forger::Lie;
use crate::journal::Journal;
use crate::laws::judge;
use crate::world::World;

/// Far above what any seed takes.
const AT_MOST: Duration = Duration::from_secs(30);

/// How one seed is told again.
const AGAIN: &str = "cargo test -p rendezvous --test simulator whatever";

/// Of seeds that fail, so many are looked for.
const ENOUGH: usize = 20;

thread_local! {
    /// Panics on this thread: tokio and the driver catch those of tasks and handlers.
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Where a seed's journal can be looked at from another thread.
type Told = Mutex<BTreeMap<u64, Journal>>;

/// Runs one seed: all that happens, or what is wrong with it.
fn tell(seed: u64, told: &Told, lie: Option<Lie>) -> Result<String, String> {
    note_panics();
    PANICS.take();
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    let journal = runtime.block_on(async { Journal::new(seed) });
    let known = journal.clone();
    told.lock()
        .expect("nothing panics with it")
        .insert(seed, known);
    let world = async { World::new(seed, journal.clone(), lie).run().await };
    // What it panics with is noted.
    let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(world)));
    drop(runtime);
    told.lock().expect("nothing panics with it").remove(&seed);
    let mut book = journal.book();
    let mut wrong = judge(&book);
    wrong.extend(PANICS.take());
    let story = std::mem::take(&mut book.story);
    if wrong.is_empty() {
        Ok(story)
    } else {
        let wrong = wrong.join("\n");
        Err(format!(
            "{story}\n{wrong}\nrun it again: {AGAIN} with SIMULATOR_SEED={seed}"
        ))
    }
}

/// Runs seeds on all cores and hands over what each of them tells, in any order. Where seeds fail, it
/// panics with the story of the lowest and the numbers of the others.
pub(crate) fn run_all(seeds: Range<u64>, mut hear: impl FnMut(u64, String)) {
    let next = AtomicU64::new(seeds.start);
    let told = Told::default();
    let (ended, ends) = channel();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            let (ended, next, told, last) = (ended.clone(), &next, &told, seeds.end);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last || ended.send((seed, tell(seed, told, None))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(ended);
        let mut failed = BTreeMap::new();
        while failed.len() < ENOUGH {
            match ends.recv_timeout(AT_MOST) {
                Ok((seed, Ok(story))) => hear(seed, story),
                Ok((seed, Err(wrong))) => drop(failed.insert(seed, wrong)),
                Err(RecvTimeoutError::Timeout) => give_up(&told),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        drop(ends);
        if let Some((_, wrong)) = failed.first_key_value() {
            let all: Vec<_> = failed.keys().collect();
            panic!("{wrong}\nof these seeds fail {all:?}");
        }
    });
}

/// What is wrong with the first seed that breaks a law, told by its words, where the relay lies.
pub(crate) fn first_found(
    seeds: Range<u64>,
    lie: Lie,
    breach: impl Fn(&str) -> bool,
) -> Option<String> {
    seeds
        .filter_map(|seed| tell(seed, &Told::default(), Some(lie)).err())
        .find(|wrong| wrong.lines().any(&breach))
}

/// Some seeds do not end. Their threads cannot be ended, so the process is; what is printed then is
/// not kept from whoever runs the tests.
fn give_up(told: &Told) -> ! {
    for (seed, journal) in &*told.lock().expect("nothing panics with it") {
        let story = &journal.book().story;
        let text = format!("{story}this does not end: {AGAIN} with SIMULATOR_SEED={seed}\n");
        drop(io::stderr().write_all(text.as_bytes()));
    }
    std::process::exit(1);
}

pub(crate) fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.with_borrow_mut(|panics| panics.push(info.to_string()));
            before(info);
        }));
    });
}
