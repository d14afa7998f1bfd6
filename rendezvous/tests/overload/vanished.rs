//! A thousand sessions whose links are cut and that never come back: they are gone after their grace,
//! and so is their memory.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::bare::{Bare, sockets};
use crate::choose;
use crate::place::{Place, grown};

/// How much later than due a busy machine may be.
const LATE: Duration = Duration::from_secs(3);

/// What another thousand may take beyond what those before it have left, in KiB.
const LEAK: usize = 2_048;

/// Thousands, one after the other. After the first, what is remembered of the lives of senders is full.
const WAVES: usize = 4;

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
    // The allocator gives little back to the system, but it lends the same memory again.
    if let Some(more) = grown(most[1], most[WAVES - 1]) {
        println!("{more} KiB more after {} times {count}", WAVES - 2);
        assert!(more <= LEAK, "{more} KiB are not given back");
    }
}
