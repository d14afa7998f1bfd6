//! Links of which nobody knows whom they speak for: what is taken of them, and for how long.

use super::*;
use crate::connection::StrangerLimits;

const FRAME: usize = 4_096;
const IN_ALL: usize = 8_192;
const TIME: u64 = 5_000;

fn stranger() -> End {
    End::server_with(|limits| limits.stranger = Some(StrangerLimits::default()))
}

/// A pass that takes so many bytes with its line end.
fn line_of(size: usize) -> String {
    let empty = pass("\"\"").len();
    let line = pass(&format!("\"{}\"", "x".repeat(size - empty)));
    assert_eq!(line.len(), size);
    line
}

/// Takes what there is; the code of the last word, if it was said.
fn ends_with(end: &mut End) -> Option<String> {
    while end.next().is_some() {}
    let output = end.written();
    (!output.is_empty()).then(|| last_word(&output).to_owned())
}

#[test]
fn a_strangers_frame_is_taken_up_to_its_limit() {
    for line_end in ["\n", "\r\n"] {
        let mut end = stranger();
        end.feed(line_of(FRAME + 1).trim_end().to_owned() + line_end);
        assert_eq!(ends_with(&mut end), None);
        assert!(end.connection.is_stranger());
        let mut end = stranger();
        end.feed(line_of(FRAME + 2).trim_end().to_owned() + line_end);
        assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
        assert!(end.connection.wants_shutdown());
    }
}

#[test]
fn a_strangers_frame_that_is_too_long_is_refused_before_its_end() {
    let line = line_of(10_000);
    for piece in [1, 100, 4_097] {
        let mut end = stranger();
        let mut fed = 0;
        for bytes in line.as_bytes()[..=FRAME].chunks(piece) {
            assert_eq!(ends_with(&mut end), None, "{fed}");
            end.feed(bytes);
            fed += bytes.len();
        }
        assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
    }
}

#[test]
fn the_limit_for_strangers_never_widens_that_of_the_link() {
    let mut end = End::server_with(|limits| {
        limits.stranger = Some(StrangerLimits::default());
        limits.frame_in = 100;
    });
    end.feed(line_of(102));
    assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
}

#[test]
fn all_frames_of_a_stranger_are_taken_up_to_their_limit() {
    for sizes in [
        &[FRAME, FRAME][..],
        &[FRAME + 1, FRAME - 1],
        &[2_048; 4],
        &[64; 128],
    ] {
        let mut end = stranger();
        assert_eq!(sizes.iter().sum::<usize>(), IN_ALL);
        for size in sizes {
            end.feed(line_of(*size));
            assert_eq!(ends_with(&mut end), None, "{sizes:?}");
        }
        end.feed(line_of(64));
        assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
    }
    // One byte more, in one piece.
    let mut end = stranger();
    end.feed(line_of(FRAME) + &line_of(FRAME + 1));
    assert_eq!(end.events().len(), 1);
    assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
}

#[test]
fn line_ends_and_empty_lines_before_a_frame_count() {
    let mut end = stranger();
    end.feed("\n".repeat(IN_ALL - 64) + &line_of(64));
    assert_eq!(ends_with(&mut end), None);
    let mut end = stranger();
    end.feed("\n".repeat(IN_ALL - 63) + &line_of(64));
    assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
    let mut end = stranger();
    end.feed("\r\n".repeat((IN_ALL - 64) / 2) + &line_of(64));
    assert_eq!(ends_with(&mut end), None);
}

/// So a stranger cannot keep a server busy for its whole time.
#[test]
fn empty_lines_alone_count_too() {
    let mut end = stranger();
    end.feed("\n".repeat(IN_ALL));
    assert_eq!(ends_with(&mut end), None);
    end.feed("\n");
    assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
}

#[test]
fn frames_that_are_skipped_or_refused_count() {
    let skipped = "{\"type\":\"later\"}\n";
    let ignored = response("1", "nobody's");
    let refused = "{\"type\":\"pass\",\"name\":\"unknown\"}\n";
    for line in [skipped, &ignored, refused] {
        let mut end = stranger();
        let fits = IN_ALL / line.len();
        end.feed(line.repeat(fits));
        assert_eq!(ends_with(&mut end), None);
        end.feed(line);
        assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
    }
}

#[test]
fn beside_a_handler_the_same_bounds_hold() {
    let mut end = stranger();
    let _call = end.call(Expects::Response, 60_000);
    let _ = end.written();
    end.feed(line_of(FRAME).repeat(2));
    end.set_aside();
    assert_eq!(end.written(), "");
    end.feed(line_of(64));
    end.set_aside();
    assert_eq!(last_word(&end.written()), "too_large");
    let mut end = stranger();
    end.feed(line_of(FRAME + 2));
    end.set_aside();
    assert_eq!(last_word(&end.written()), "too_large");
}

#[test]
fn a_strangers_time_runs_from_its_first_visit_to_the_millisecond() {
    let mut end = stranger();
    end.clock(7);
    assert!(end.next().is_none());
    assert_eq!(end.connection.next_deadline(), Some(end.at(7 + TIME)));
    // What it sends does not prolong it.
    end.clock(4_000);
    end.feed(pass("1"));
    assert_eq!(end.events(), ["1"]);
    assert_eq!(end.connection.next_deadline(), Some(end.at(7 + TIME)));
    end.pass_time(7 + TIME - 1);
    assert_eq!(end.written(), "");
    end.pass_time(7 + TIME);
    assert_eq!(last_word(&end.written()), "timeout");
    assert!(end.connection.wants_shutdown());
}

#[test]
fn a_strangers_time_is_over_in_the_middle_of_a_frame_and_beside_a_handler_too() {
    let mut end = stranger();
    end.feed("{");
    assert!(end.next().is_none());
    end.pass_time(TIME);
    assert_eq!(last_word(&end.written()), "timeout");
    let mut end = stranger();
    let call = end.call(Expects::Response, 60_000);
    let _ = end.written();
    end.set_aside();
    end.pass_time(TIME);
    assert_eq!(last_word(&end.written()), "timeout");
    assert_eq!(call.ends().len(), 1);
}

#[test]
fn who_is_recognised_has_no_such_bounds() {
    let mut end = stranger();
    // All that a stranger may send, and the beginning of more than it may.
    end.feed(line_of(FRAME) + &line_of(FRAME));
    assert_eq!(end.events().len(), 2);
    end.feed(&line_of(60_000)[..FRAME]);
    assert!(end.next().is_none());
    end.clock(TIME - 1);
    end.connection.identified();
    assert!(!end.connection.is_stranger());
    end.feed(&line_of(60_000)[FRAME..]);
    assert_eq!(end.events().len(), 1);
    end.feed(line_of(65_537).repeat(3));
    assert_eq!(end.events().len(), 3);
    end.pass_time(1_000_000);
    assert_eq!(end.written(), "");
    assert_eq!(end.connection.next_deadline(), None);
    end.feed(line_of(65_538));
    assert_eq!(ends_with(&mut end).as_deref(), Some("too_large"));
}

#[test]
fn what_stands_behind_the_frame_that_made_it_known_has_no_such_bounds() {
    let mut end = stranger();
    end.feed(line_of(100) + &line_of(65_537) + &line_of(20_000));
    assert!(end.next().is_some());
    // Its handler identifies the connection.
    end.connection.identified();
    assert_eq!(end.events().len(), 2);
    assert_eq!(end.written(), "");
}

#[test]
fn where_strangers_are_welcome_nothing_is_bounded() {
    let mut end = End::server();
    assert!(!end.connection.is_stranger());
    end.feed(line_of(65_537).repeat(2));
    assert_eq!(end.events().len(), 2);
    assert_eq!(end.connection.next_deadline(), None);
}

#[test]
fn a_stranger_whose_link_ends_anyway_is_not_late() {
    let mut end = stranger();
    assert!(end.next().is_none());
    end.connection.close();
    end.shut();
    end.pass_time(TIME);
    assert_eq!(end.written(), "");
    assert!(end.connection.is_closed());
}
