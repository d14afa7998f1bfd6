//! A thousand sessions whose links are cut and that never come back: they are gone after their grace,
//! and so is their memory.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::bare::{Bare, sockets};
use crate::choose;
use crate::place::{Place, grown};

/// How much later than due a busy machine may be.
const LATE: Duration = Duration::from_secs(3);

/// What a session may leave for good, in KiB; it takes more than ten times as much.
const LEAK: usize = 1;

/// Thousands, one after the other.
const WAVES: usize = 6;

pub(crate) async fn leave_nothing() {
    let count = sockets(choose(1_000, 5_000));
    let grace = choose(Duration::from_secs(1), Duration::from_secs(20));
    let mut place = Place::start(&[]);
    let mut link = Bare::connect(place.address()).await;
    link.log_in(json!({"id": "alice"})).await;
    let empty = place.settled_memory();
    let mut most = Vec::new();
    for wave in 0..WAVES {
        let mut links = Vec::new();
        for number in 0..count {
            let mut link = Bare::connect(place.address()).await;
            let inc = format!("inc {wave} {number}");
            let grace_ms = u64::try_from(grace.as_millis()).expect("few");
            let login = json!({"id": format!("carol {number}"), "inc": inc, "grace_ms": grace_ms});
            link.log_in(login).await;
            links.push(link);
        }
        let full = place.memory();
        let start = Instant::now();
        links.into_iter().for_each(Bare::cut);
        assert_eq!(place.standing().sessions, count + 1, "they are kept");
        place.until(1, grace + LATE).await;
        let gone = start.elapsed();
        assert!(gone >= grace, "gone after {gone:?}");
        let left = place.settled_memory();
        println!("{count} gone after {gone:?}; memory {empty:?}, {full:?}, {left:?} KiB");
        most.push(full.max(left));
    }
    // The allocator gives little back to the system, but lends the same memory again. It takes a while to
    // find its size; what leaks leaks each time.
    let last = most[WAVES - 4..].windows(2);
    let more = last.filter_map(|pair| grown(pair[0], pair[1])).min();
    if let Some(more) = more {
        println!("{more} KiB more for another {count}");
        assert!(more <= LEAK * count, "{more} KiB more for another {count}");
    }
}
