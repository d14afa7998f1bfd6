//! Frames that are good and events that are not: the event is refused, the link lives on.

use protocol_tests::{Seen, run};

use crate::desk::{Attacked, attacked};
use crate::peer::{Peer, SECRET, add, confirm, pass, request};

/// Sends `data` as event `name` in every form; each is refused with `code`, and the link lives on.
async fn refused(attacked: &mut Attacked, name: &str, data: &str, dest: &str, code: &str) {
    let mut peer = Peer::connect(attacked.server.address()).await;
    let to = |line: String| line.replacen(",\"name\"", &format!("{dest},\"name\""), 1);

    let answer = peer.ask(&to(request(name, data, "id-1"))).await;
    assert_eq!(answer["type"], "response", "{answer}");
    assert_eq!(answer["name"], name, "{answer}");
    assert_eq!(answer["request_id"], "id-1", "{answer}");
    assert_eq!(answer["error"]["code"], code, "{answer}");
    assert!(answer["error"]["message"].is_string(), "{answer}");
    assert!(answer.get("data").is_none(), "{answer}");

    let answer = peer.ask(&to(confirm(name, data, "id-2"))).await;
    assert_eq!(answer["type"], "confirm_pass", "{answer}");
    assert_eq!(answer["pass_id"], "id-2", "{answer}");
    assert!(answer.get("name").is_none(), "{answer}");
    assert!(answer["error"]["code"].is_string(), "{answer}");

    peer.write(to(pass(name, data)) + "\n").await;
    peer.is_served().await;
    let Some(Seen::PassRefused(refused, _)) = attacked.notices.try_next() else {
        panic!("the pass was not reported");
    };
    assert_eq!(refused, name);
    assert_eq!(attacked.notices.try_next(), None);
}

#[test]
fn an_unknown_event_is_refused_and_the_link_lives_on() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let data = format!("{{\"text\":\"{SECRET}\"}}");
        for name in [
            "", "Note", "note ", "nothing", "back", "cancel", "\\u0000", "é",
        ] {
            let mut peer = Peer::connect(attacked.server.address()).await;
            let answer = peer.ask(&request(name, &data, "7")).await;
            assert_eq!(answer["error"]["code"], "unknown_event", "{name}");
            peer.is_served().await;
        }
        refused(&mut attacked, "nothing", &data, "", "unknown_event").await;
    });
}

#[test]
fn data_that_does_not_fit_is_refused_with_its_place() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        for data in [
            format!("{{\"a\":\"{SECRET}\",\"b\":2}}"),
            format!("{{\"{SECRET}\":1}}"),
            format!("\"{SECRET}\""),
            format!("[\"{SECRET}\"]"),
            format!("{{\"a\":1,\"b\":2,\"a\":\"{SECRET}\"}}"),
            "null".to_owned(),
            "{\"a\":1e400,\"b\":2}".to_owned(),
            "{\"a\":9223372036854775808,\"b\":2}".to_owned(),
        ] {
            refused(&mut attacked, "add", &data, "", "bad_data").await;
            let mut peer = Peer::connect(attacked.server.address()).await;
            let answer = peer.ask(&request("add", &data, "7")).await;
            let place = &answer["error"]["data"];
            assert!(place["path"].is_string(), "{answer}");
            assert!(place["expected"].is_string(), "{answer}");
        }
    });
}

#[test]
fn an_event_of_the_other_kind_is_refused() {
    run(async {
        let attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let data = format!("{{\"text\":\"{SECRET}\",\"a\":1,\"b\":2}}");
        let answer = peer.ask(&request("note", &data, "7")).await;
        assert_eq!(answer["error"]["code"], "bad_type");
        let answer = peer.ask(&confirm("add", &data, "7")).await;
        assert_eq!(answer["error"]["code"], "bad_type");
        peer.is_served().await;
    });
}

#[test]
fn data_over_the_events_own_limit_is_too_large() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let fits = format!("\"{}\"", "x".repeat(14));
        let answer = peer.ask(&confirm("label", &fits, "7")).await;
        assert!(answer.get("error").is_none(), "{answer}");
        attacked.hears(&"x".repeat(14)).await;
        let answer = peer
            .ask(&confirm("label", &format!("\"{}\"", "x".repeat(15)), "8"))
            .await;
        assert_eq!(answer["error"]["code"], "too_large");
        let long = format!("\"{}\"", SECRET.repeat(100));
        let answer = peer.ask(&confirm("label", &long, "9")).await;
        assert_eq!(answer["error"]["code"], "too_large");
        peer.is_served().await;
    });
}

#[test]
fn a_server_without_a_relay_finds_no_peer() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let data = format!("{{\"text\":\"{SECRET}\"}}");
        for dest in [",\"dest\":\"bob\"", ",\"dest\":\"\\u0000\""] {
            refused(&mut attacked, "add", &data, dest, "peer_not_found").await;
        }
    });
}

#[test]
fn a_room_can_neither_answer_nor_confirm() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let data = format!("{{\"text\":\"{SECRET}\"}}");
        let dest = ",\"dest\":\"#room\"";
        refused(&mut attacked, "add", &data, dest, "not_allowed").await;
    });
}

#[test]
fn a_handler_that_panics_costs_its_event_only() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let data = format!("{{\"text\":\"{SECRET}\"}}");
        for id in ["a", "b"] {
            let answer = peer.ask(&request("panic", &data, id)).await;
            assert_eq!(answer["error"]["code"], "internal", "{answer}");
            assert_eq!(answer["request_id"], id);
            peer.is_served().await;
            assert_eq!(
                attacked.notices.next().await,
                Seen::HandlerPanicked("panic".to_owned())
            );
        }
        attacked.serves_others().await;
    });
}

#[test]
fn a_forged_sender_is_not_believed() {
    run(async {
        let attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let line = add(1, 2, "a").replacen(",\"name\"", ",\"from\":\"admin\",\"name\"", 1);
        let answer = peer.ask(&line).await;
        assert_eq!(answer["data"]["sum"], 3);
        assert!(answer.get("dest").is_none(), "{answer}");
        assert!(answer.get("from").is_none(), "{answer}");
    });
}

#[test]
fn answers_that_nobody_asked_for_are_counted_and_ignored() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let id = "01939c1e-7a3b-7def-8123-000000000000";
        for id in ["x", "0", id, &"f".repeat(64)] {
            let answers = [
                format!(
                    "{{\"type\":\"response\",\"name\":\"back\",\"data\":1,\"request_id\":\"{id}\"}}\n"
                ),
                format!("{{\"type\":\"confirm_pass\",\"pass_id\":\"{id}\"}}\n"),
                format!(
                    "{{\"type\":\"confirm_pass\",\"pass_id\":\"{id}\",\"error\":{{\"code\":\"{SECRET}\"}}}}\n"
                ),
            ];
            for answer in answers {
                peer.write(answer).await;
                assert_eq!(attacked.notices.next().await, Seen::AnswerIgnored);
            }
        }
        peer.is_served().await;
    });
}

#[test]
fn only_the_true_answer_reaches_a_handler_that_asks_back() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let asked = peer.ask(&request("ask_back", "null", "mine")).await;
        assert_eq!(asked["name"], "back");
        let id = asked["request_id"].as_str().unwrap();
        let last = if id.ends_with('0') { "1" } else { "0" };
        let other = format!("{}{last}", &id[..id.len() - 1]);
        peer.write(format!(
            "{{\"type\":\"confirm_pass\",\"pass_id\":\"{id}\"}}\n"
        ))
        .await;
        assert_eq!(attacked.notices.next().await, Seen::AnswerIgnored);
        let answer = |id: &str, sum: i64| {
            format!(
                "{{\"type\":\"response\",\"name\":\"back\",\"data\":{{\"sum\":{sum}}},\"request_id\":\"{id}\"}}\n"
            )
        };
        peer.write(answer(&other, 1)).await;
        assert_eq!(attacked.notices.next().await, Seen::AnswerIgnored);
        peer.write(answer(id, 2) + &answer(id, 3)).await;
        assert_eq!(peer.json().await["data"]["sum"], 2);
        assert_eq!(attacked.notices.next().await, Seen::AnswerIgnored);
        peer.is_served().await;
    });
}

#[test]
fn beside_a_handler_that_waits_for_an_answer_too_many_events_get_busy() {
    run(async {
        let mut attacked = attacked(|limits| limits.connection.queued_events = 2).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let asked = peer.ask(&request("ask_back", "null", "mine")).await;
        let id = asked["request_id"].as_str().unwrap();
        let note = format!("{{\"text\":\"{SECRET}\"}}");
        let lines = [
            add(1, 0, "first"),
            add(2, 0, "second"),
            add(3, 0, "third"),
            confirm("note", &note, "fourth"),
            pass("note", &note),
        ];
        peer.write(lines.join("\n") + "\n").await;
        let refusal = peer.json().await;
        assert_eq!(refusal["request_id"], "third");
        assert_eq!(refusal["error"]["code"], "busy");
        let refusal = peer.json().await;
        assert_eq!(refusal["pass_id"], "fourth");
        assert_eq!(refusal["error"]["code"], "busy");
        assert_eq!(attacked.notices.next().await, Seen::refused("note", "busy"));
        peer.write(format!(
            "{{\"type\":\"response\",\"name\":\"back\",\"data\":{{\"sum\":9}},\"request_id\":\"{id}\"}}\n"
        ))
        .await;
        for (id, sum) in [("mine", 9), ("first", 1), ("second", 2)] {
            let answer = peer.json().await;
            assert_eq!(answer["request_id"], id);
            assert_eq!(answer["data"]["sum"], sum);
        }
    });
}

#[test]
fn a_server_that_shuts_down_answers_what_it_has_and_refuses_what_comes() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        peer.write(request("hold_beside", "null", "held") + "\n")
            .await;
        attacked.hears("hold_beside").await;
        let server = attacked.server.clone();
        let down = tokio::spawn(async move { server.shutdown(std::time::Duration::MAX).await });
        // Whatever comes before the server heard of it is still answered.
        let mut number = 0;
        let refusal = loop {
            number += 1;
            let answer = peer.ask(&add(number, 0, "late")).await;
            if answer.get("error").is_some() {
                break answer;
            }
            assert_eq!(answer["data"]["sum"], number);
        };
        assert_eq!(refusal["error"]["code"], "shutting_down");
        assert_eq!(refusal["request_id"], "late");
        attacked.release.add_permits(1);
        let answer = peer.json().await;
        assert_eq!(answer["request_id"], "held");
        assert!(answer.get("error").is_none(), "{answer}");
        assert_eq!(peer.line().await, None);
        drop(peer);
        assert!(down.await.unwrap());
        assert_eq!(attacked.server.connections(), 0);
    });
}
