//! Calls of this end: their ids, and the one end that each of them has.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::error::CloseReason;

const BOTH: [Expects; 2] = [Expects::Acknowledgement, Expects::Response];

fn answer_to(expects: Expects, id: &str) -> String {
    match expects {
        Expects::Acknowledgement => acknowledgement(id),
        Expects::Response => response("null", id),
    }
}

#[test]
fn a_call_ends_at_its_deadline_and_not_a_millisecond_before() {
    for expects in BOTH {
        let mut end = End::client();
        let call = end.call(expects, 1_000);
        assert_eq!(end.connection.next_deadline(), Some(end.at(1_000)));
        end.pass_time(999);
        assert!(call.ends().is_empty());
        end.pass_time(1_000);
        assert_eq!(call.ends(), ["timed out"]);
        end.pass_time(1_001);
        assert_eq!(call.ends(), ["timed out"]);
        assert_eq!(end.connection.next_deadline(), None);
    }
}

#[test]
fn an_answer_counts_until_the_deadline_has_passed() {
    for expects in BOTH {
        let mut end = End::client();
        let call = end.call(expects, 1_000);
        let id = end.id_of_call();
        end.pass_time(999);
        end.feed(answer_to(expects, &id));
        assert!(end.next().is_none());
        assert_eq!(call.ends(), ["done null"]);
        end.pass_time(1_000);
        assert_eq!(call.ends(), ["done null"]);

        let call = end.call(expects, 1_000);
        let id = end.id_of_call();
        end.pass_time(2_000);
        assert_eq!(call.ends(), ["timed out"]);
        end.feed(answer_to(expects, &id));
        assert!(end.next().is_none());
        assert_eq!(call.ends(), ["timed out"]);
        assert_eq!(end.connection.counters().ignored_answers, 1);
    }
}

#[test]
fn deadlines_expire_one_by_one_in_any_order_of_opening() {
    let mut end = End::client();
    let calls: Vec<_> = [300, 100, 200, 100]
        .map(|ms| end.call(Expects::Response, ms))
        .into();
    let ended = |calls: &[Arc<Probe>]| -> Vec<usize> {
        calls.iter().map(|call| call.ends().len()).collect()
    };
    for (ms, expected) in [
        (99, [0, 0, 0, 0]),
        (100, [0, 1, 0, 1]),
        (199, [0, 1, 0, 1]),
        (200, [0, 1, 1, 1]),
        (299, [0, 1, 1, 1]),
        (300, [1, 1, 1, 1]),
    ] {
        assert!(end.connection.next_deadline().is_some(), "before {ms}");
        end.pass_time(ms);
        assert_eq!(ended(&calls), expected, "at {ms}");
    }
    assert_eq!(end.connection.next_deadline(), None);
}

#[test]
fn an_answer_completes_exactly_one_waiter() {
    let mut end = End::client();
    let calls: Vec<_> = (0..5).map(|_| end.call(Expects::Response, 1_000)).collect();
    let ids = ids(&end.written());
    assert_eq!(ids.len(), 5);
    for at in [3, 0, 4, 2, 1] {
        end.feed(response(&at.to_string(), &ids[at]));
        assert!(end.next().is_none());
        assert_eq!(calls[at].ends(), [format!("done {at}")]);
    }
    assert!(calls.iter().all(|call| call.ends().len() == 1));
    assert!(!end.connection.has_open_calls());
    assert_eq!(end.connection.counters().ignored_answers, 0);
}

#[test]
fn a_repeated_answer_is_counted_and_ignored() {
    for expects in BOTH {
        let mut end = End::client();
        let call = end.call(expects, 1_000);
        let id = end.id_of_call();
        for _ in 0..3 {
            end.feed(answer_to(expects, &id));
            assert!(end.next().is_none());
        }
        assert_eq!(call.ends().len(), 1);
        assert_eq!(end.connection.counters().ignored_answers, 2);
    }
}

#[test]
fn an_answer_does_not_reach_a_later_call_in_the_same_place() {
    let mut end = End::client();
    let first = end.call(Expects::Response, 1_000);
    let first_id = end.id_of_call();
    end.feed(response("1", &first_id));
    assert!(end.next().is_none());
    let second = end.call(Expects::Response, 1_000);
    let _ = end.written();
    end.feed(response("2", &first_id));
    assert!(end.next().is_none());
    assert_eq!(first.ends(), ["done 1"]);
    assert!(second.ends().is_empty());
    assert_eq!(end.connection.counters().ignored_answers, 1);
}

#[test]
fn a_forged_answer_is_counted_and_ignored() {
    let mut end = End::client();
    let call = end.call(Expects::Response, 1_000);
    let id = end.id_of_call();
    let (head, slot) = id.split_at(id.len() - 6);
    let other_slot = if slot == "000000" { "000001" } else { "000000" };
    let mut flipped = head.to_owned();
    flipped.replace_range(0..1, if id.starts_with('0') { "1" } else { "0" });
    let from_mallory = response("null", &id).replace(",\"name\"", ",\"from\":\"mallory\",\"name\"");
    let forged = [
        response("null", "x"),
        response("null", &"f".repeat(64)),
        response("null", "ffffffff-ffff-7fff-bfff-ffffffffffff"),
        response("null", &format!("{head}{other_slot}")),
        response("null", &format!("{flipped}{slot}")),
        acknowledgement(&id),
        from_mallory,
    ];
    for (count, answer) in (1..).zip(&forged) {
        end.feed(answer);
        assert!(end.next().is_none());
        assert!(call.ends().is_empty(), "{answer}");
        assert_eq!(end.connection.counters().ignored_answers, count);
    }
    end.feed(response("true", &id));
    assert!(end.next().is_none());
    assert_eq!(call.ends(), ["done true"]);
}

#[test]
fn a_response_does_not_confirm_a_pass() {
    let mut end = End::client();
    let call = end.call(Expects::Acknowledgement, 1_000);
    let id = end.id_of_call();
    end.feed(response("null", &id));
    assert!(end.next().is_none());
    assert!(call.ends().is_empty());
    assert_eq!(end.connection.counters().ignored_answers, 1);
}

#[test]
fn only_the_peer_that_was_asked_can_answer() {
    let mut end = End::client();
    let call = end.call_peer("bob", 1_000);
    let id = end.id_of_call();
    let from = |peer: &str| {
        let member = format!(",\"from\":\"{peer}\",\"name\"");
        response("null", &id).replace(",\"name\"", &member)
    };
    for answer in [response("null", &id), from("mallory"), from("bob ")] {
        end.feed(&answer);
        assert!(end.next().is_none());
        assert!(call.ends().is_empty(), "{answer}");
    }
    end.feed(from("b\\u006fb"));
    assert!(end.next().is_none());
    assert_eq!(call.ends(), ["done null"]);
    assert_eq!(end.connection.counters().ignored_answers, 3);
}

#[test]
fn the_server_can_refuse_what_a_peer_was_asked_and_other_peers_cannot() {
    let mut end = End::client();
    let call = end.call_peer("bob", 1_000);
    let id = end.id_of_call();
    let refusal = format!(
        "{{\"type\":\"response\",\"name\":\"ask\",\"request_id\":\"{id}\",\"error\":{{\"code\":\"peer_not_found\"}}}}\n"
    );
    end.feed(refusal.replace(",\"name\"", ",\"from\":\"mallory\",\"name\""));
    assert!(end.next().is_none());
    assert!(call.ends().is_empty());
    end.feed(refusal);
    assert!(end.next().is_none());
    assert_eq!(call.ends(), ["refused peer_not_found"]);
}

#[test]
fn a_server_ignores_what_a_client_writes_into_from() {
    let mut end = End::server();
    let call = end.call(Expects::Response, 1_000);
    let id = end.id_of_call();
    end.feed(response("2", &id).replace(",\"name\"", ",\"from\":\"mallory\",\"name\""));
    assert!(end.next().is_none());
    assert_eq!(call.ends(), ["done 2"]);

    end.feed(request("1", "7").replace(",\"name\"", ",\"from\":\"mallory\",\"name\""));
    let seen = end.next().unwrap();
    end.answer(&seen, "2");
    assert_eq!(end.written(), response("2", "7"), "no `dest`");
}

#[test]
fn ids_are_uuids_of_version_7_in_the_usual_text() {
    let mut end = End::client();
    let mut seen = HashSet::new();
    for count in 0..1_000 {
        end.clock(count / 10);
        let call = end.call(Expects::Response, 1_000);
        let id = end.id_of_call();
        assert_eq!(id.len(), 36);
        assert!(
            id.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                14 => byte == b'7',
                19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            }),
            "{id}"
        );
        if count % 3 == 0 {
            end.feed(response("null", &id));
            assert!(end.next().is_none());
            assert_eq!(call.ends().len(), 1);
        }
        assert!(seen.insert(id), "an id was used twice");
    }
}

#[test]
fn odd_ids_of_the_other_end_come_back_as_they_were() {
    let plain = [
        "7",
        " ",
        "é",
        "😀",
        "\u{7f}",
        "null",
        "a'b",
        &"x".repeat(64),
    ]
    .map(str::to_owned);
    let escaped = [r#"\""#, r"\\", r"\n\t\r\b\f", r"\u0000", r"\u001f"].map(str::to_owned);
    for id in plain.into_iter().chain(escaped) {
        let mut end = End::server();
        end.feed(request("1", &id));
        let seen = end.next().unwrap();
        end.answer(&seen, "2");
        assert_eq!(end.written(), response("2", &id));

        let pass =
            format!("{{\"type\":\"confirm_pass\",\"name\":\"note\",\"pass_id\":\"{id}\"}}\n");
        end.feed(pass);
        let seen = end.next().unwrap();
        end.answer(&seen, "");
        assert_eq!(end.written(), acknowledgement(&id));

        end.feed(request("1", &id).replace("ask", "nothing"));
        assert!(end.next().is_none());
        assert_eq!(ids_unescaped(&end.written()), [id]);
    }
    // The same id in other words: it comes back with the same meaning.
    let mut end = End::server();
    end.feed(request("1", r"\u0061\/\ud83d\ude00"));
    let seen = end.next().unwrap();
    end.answer(&seen, "2");
    assert_eq!(end.written(), response("2", "a/😀"));
}

/// The text of the id in the only frame of `output`, with its escapes.
fn ids_unescaped(output: &str) -> [String; 1] {
    let (_, rest) = output.split_once("_id\":\"").unwrap();
    let (id, _) = rest.split_once("\",\"error\":").unwrap();
    [id.to_owned()]
}

#[test]
fn a_call_that_nobody_awaits_frees_its_place() {
    let mut end = End::server_with(|limits| limits.open_calls = 2);
    let first = end.call(Expects::Response, 1_000);
    let first_id = end.id_of_call();
    let second = end.call(Expects::Response, 1_000);
    let second_id = end.id_of_call();
    assert!(!end.connection.has_room_for_call());
    end.connection.sweep_abandoned();
    assert!(!end.connection.has_room_for_call(), "both are awaited");
    first.abandon();
    end.connection.sweep_abandoned();
    assert!(end.connection.has_room_for_call());
    assert!(end.connection.has_open_calls());
    end.feed(response("1", &first_id));
    end.feed(response("2", &second_id));
    assert!(end.next().is_none());
    assert!(first.ends().is_empty());
    assert_eq!(second.ends(), ["done 2"]);
    assert_eq!(end.connection.counters().ignored_answers, 1);
    assert!(!end.connection.has_open_calls());
    assert_eq!(end.connection.next_deadline(), None);
}

#[test]
fn a_call_that_is_abandoned_before_it_is_written_is_not_written() {
    let mut end = End::client();
    let waiter = Probe::new();
    waiter.abandon();
    let call = call(&waiter, Expects::Response, 1_000);
    end.connection.send_call(end.now, call);
    assert_eq!(end.written(), "");
    assert!(!end.connection.has_open_calls());
}

#[test]
fn a_call_without_time_is_not_written() {
    let mut end = End::client();
    let call = end.call(Expects::Response, 0);
    assert_eq!(call.ends(), ["not sent in time"]);
    assert_eq!(end.written(), "");
    assert_eq!(end.connection.next_deadline(), None);
}

#[test]
fn a_call_may_wait_for_ever() {
    let mut end = End::client();
    let waiter = Probe::new();
    let mut call = call(&waiter, Expects::Response, 0);
    call.timeout = Duration::MAX;
    end.connection.send_call(end.now, call);
    let id = end.id_of_call();
    end.pass_time(24 * 60 * 60 * 1_000);
    assert!(waiter.ends().is_empty());
    end.feed(response("1", &id));
    assert!(end.next().is_none());
    assert_eq!(waiter.ends(), ["done 1"]);
}

#[test]
fn every_end_of_the_link_ends_every_call() {
    type Ending = (fn(&mut End), &'static str);
    let endings: [Ending; 6] = [
        (
            |end| end.connection.input_ended(),
            "lost: closed by the other end",
        ),
        (
            |end| end.connection.broken(CloseReason::PeerClosed),
            "lost: closed by the other end",
        ),
        (|end| end.connection.abort(), "lost: closed by this end"),
        (
            |end| {
                end.feed("x\n");
                assert!(end.next().is_none());
            },
            "lost: the other end broke the protocol: bad_frame: expected a JSON object (byte 0)",
        ),
        (
            |end| {
                end.feed(concat!(
                    r#"{"type":"pass","name":"protocol_error","#,
                    r#""data":{"code":"busy","message":"m"}}"#,
                    "\n"
                ));
                assert!(end.next().is_none());
            },
            "lost: refused by the other end: busy: m",
        ),
        (
            |end| {
                end.connection.close();
                end.shut();
                end.pass_time(1_000);
            },
            "lost: closed by this end",
        ),
    ];
    for (ending, expected) in endings {
        let mut end = End::client();
        let calls: Vec<_> = BOTH.map(|expects| end.call(expects, 60_000)).into();
        end.connection.sweep_abandoned();
        let _ = end.written();
        ending(&mut end);
        for call in &calls {
            assert_eq!(call.ends(), [expected]);
        }
        assert!(!end.connection.has_open_calls());
        // A later call does not hang either.
        let late = end.call(Expects::Response, 60_000);
        let (_, reason) = expected.split_once(": ").unwrap();
        assert_eq!(late.ends(), [format!("not sent: {reason}")]);
    }
}

#[test]
fn an_answer_within_the_linger_still_counts() {
    let mut end = End::client();
    let (in_time, too_late) = (
        end.call(Expects::Response, 60_000),
        end.call(Expects::Response, 60_000),
    );
    let ids = ids(&end.written());
    end.connection.close();
    end.shut();
    end.pass_time(999);
    assert!(end.connection.wants_read());
    end.feed(response("1", &ids[0]));
    assert!(end.next().is_none());
    assert_eq!(in_time.ends(), ["done 1"]);
    end.pass_time(1_000);
    assert!(end.connection.is_closed());
    assert_eq!(too_late.ends(), ["lost: closed by this end"]);
}
