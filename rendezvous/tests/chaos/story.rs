//! How a test goes: how often something happens, what it comes to, and what is printed of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::sleep;
use std::time::Duration;

use crate::courier::OFFICE;
use crate::fleet::{Courier, Server, Serves};
use crate::journal::Reader;
use crate::laws::{Broken, Figures, May, judge};

/// Places where a law is broken that are shown.
const SHOWN: usize = 3;

/// The number in a variable, or what holds where it is not set.
///
/// # Panics
///
/// Where it is no number.
pub(crate) fn from_environment(name: &str, or: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => or,
    }
}

/// A server, two couriers who send to each other, and the chances of a seed.
#[derive(Debug)]
pub(crate) struct Story {
    name: String,
    pub(crate) random: fastrand::Rng,
    pub(crate) server: Server,
    pub(crate) alice: Courier,
    pub(crate) bob: Courier,
    office: Reader,
    /// What has been done to them.
    done: BTreeMap<&'static str, usize>,
    /// What else is worth knowing.
    seen: Vec<String>,
}

impl Story {
    /// Begins with both at work; `reach` says where alice and bob find the server.
    pub(crate) fn begin(name: String, server: Server, reach: [SocketAddr; 2]) -> Self {
        let kind = server.kind();
        let to = |peer| match kind {
            Serves::Office => vec![peer, OFFICE],
            Serves::Program => vec![peer],
        };
        let alice = Courier::start("alice", &server, reach[0], &to("bob"));
        let bob = Courier::start("bob", &server, reach[1], &to("alice"));
        let mut story = Self {
            name,
            random: fastrand::Rng::with_seed(from_environment("CHAOS_SEED", 1)),
            office: Reader::new(OFFICE, &server.journal()),
            server,
            alice,
            bob,
            done: BTreeMap::new(),
            seen: Vec::new(),
        };
        // Who was never there is sent nothing, so both are there first.
        story.alice.works();
        story.bob.works();
        story.both_get_through("before anything happens");
        story
    }

    pub(crate) fn courier(&mut self, is_alice: bool) -> &mut Courier {
        if is_alice {
            &mut self.alice
        } else {
            &mut self.bob
        }
    }

    /// Counts what was done.
    pub(crate) fn did(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// Has this printed with the figures.
    pub(crate) fn saw(&mut self, what: String) {
        self.seen.push(what);
    }

    /// Lets some time of the seed's pass, up to `most`: this is when things happen.
    pub(crate) fn passes(&mut self, most: Duration) {
        sleep(most.mul_f64(self.random.f64()));
    }

    /// Waits until both get through to all.
    pub(crate) fn both_get_through(&mut self, why: &str) {
        self.alice.gets_through(why);
        self.bob.gets_through(why);
    }

    /// Tells the story, and ends it: both have all their calls ended, and the journals are compared.
    /// Where it cannot be told to its end, what was seen so far is printed.
    ///
    /// # Panics
    ///
    /// Where a law is broken, or a wait took too long.
    pub(crate) fn tell(mut self, may: May, tell: impl FnOnce(&mut Self)) {
        let told = catch_unwind(AssertUnwindSafe(|| {
            tell(&mut self);
            self.alice.ends_calls();
            self.bob.ends_calls();
            self.alice.leaves();
            self.bob.leaves();
        }));
        // From here on nobody writes.
        self.server.kill();
        self.alice.kill();
        self.bob.kill();
        for journal in [
            &mut self.alice.journal,
            &mut self.bob.journal,
            &mut self.office,
        ] {
            journal.read_on();
        }
        let journals = [&self.alice.journal, &self.bob.journal, &self.office];
        let may = May {
            calls_be_open: told.is_err(),
            ..may
        };
        let broken = judge(&journals, may);
        let Self {
            name, done, seen, ..
        } = &self;
        let figures = Figures::of(&journals);
        let mut report = format!("{name}: {done:?} {seen:?}\n{figures}\n");
        if told.is_err() || !broken.is_empty() {
            report += &shown(&broken);
            report += &[self.alice.traces(), self.bob.traces(), self.server.traces()].concat();
        }
        // At once, since another test may print its own.
        print!("{report}");
        if let Err(panic) = told {
            resume_unwind(panic);
        }
        assert!(broken.is_empty(), "{name}: {} times broken", broken.len());
    }
}

fn shown(broken: &[Broken]) -> String {
    let mut laws: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for Broken { law, at } in broken {
        laws.entry(law).or_default().push(format!("    {at}\n"));
    }
    let laws = laws.into_iter().flat_map(|(law, places)| {
        let times = places.len();
        let law = format!("  broken {times} times: {law}\n");
        [law].into_iter().chain(places.into_iter().take(SHOWN))
    });
    laws.collect()
}
