//! An end whose output nobody takes: what it would still say of its own will stays within the limit.

use super::*;

const LIMIT: usize = 400;

/// No frame of these tests is longer.
const FRAME: usize = 200;

fn client() -> End {
    let mut limits = Limits::client();
    limits.outbound_bytes = LIMIT;
    End::new(Role::Client, limits)
}

fn begin_session(end: &mut End) {
    let terms = SessionTerms {
        inc: "a1".into(),
        far_inc: Some("s1".into()),
        stamp: None,
    };
    end.connection.begin_session(end.now, terms, None);
}

/// Lets the codec see the frames, and writes none of them.
fn stall(end: &mut End) -> usize {
    end.connection.output().len()
}

#[test]
fn cancelled_requests_are_named_as_far_as_there_is_room() {
    let mut end = client();
    let mut calls = Vec::new();
    while stall(&mut end) < LIMIT - FRAME / 2 {
        calls.push(end.call(Expects::Response, 60_000));
    }
    for call in &calls {
        call.abandon();
    }
    end.connection.sweep_abandoned();
    assert!(stall(&mut end) < LIMIT + FRAME);
    assert!(!end.connection.has_open_calls());
    let written = end.written();
    assert!(written.contains("cancel_request"), "{written}");
    assert!(written.matches("cancel_request").count() < calls.len());
}

#[test]
fn passes_and_their_repetitions_wait_until_something_was_written() {
    let mut end = client();
    begin_session(&mut end);
    for turn in 0..20 {
        end.call(Expects::Acknowledgement, 600_000);
        stall(&mut end);
        end.pass_time(turn * 10_000);
        assert!(stall(&mut end) < LIMIT / 2 + FRAME);
        assert!(end.connection.next_deadline() > Some(end.now));
    }
    let mut seen = 0;
    for _ in 0..20 {
        seen += ids(&end.written()).len();
        end.connection.transmit(end.now);
    }
    assert!(seen >= 20, "only {seen} were sent");
}

#[test]
fn requests_are_not_repeated_into_a_full_output() {
    let mut end = client();
    begin_session(&mut end);
    let call = end.call(Expects::Response, 600_000);
    for turn in 1..20 {
        end.pass_time(turn * 10_000);
        assert!(stall(&mut end) < LIMIT + FRAME);
    }
    assert!(call.ends().is_empty());
    let written = end.written();
    let first = ids(&written).remove(0);
    assert!(ids(&written).iter().all(|id| *id == first), "{written}");
}
