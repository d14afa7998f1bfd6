//! Journals that break a law each, so that the laws are known to find it.

use std::path::Path;

use super::{May, judge};
use crate::courier::OFFICE;
use crate::journal::Reader;

const ALICE: &str = "\
1 1 started parcel bob 1
1 1 started parcel bob 2
2 1 confirmed parcel bob 1
2 1 started ask bob 3
2 1 refused parcel bob 2
3 1 confirmed ask bob 3
3 2 started parcel bob 4
3 2 unknown parcel bob 4 why
4 2 started parcel bob 5
5 2 rejected parcel bob 5 why";

const BOB: &str = "\
1 1 processed parcel alice 1
2 1 declined parcel alice 2
2 1 processed ask alice 3
3 1 processed parcel alice 4
3 2 processed parcel alice 4";

/// What a test may leave open, all of it.
const ANYTHING: May = May {
    parcels_be_unknown: 1,
    parcels_be_rejected: &["why"],
    asks_fail: &["why"],
    office_asks_fail: &[],
    calls_be_open: false,
};

fn journal(of: &str, lines: &str) -> Reader {
    let mut journal = Reader::new(of, Path::new(""));
    let lines = lines.lines().filter(|line| !line.is_empty());
    let entries = lines.map(|line| {
        // A line ends in a reason, which may be empty.
        let end = if line.split(' ').count() == 6 {
            " "
        } else {
            ""
        };
        format!("{line}{end}").parse().expect("a line of ours")
    });
    journal.entries = entries.collect();
    journal
}

/// Which laws these journals break.
fn judged(alice: &str, bob: &str, may: May) -> Vec<&'static str> {
    let broken = judge(&[&journal("alice", alice), &journal("bob", bob)], may);
    broken.into_iter().map(|broken| broken.law).collect()
}

/// With `with` in place of `line` in one of the journals, this law is broken and no other.
fn breaks(line: &str, with: &str, law: &str) {
    assert!(ALICE.contains(line) || BOB.contains(line), "{line}");
    let (alice, bob) = (ALICE.replace(line, with), BOB.replace(line, with));
    assert_eq!(judged(&alice, &bob, ANYTHING), [law], "{with}");
}

/// Each law is found to be broken where it is, and only there.
pub(crate) fn each_broken_law_is_found() {
    assert_eq!(judged(ALICE, BOB, ANYTHING), [""; 0]);

    let (line, again) = (
        "1 1 processed parcel alice 1",
        "\n2 2 processed parcel alice 1",
    );
    breaks(line, "", "what is confirmed was processed");
    let once = "what is confirmed is processed once";
    breaks(line, &format!("{line}{again}"), once);
    breaks(line, "1 1 declined parcel alice 1", once);
    let late = "3 1 processed parcel alice 1";
    breaks(line, late, "nothing is confirmed before it is processed");

    let line = "2 1 declined parcel alice 2";
    breaks(line, "", "what is refused was declined, once");

    let (line, later) = (
        "3 2 processed parcel alice 4",
        "3 1 processed parcel alice 4",
    );
    breaks(line, later, "no receiver executes anything twice");
    let line = "3 2 unknown parcel bob 4 why";
    breaks(
        line,
        "3 2 rejected parcel bob 4 why",
        "what is rejected is not executed",
    );
    breaks(line, "", "each call ends");
    breaks(line, &format!("{line}\n{line}"), "each call ends once");
    let late = "35004 2 unknown parcel bob 4 why";
    breaks(line, late, "each call ends by its deadline");
    let other = "3 1 processed parcel alice 4";
    breaks(
        other,
        "3 1 processed parcel alice 9",
        "nothing happens that nobody has started",
    );

    let line = "3 1 confirmed ask bob 3";
    breaks(line, "3 1 wrong ask bob 3 what", "answers match");
    let unknown = ALICE.replace(line, "3 1 unknown ask bob 3 why");
    let twice = format!("{BOB}\n3 2 processed ask alice 3");
    let once = "a request is executed once at most";
    assert_eq!(judged(&unknown, &twice, ANYTHING), [once]);

    let gap = ALICE.replace("bob 5", "bob 6");
    assert_eq!(judged(&gap, BOB, ANYTHING), ["numbers go on"]);
    let (first, second) = BOB.split_once('\n').expect("lines");
    let (second, rest) = second.split_once('\n').expect("lines");
    let order = format!("{second}\n{first}\n{rest}");
    let law = "parcels arrive in the order of sending";
    assert_eq!(judged(ALICE, &order, ANYTHING), [law]);

    let law = [
        "no parcel is rejected but for what may be",
        "no more parcels are unknown than may be",
    ];
    assert_eq!(judged(ALICE, BOB, May::default()), law);
    let law = [
        law[0],
        "each request is answered but for what may be",
        law[1],
    ];
    assert_eq!(judged(&unknown, BOB, May::default()), law);
    let other = unknown.replace("why", "whynot");
    assert_eq!(judged(&other, BOB, ANYTHING), law[..2]);
    let office = |lines: &str| lines.replace("bob", OFFICE);
    let at_office = judge(
        &[&journal("alice", &office(&unknown)), &journal(OFFICE, BOB)],
        ANYTHING,
    );
    assert_eq!(at_office.len(), 1);
    assert_eq!(at_office[0].law, law[1]);
}
