//! Calls that are passed on to other peers: what is remembered of them, for how long, and whose
//! answers end them.

mod ends;

use super::*;
use crate::connection::{Outbox, Outgoing, RelayedAnswer, RelayedCall, Share, Tried};
use crate::error::CloseReason;
use crate::ids::ConnectionId;

const BOB: ConnectionId = ConnectionId(1);
const CAROL: ConnectionId = ConnectionId(2);

const RELAY_TIMEOUT: u64 = 120_000;
const LINGER: u64 = 1_000;

fn ask(dest: &str, id: &str) -> String {
    format!(
        "{{\"type\":\"request\",\"dest\":\"{dest}\",\"name\":\"ask\",\"request_id\":\"{id}\"}}\n"
    )
}

fn knock(dest: &str, id: &str) -> String {
    format!(
        "{{\"type\":\"confirm_pass\",\"dest\":\"{dest}\",\"name\":\"knock\",\"pass_id\":\"{id}\"}}\n"
    )
}

fn to_alice(line: &str) -> String {
    line.replacen('{', "{\"dest\":\"alice\",", 1)
}

impl End {
    /// Takes what there is as a router does that knows bob and carol, and returns what it was.
    fn relay(&mut self) -> Vec<String> {
        let mut taken = Vec::new();
        while let Some((call, what)) = self.connection.next_event(self.now, |incoming| {
            let via = match incoming.dest {
                Some("bob") => BOB,
                Some("carol") => CAROL,
                _ => return Err(WireError::new(ErrorCode::PeerNotFound, "")),
            };
            let is_call = matches!(incoming.mode, Mode::ConfirmPass | Mode::Request);
            let call = is_call.then(|| RelayedCall::new(incoming, via));
            Ok((call, format!("{:?} {}", incoming.mode, incoming.id)))
        }) {
            if let Some(call) = call {
                self.connection.relayed(self.now, call);
            }
            taken.push(what);
        }
        taken
    }

    fn asks(&mut self, dest: &str, id: &str) {
        self.feed(ask(dest, id));
        assert_eq!(self.relay(), [format!("Request {id}")]);
    }

    fn knocks(&mut self, dest: &str, id: &str) {
        self.feed(knock(dest, id));
        assert_eq!(self.relay(), [format!("ConfirmPass {id}")]);
    }

    /// Asks for what is refused since the server stops.
    fn knocks_late(&mut self) {
        self.feed(knock("bob", "8"));
        assert!(self.relay().is_empty());
    }

    /// Reads on beside a handler; the ids of answers that were passed on at once.
    fn passed_on(&mut self) -> Vec<String> {
        let mut ids = Vec::new();
        self.connection.set_aside(self.now, |incoming| {
            assert_eq!(incoming.mode, Mode::Reply);
            ids.push(incoming.id.to_owned());
            Ok(())
        });
        ids
    }

    fn open(&self) -> usize {
        self.connection.relayed_calls()
    }

    /// The id and the code of each refusal that is written now.
    fn refusals(&mut self) -> Vec<(String, String)> {
        let output = self.written();
        let refusal = |line: &str| {
            assert!(
                !line.contains("\"from\"") && !line.contains("\"dest\""),
                "{line}"
            );
            let code = line.split("\"code\":\"").nth(1).expect("a refusal");
            (
                ids(line).remove(0),
                code.split('"').next().unwrap().to_owned(),
            )
        };
        output.lines().map(refusal).collect()
    }
}

/// An answer that another link took in, on its way to alice's.
fn answer(via: ConnectionId, line: &str) -> RelayedAnswer {
    let mut end = End::server();
    end.feed(to_alice(line));
    end.connection
        .next_event(end.now, |incoming| {
            assert_eq!(incoming.mode, Mode::Reply);
            let mut frame = Vec::new();
            incoming.frame.relay("bob", None, &mut frame);
            Ok(RelayedAnswer::new(incoming, via, Some(frame)))
        })
        .expect("an answer")
}

fn by_bob(line: &str) -> String {
    to_alice(line).replacen('{', "{\"from\":\"bob\",", 1)
}

fn pairs(refusals: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = refusals
        .iter()
        .map(|(id, code)| ((*id).into(), (*code).into()));
    owned.collect()
}

#[test]
fn an_answer_of_the_asked_peer_ends_its_call_and_is_sent_on_as_it_came() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.knocks("bob", "8");
    assert_eq!(end.open(), 2);
    assert_eq!(end.written(), "");
    end.connection
        .relay_answer(&answer(BOB, &acknowledgement("8")));
    assert_eq!(end.written(), by_bob(&acknowledgement("8")));
    assert_eq!(end.open(), 1);
    let late = response("{\"b\":1.50,\"b\":2}", "7");
    end.connection.relay_answer(&answer(BOB, &late));
    assert_eq!(end.written(), by_bob(&late));
    assert_eq!(end.open(), 0);
    assert_eq!(end.connection.counters(), super::super::Counters::default());
}

#[test]
fn any_other_answer_is_counted_and_ends_nothing() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.knocks("bob", "8");
    end.asks("carol", "9");
    let others = [
        answer(CAROL, &response("0", "7")),
        answer(BOB, &response("0", "9")),
        answer(BOB, &response("0", "77")),
        answer(BOB, &acknowledgement("7")),
        answer(BOB, &response("0", "8")),
        answer(ConnectionId(3), &response("0", "7")),
    ];
    for (count, other) in (1..).zip(&others) {
        end.connection.relay_answer(other);
        assert_eq!(end.connection.counters().ignored_answers, count);
    }
    assert_eq!(end.written(), "");
    assert_eq!(end.open(), 3);
    end.connection
        .relay_answer(&answer(BOB, &response("1", "7")));
    assert_eq!(end.written(), by_bob(&response("1", "7")));
    end.connection
        .relay_answer(&answer(BOB, &response("1", "7")));
    assert_eq!(end.written(), "");
    assert_eq!(end.connection.counters().ignored_answers, 7);
}

#[test]
fn an_answer_to_another_peer_is_handed_on_and_completes_no_call_of_this_end() {
    let mut end = End::server();
    let call = end.call(Expects::Response, 1_000);
    let id = end.id_of_call();
    end.feed(response("1", &id).replacen('{', "{\"dest\":\"bob\",", 1));
    assert_eq!(end.relay(), [format!("Reply {id}")]);
    assert!(call.ends().is_empty());
    end.feed(response("2", &id));
    assert!(end.relay().is_empty());
    assert_eq!(call.ends(), ["done 2"]);
}

#[test]
fn an_unanswered_call_times_out_to_the_millisecond() {
    let mut end = End::server();
    end.clock(5);
    end.asks("bob", "7");
    end.clock(1_000);
    end.knocks("carol", "8");
    let due = 5 + RELAY_TIMEOUT;
    assert_eq!(end.connection.next_deadline(), Some(end.at(due)));
    end.pass_time(due - 1);
    assert_eq!(end.written(), "");
    end.pass_time(due);
    assert_eq!(end.refusals(), pairs(&[("7", "timeout")]));
    assert_eq!(end.open(), 1);
    let due = 1_000 + RELAY_TIMEOUT;
    assert_eq!(end.connection.next_deadline(), Some(end.at(due)));
    end.pass_time(due - 1);
    assert_eq!(end.written(), "");
    end.pass_time(due);
    assert_eq!(end.refusals(), pairs(&[("8", "timeout")]));
    assert_eq!(end.connection.next_deadline(), None);
    // The late answer is one that nobody awaits.
    end.connection
        .relay_answer(&answer(BOB, &response("1", "7")));
    assert_eq!(end.written(), "");
    assert_eq!(end.connection.counters().ignored_answers, 1);
}

#[test]
fn calls_that_time_out_together_do_so_in_their_order() {
    let mut end = End::server_with(|limits| limits.relay_timeout = Duration::from_millis(10));
    for n in 0..100 {
        end.asks(["bob", "carol"][n % 2], &n.to_string());
    }
    end.pass_time(10);
    let ids: Vec<_> = end.refusals().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_call_that_is_sent_again_while_it_is_open_stays_one_and_keeps_its_time() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.clock(60_000);
    end.asks("bob", "7");
    assert_eq!(end.open(), 1);
    end.pass_time(RELAY_TIMEOUT);
    assert_eq!(end.refusals(), pairs(&[("7", "timeout")]));
    end.pass_time(60_000 + RELAY_TIMEOUT);
    assert_eq!(end.written(), "");
}

#[test]
fn a_confirmed_pass_and_a_request_of_one_id_are_two_calls() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.knocks("bob", "7");
    end.asks("carol", "7");
    assert_eq!(end.open(), 3);
    for (via, line) in [(BOB, acknowledgement("7")), (BOB, response("1", "7"))] {
        assert!(end.connection.relay_answer(&answer(via, &line)));
        assert!(!end.connection.relay_answer(&answer(via, &line)));
    }
    assert_eq!(end.open(), 1);
    let _ = end.written();
    end.connection.peer_gone(CAROL);
    assert_eq!(end.refusals(), pairs(&[("7", "peer_gone")]));
}

#[test]
fn an_answer_without_room_ends_its_call_as_internal() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.knocks("bob", "8");
    let without = |line: &str| answer(BOB, line).without_frame();
    assert!(!end.connection.relay_answer(&without(&response("1", "9"))));
    assert!(end.connection.relay_answer(&without(&response("1", "7"))));
    assert!(end.connection.relay_answer(&without(&acknowledgement("8"))));
    assert_eq!(
        end.refusals(),
        pairs(&[("7", "internal"), ("8", "internal")])
    );
    assert_eq!(end.open(), 0);
}

#[test]
fn above_the_limit_calls_to_peers_are_busy_and_all_else_goes_on() {
    for limit in [1, 3] {
        let mut end = End::server_with(|limits| limits.relayed_calls = limit);
        for n in 0..limit {
            end.asks("bob", &n.to_string());
        }
        end.feed(ask("carol", "over") + &knock("bob", "over"));
        assert!(end.relay().is_empty());
        assert_eq!(end.refusals(), pairs(&[("over", "busy"), ("over", "busy")]));
        assert_eq!(end.connection.counters().busy, 2);
        // Passes, answers, and events for the server itself.
        end.feed("{\"type\":\"pass\",\"dest\":\"bob\",\"name\":\"wave\"}\n");
        end.feed(response("1", "x").replacen('{', "{\"dest\":\"bob\",", 1));
        assert_eq!(end.relay(), ["Pass ", "Reply x"]);
        end.feed(request("1", "own"));
        assert_eq!(end.events(), ["1"]);
        assert_eq!(end.open(), limit);
        // One that ends makes room for one.
        end.connection
            .relay_answer(&answer(BOB, &response("1", "0")));
        let _ = end.written();
        end.asks("carol", "next");
        end.feed(ask("carol", "over"));
        assert!(end.relay().is_empty());
        assert_eq!(end.refusals(), pairs(&[("over", "busy")]));
        end.connection.peer_gone(CAROL);
        assert_eq!(end.refusals(), pairs(&[("next", "peer_gone")]));
        end.asks("bob", "after");
    }
}

#[test]
fn when_a_peer_is_gone_its_calls_end_in_their_order_and_others_stay() {
    let mut end = End::server();
    for n in 0..50 {
        if n % 2 == 0 {
            end.asks("bob", &n.to_string());
        } else {
            end.knocks("bob", &n.to_string());
        }
        end.asks("carol", &format!("c{n}"));
    }
    end.connection
        .relay_answer(&answer(BOB, &response("1", "4")));
    let _ = end.written();
    end.connection.peer_gone(BOB);
    let gone: Vec<_> = end.refusals();
    let expected = (0..50)
        .filter(|n| *n != 4)
        .map(|n: i32| (n.to_string(), "peer_gone".to_owned()));
    assert_eq!(gone, expected.collect::<Vec<_>>());
    assert_eq!(end.open(), 50);
    end.connection.peer_gone(BOB);
    end.connection.peer_gone(ConnectionId(3));
    assert_eq!(end.written(), "");
    end.connection
        .relay_answer(&answer(CAROL, &response("1", "c0")));
    assert_ne!(end.written(), "");
}

#[test]
fn a_refusal_in_a_peers_place_has_the_words_of_its_kind() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.knocks("bob", "8");
    end.connection.peer_gone(BOB);
    let written = end.written();
    let lines: Vec<_> = written.lines().collect();
    let start = "{\"type\":\"response\",\"name\":\"ask\",\"request_id\":\"7\",\"error\":{\"code\":\"peer_gone\"";
    assert!(lines[0].starts_with(start), "{written}");
    let start = "{\"type\":\"confirm_pass\",\"pass_id\":\"8\",\"error\":{\"code\":\"peer_gone\"";
    assert!(lines[1].starts_with(start), "{written}");
}

#[test]
fn ids_are_kept_whole_and_long_names_are_cut() {
    let mut end = End::server();
    let id = "\\u00e9".repeat(32);
    let line = ask("bob", &id).replace("\"ask\"", &format!("\"{}\"", "n".repeat(1_000)));
    end.feed(line);
    assert_eq!(end.relay().len(), 1);
    end.connection.peer_gone(BOB);
    let written = end.written();
    assert!(
        written.contains(&format!("\"request_id\":\"{}\"", "é".repeat(32))),
        "{written}"
    );
    assert!(
        written.contains(&format!("\"name\":\"{}\"", "n".repeat(64))),
        "{written}"
    );
}

#[test]
fn beside_a_handler_events_for_peers_wait_their_turn_and_answers_do_not() {
    let reply = |id| response("1", id).replacen('{', "{\"dest\":\"bob\",", 1);
    let mut end = End::server_with(|limits| limits.queued_events = 1);
    let _call = end.call(Expects::Response, 60_000);
    let _ = end.written();
    end.feed(reply("x") + &ask("bob", "7") + &reply("y") + &ask("bob", "8") + &reply("z"));
    // However full it is: an answer begins nothing new, and its asker waits for it.
    assert_eq!(end.passed_on(), ["x", "y", "z"]);
    assert_eq!(end.refusals(), pairs(&[("8", "busy")]));
    assert_eq!(end.connection.counters().ignored_answers, 0);
    assert_eq!(end.relay(), ["Request 7"]);
    assert_eq!(end.open(), 1);
}

#[test]
fn only_a_server_passes_on() {
    let mut end = End::client();
    end.feed(request("1", "7").replacen('{', "{\"dest\":\"bob\",\"from\":\"carol\",", 1));
    let seen = end.next().expect("an event of its own");
    end.answer(&seen, "2");
    assert_eq!(
        end.written(),
        response("2", "7").replacen(",\"name\"", ",\"dest\":\"carol\",\"name\"", 1)
    );
    end.feed(response("1", "7").replacen('{', "{\"dest\":\"bob\",", 1));
    assert!(end.next().is_none());
    assert_eq!(end.connection.counters().ignored_answers, 1);
}

#[test]
fn what_peers_send_gets_half_of_a_queue_and_answers_all_of_it() {
    let frame = |size: usize| Outgoing::Frame(vec![b'x'; size]);
    for (max_events, max_bytes) in [(8, 1_000_000), (1_000_000, 80), (8, 80)] {
        let outbox = Outbox::new(&limits(max_events, max_bytes));
        for _ in 0..4 {
            assert_eq!(outbox.try_push(frame(10), Share::Half), Tried::Queued);
        }
        assert_eq!(outbox.try_push(frame(10), Share::Half), Tried::Full);
        for _ in 0..4 {
            assert_eq!(outbox.try_push(frame(10), Share::Whole), Tried::Queued);
        }
        assert_eq!(outbox.try_push(frame(10), Share::Whole), Tried::Full);
        // There is always room to say that somebody has left.
        outbox.peer_gone(BOB);
    }
    let smallest = Outbox::new(&limits(1, 1));
    assert_eq!(smallest.try_push(frame(9), Share::Half), Tried::Queued);
    assert_eq!(smallest.try_push(frame(0), Share::Whole), Tried::Full);
}

/// Its first answer is on its way then, and ends it here; nobody else would ever tell the hub.
#[test]
fn a_call_that_is_new_to_the_hub_and_open_here_is_one_call_and_settled_at_the_hub() {
    let mut end = End::server();
    for (round, settled) in [(true, 0), (false, 0), (true, 1)] {
        end.feed(ask("bob", "7"));
        let call = end.connection.next_event(end.now, |incoming| {
            Ok(RelayedCall::new(incoming, BOB).new_to_hub(round))
        });
        end.connection.relayed(end.now, call.expect("a call"));
        assert_eq!(end.connection.take_unanswered().len(), settled);
        assert_eq!(end.open(), 1);
    }
}

#[test]
fn of_ended_calls_only_those_are_kept_that_a_hub_waits_for() {
    for (at_hub, kept) in [(false, 0), (true, 2)] {
        let mut end = End::server();
        end.feed(ask("bob", "7") + &ask("bob", "8"));
        for _ in 0..2 {
            let call = end.connection.next_event(end.now, |incoming| {
                let call = RelayedCall::new(incoming, BOB);
                Ok(if at_hub { call.new_to_hub(true) } else { call })
            });
            end.connection.relayed(end.now, call.expect("a call"));
        }
        end.connection.peer_gone(BOB);
        assert_eq!(end.refusals().len(), 2);
        assert_eq!(end.connection.take_unanswered().len(), kept);
    }
}
