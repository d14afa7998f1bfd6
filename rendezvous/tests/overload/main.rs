//! More than a server can do or should bear, over real sockets: slow readers, twice its capacity,
//! silence, hoarders, and a thousand who come back at once.
//!
//! `OVERLOAD_LONG=1` runs all of it with more of everything, and with the times that a server has by
//! default. The server is a process of its own, so that its memory can be seen: this program, started
//! again. Tests run one after the other, for each takes all of the machine.

mod bare;
mod crowd;
mod figures;
mod flood;
mod hoarders;
mod place;
mod ring;
mod silence;
mod slow_reader;
mod storm;
mod twice;
mod vanished;

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Builder;
use tokio::time::timeout;

/// The first argument of a process that is no test.
const SERVER: &str = "server";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if(|first| first == SERVER).is_some() {
        return place::serve(args);
    }
    let tests = vec![
        trial(
            "one_slow_reader_among_a_hundred",
            slow_reader::costs_others_nothing,
        ),
        trial("twice_the_capacity", twice::is_withstood),
        trial("a_thousand_silent_sockets", silence::is_ended_in_time),
        trial("hoarders", hoarders::stay_within_their_limits),
        trial("a_storm_of_resumes", storm::passes),
        trial("a_thousand_that_never_come_back", vanished::leave_nothing),
    ];
    let mut args = Arguments::from_args();
    args.test_threads.get_or_insert(1);
    libtest_mimic::run(&args, tests).exit_code()
}

/// A test, which fails where it panics or hangs.
fn trial<T: Future<Output = ()>>(name: &str, test: impl Fn() -> T + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let at_most = choose(Duration::from_mins(1), Duration::from_mins(10));
        runtime
            .block_on(async { timeout(at_most, test()).await })
            .map_err(|_| format!("it did not end in {at_most:?}"))?;
        Ok(())
    })
}

/// Whether the long form was asked for.
fn choose<T>(short: T, long: T) -> T {
    let asked = std::env::var_os("OVERLOAD_LONG").is_some_and(|value| value != "0");
    if asked { long } else { short }
}
