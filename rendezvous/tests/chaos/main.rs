//! Real processes over real sockets, which are cut off from each other and killed: what journals say
//! that were confirmed was processed once, and all the rest that delivery promises.
//!
//! `CHAOS_CUTS` says how many links are cut in each test of cuts, `CHAOS_KILLS` how many processes are
//! killed in each test of kills; `CHAOS_SEED` chooses what and when. The program that is killed is this
//! one, started again as a courier: so it is always built of the same sources as the test.
#![cfg(feature = "program")]

mod courier;
mod courier_kills;
mod cuts;
mod fleet;
mod journal;
mod laws;
mod post;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod process;
mod proxy;
mod server_kills;
mod story;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
/// The first argument of a process that is no test.
const COURIER: &str = "courier";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if(|first| first == COURIER).is_some() {
        return courier::run(args);
    }
    let tests = [
        vec![trial("laws", laws::each_broken_law_is_found)],
        cuts::trials(),
        server_kills::trials(),
        courier_kills::trials(),
    ];
    libtest_mimic::run(
        &Arguments::from_args(),
        tests.into_iter().flatten().collect(),
    )
    .exit_code()
}

/// A test, which fails where it panics.
fn trial(name: &str, test: impl Fn() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
