//! The ways to the end: violation, drain, close, and what is still done on them.

use super::*;
use crate::error::CloseReason;

const PROTOCOL_ERROR: &str = "{\"type\":\"pass\",\"name\":\"protocol_error\",\"data\":{\"code\":\"busy\",\"message\":\"m\"}}\n";

#[test]
fn a_violation_has_one_last_word_then_lingers_a_second_then_is_closed() {
    let mut end = End::server();
    end.feed(pass("1") + "x\n" + &pass("2") + "y\n");
    assert_eq!(end.events(), ["1"]);
    // The other end may be stuck writing: it is read on, and only then gets to read the word.
    assert!(end.connection.wants_read());
    assert!(!end.connection.wants_shutdown(), "the word is not written");
    assert_eq!(last_word(&end.written()), "bad_frame");
    end.clock(5);
    end.shut();
    assert_eq!(end.connection.next_deadline(), Some(end.at(1_005)));
    for ms in [6, 500, 1_004] {
        end.pass_time(ms);
        end.feed("z\n");
        end.feed(request("1", "7"));
        assert!(end.next().is_none());
        assert!(end.connection.wants_read());
        assert!(!end.connection.is_closed());
    }
    end.pass_time(1_005);
    assert!(end.connection.is_closed());
    assert!(!end.connection.wants_read());
    assert_eq!(end.written(), "");
    assert_eq!(end.connection.next_deadline(), None);
    assert!(matches!(
        end.connection.close_reason(),
        Some(CloseReason::Violated(error)) if error.code == "bad_frame"
    ));
}

#[test]
fn a_violation_closes_as_soon_as_the_other_end_does() {
    let mut end = End::server();
    end.feed("x\n");
    assert!(end.next().is_none());
    end.shut();
    assert!(!end.connection.is_closed());
    end.connection.input_ended();
    assert!(end.connection.is_closed());

    let mut end = End::server();
    end.feed("x\n");
    assert!(end.next().is_none());
    end.connection.input_ended();
    end.shut();
    assert!(end.connection.is_closed());
}

#[test]
fn what_is_due_before_a_violation_is_written_before_its_word() {
    let mut end = End::server();
    end.feed(request("1", "7") + "x\n");
    let seen = end.next().unwrap();
    end.answer(&seen, "2");
    assert!(end.next().is_none());
    let output = end.written();
    assert!(output.starts_with(&response("2", "7")));
    assert_eq!(last_word(&output), "bad_frame");
}

#[test]
fn nothing_follows_the_last_word() {
    let mut end = End::server();
    end.feed(request("1", "7"));
    let seen = end.next().unwrap();
    end.feed("x\n");
    assert!(end.next().is_none());
    end.answer(&seen, "2");
    end.connection.send_frame(b"{}\n");
    end.connection
        .violated(WireError::new(ErrorCode::Internal, "again"));
    let call = end.call(Expects::Response, 1_000);
    assert_eq!(call.ends().len(), 1);
    assert_eq!(last_word(&end.written()), "bad_frame");
    assert!(end.connection.is_muted());
}

#[test]
fn what_arrives_after_a_violation_is_discarded_with_flat_memory() {
    let mut end = End::server();
    end.feed("x\n");
    assert!(end.next().is_none());
    let flood = vec![b'{'; 64 * 1024];
    for round in 0..200 {
        end.feed(&flood);
        assert!(end.next().is_none());
        end.set_aside();
        assert!(end.connection.input.plain.is_empty());
        assert!(end.connection.input.wire.is_empty());
        let held = end.connection.input.wire.capacity() + end.connection.input.plain.capacity();
        assert!(held <= 4 * flood.len(), "round {round}: {held} bytes");
        if round == 100 {
            end.shut();
        }
    }
}

#[test]
fn each_malformed_line_has_its_code() {
    let deep = "[".repeat(65) + &"]".repeat(65);
    for (line, code) in [
        ("x".to_owned(), "bad_frame"),
        ("[]".to_owned(), "bad_frame"),
        ("{}".to_owned(), "bad_type"),
        ("{\"type\":1}".to_owned(), "bad_type"),
        ("{\"type\":\"pass\"}".to_owned(), "bad_frame"),
        (pass(&deep).trim_end().to_owned(), "too_deep"),
        (
            "{\"type\":\"pass\",\"t\\u0079pe\":\"pass\",\"name\":\"wave\"}".to_owned(),
            "bad_frame",
        ),
        (pass("\"\\ud800\"").trim_end().to_owned(), "bad_frame"),
    ] {
        for handling in [false, true] {
            let mut end = End::server();
            end.feed(line.clone() + "\n");
            if handling {
                end.set_aside();
            }
            assert!(end.next().is_none());
            assert_eq!(last_word(&end.written()), code, "{line}");
            assert!(end.connection.wants_shutdown());
        }
    }
}

#[test]
fn the_other_ends_last_word_ends_the_link_without_an_answer() {
    for role in [Role::Server, Role::Client] {
        let mut end = End::new(role, Limits::server());
        end.feed(request("1", "7") + PROTOCOL_ERROR + &pass("2"));
        let seen = end.next().unwrap();
        assert!(end.next().is_none());
        end.answer(&seen, "2");
        end.connection
            .violated(WireError::new(ErrorCode::Internal, "no dispute"));
        assert_eq!(end.written(), "");
        end.shut();
        end.connection.input_ended();
        assert!(end.connection.is_closed());
        assert!(matches!(
            end.connection.close_reason(),
            Some(CloseReason::RefusedByPeer(error)) if error.code == "busy"
        ));
    }
}

#[test]
fn a_peer_cannot_speak_the_servers_last_word() {
    let mut end = End::client();
    end.feed(PROTOCOL_ERROR.replace(",\"name\"", ",\"from\":\"mallory\",\"name\""));
    end.feed(pass("1"));
    assert_eq!(end.events(), ["1"]);
}

#[test]
fn a_drain_handles_what_had_arrived_and_refuses_what_comes_later() {
    let mut end = End::server();
    end.feed(request("1", "a") + &request("2", "b"));
    end.connection.drain();
    end.feed(request("3", "c") + &pass("4"));
    let first = end.next().unwrap();
    end.answer(&first, "10");
    let second = end.next().unwrap();
    end.answer(&second, "20");
    assert!(end.next().is_none());
    let output = end.written();
    let expected = response("10", "a") + &response("20", "b");
    assert!(output.starts_with(&expected), "{output}");
    let refusal = &output[expected.len()..];
    assert_eq!(refusal.lines().count(), 1);
    assert!(refusal.contains("\"request_id\":\"c\",\"error\":{\"code\":\"shutting_down\""));
    assert_eq!(end.connection.counters().refused_passes, 1);
    // More may be in the socket until a read found nothing.
    assert!(!end.connection.wants_shutdown());
    end.feed(request("5", "d"));
    assert!(end.next().is_none());
    assert!(
        end.written()
            .contains("\"request_id\":\"d\",\"error\":{\"code\":\"shutting_down\"")
    );
    assert!(end.connection.input_is_drained());
    assert!(end.next().is_none());
    assert!(end.connection.wants_shutdown());
}

#[test]
fn a_drain_waits_for_handlers_beside_it() {
    let mut end = End::server();
    end.feed(request("1", "a"));
    let seen = end.next().unwrap();
    end.connection.set_handling(1);
    end.connection.drain();
    assert!(end.connection.input_is_drained());
    assert!(end.next().is_none());
    assert!(!end.connection.wants_shutdown());
    end.answer(&seen, "10");
    end.connection.set_handling(0);
    assert!(end.next().is_none());
    assert_eq!(end.written(), response("10", "a"));
    end.shut();
    end.pass_time(1_000);
    assert!(end.connection.is_closed());
}

#[test]
fn a_drain_handles_what_was_set_aside_before_it() {
    let mut end = End::server();
    let _call = end.call(Expects::Response, 60_000);
    let _ = end.written();
    end.feed(request("1", "a") + &request("2", "b"));
    end.set_aside();
    end.connection.drain();
    end.feed(request("3", "c"));
    end.set_aside();
    let handled: Vec<_> = std::iter::from_fn(|| {
        let seen = end.next()?;
        end.answer(&seen, "0");
        Some(seen.data)
    })
    .collect();
    assert_eq!(handled, ["1", "2"]);
    let output = end.written();
    assert!(output.contains("\"request_id\":\"c\",\"error\":{\"code\":\"shutting_down\""));
    assert_eq!(output.matches("shutting_down").count(), 1, "{output}");
}

#[test]
fn a_drain_of_an_idle_link_closes_it() {
    let mut end = End::server();
    assert!(!end.connection.input_is_drained(), "nothing drains yet");
    end.connection.drain();
    assert!(end.connection.input_is_drained());
    assert!(!end.connection.input_is_drained(), "told once");
    assert!(end.next().is_none());
    end.shut();
    assert!(!end.connection.is_closed());
    end.connection.input_ended();
    assert!(end.connection.is_closed());
    assert_eq!(end.written(), "");
}

#[test]
fn a_close_refuses_what_has_arrived_and_writes_what_is_due() {
    let mut end = End::server();
    end.feed(request("1", "a"));
    let seen = end.next().unwrap();
    end.answer(&seen, "10");
    end.feed(request("2", "b"));
    end.connection.close();
    assert!(end.next().is_none());
    let output = end.written();
    assert!(output.starts_with(&response("10", "a")));
    assert!(output.contains("shutting_down"));
    end.shut();
    end.pass_time(1_000);
    assert!(end.connection.is_closed());
}

#[test]
fn what_arrived_before_the_other_end_closed_is_handled_and_answered() {
    let mut end = End::server();
    end.feed(request("1", "a") + &request("2", "b") + "{\"type\"");
    end.connection.input_ended();
    for id in ["a", "b"] {
        let seen = end.next().unwrap();
        end.answer(&seen, "0");
        assert_eq!(end.written(), response("0", id));
    }
    assert!(end.next().is_none());
    end.shut();
    assert!(end.connection.is_closed());
}

#[test]
fn what_arrived_before_the_link_broke_is_handled_and_not_answered() {
    let mut end = End::server();
    end.feed(request("1", "a") + &pass("2"));
    end.connection.broken(CloseReason::PeerClosed);
    let seen = end.next().unwrap();
    end.answer(&seen, "0");
    assert_eq!(end.events(), ["2"]);
    assert_eq!(end.written(), "");
    assert!(end.connection.is_closed());
}

#[test]
fn nonsense_on_a_broken_link_is_the_end_of_its_events() {
    let mut end = End::server();
    end.feed(pass("1") + "x\n" + &pass("2"));
    end.connection.broken(CloseReason::PeerClosed);
    assert_eq!(end.events(), ["1"]);
    assert!(end.next().is_none());
    assert!(end.connection.is_closed());
    assert_eq!(
        end.connection.close_reason(),
        Some(&CloseReason::PeerClosed)
    );
}

#[test]
fn an_aborted_link_is_closed_at_once_and_writes_nothing() {
    for before in [
        (|_| {}) as fn(&mut End),
        |end| end.connection.drain(),
        |end| end.connection.close(),
        |end| {
            end.feed("x\n");
            while end.next().is_some() {}
        },
    ] {
        let mut end = End::server();
        let call = end.call(Expects::Response, 60_000);
        end.feed(request("1", "a"));
        before(&mut end);
        end.connection.abort();
        assert!(end.connection.is_closed());
        assert!(end.next().is_none());
        assert_eq!(end.written(), "");
        assert_eq!(call.ends().len(), 1);
        assert_eq!(end.connection.next_deadline(), None);
    }
}
