//! What a relay leaves as it is: everything but `from`.

use std::fs;
use std::path::Path;

use protocol_core::wire::{Body, Frame};
use protocol_tests::{Raw, both::run};
use serde_json::Value;

use crate::hall::{hall, soon};
use crate::lines::{acknowledgement, by, confirm, id_of, pass, reads, refused, request, response};

/// The lines of all conformance vectors that are frames, with their file and name.
fn vectors() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut lines = Vec::new();
    for file in fs::read_dir(folder).expect("the vectors are here") {
        let path = file.expect("the vectors are here").path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A relay does more with a numbered delivery than to pass it on.
        if ["README.md", "streams.json", "delivery.json"].contains(&&*name) {
            continue;
        }
        let cases: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for case in cases.iter().filter(|case| case.get("means").is_some()) {
            // The one frame that is given in base64 has no data.
            if let Some(line) = case["frame"].as_str() {
                lines.push((format!("{name}: {}", case["name"]), line.to_owned()));
            }
        }
    }
    lines
}

fn parsed<'l>(case: &str, line: &'l str) -> Frame<'l> {
    Frame::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{case}: {error}"))
}

/// `line` with a `dest`; none where it has another one already.
fn addressed(line: &str, dest: &str) -> Option<String> {
    let frame = Frame::parse(line.as_bytes()).ok()?;
    if frame.dest.as_deref() == Some(dest) {
        return Some(line.to_owned());
    }
    let (before, after) = line.split_once('{')?;
    let line = format!(r#"{before}{{"dest":"{dest}",{after}"#);
    Frame::parse(line.as_bytes()).is_ok().then_some(line)
}

/// That `arrived` is `sent` but for `from`, which is the sender's name.
fn is_unchanged(case: &str, sent: &str, arrived: &str, from: &str) {
    // One carriage return before the line end belongs to that.
    let sent = sent.strip_suffix('\r').unwrap_or(sent);
    if let Some(claimed) = claim(sent) {
        let (before, after) = sent.split_at(claimed.start);
        let after = &after[claimed.len()..];
        assert_eq!(arrived, format!("{before}\"{from}\"{after}"), "{case}");
    } else {
        let (before, after) = sent.split_once('{').unwrap();
        let expected = format!("{before}{{\"from\":\"{from}\",{after}");
        assert_eq!(arrived, expected, "{case}");
    }
}

/// Where the value of a claimed `from` stands; every vector with one spells it in one of these ways.
fn claim(line: &str) -> Option<std::ops::Range<usize>> {
    let keys = ["\"from\"", "\"fro\\u006d\"", "\"\\u0066rom\""];
    let key = keys.iter().find_map(|key| Some((line.find(key)?, key)))?;
    let colon = key.0 + key.1.len() + line[key.0 + key.1.len()..].find(':')? + 1;
    let value = line[colon..].trim_start_matches([' ', '\t', '\r']);
    let start = line.len() - value.len();
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<Value>();
    values.next()?.ok()?;
    Some(start..start + values.byte_offset())
}

#[test]
fn the_data_of_every_vector_arrives_byte_for_byte() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut seen = 0;
        for (case, line) in vectors() {
            let (pass_id, request_id) = (format!("p{seen}"), format!("r{seen}"));
            let data = match parsed(&case, &line).body {
                Body::Pass { data, .. }
                | Body::ConfirmPass { data, .. }
                | Body::Request { data, .. } => data,
                Body::Response { result, .. } => result.unwrap_or_else(|error| error),
                _ => continue,
            };
            let data = data.as_str();
            for line in [
                pass("bob", data),
                confirm("bob", data, &pass_id),
                request("bob", data, &request_id),
            ] {
                alice.send(&line).await;
                let arrived = soon(bob.line()).await.expect("the link is up");
                assert_eq!(arrived, by("alice", &line), "{case}");
            }
            for line in [
                response("alice", data, &request_id),
                acknowledgement("alice", &pass_id).replace('}', &format!(",\"data\":{data}}}")),
            ] {
                bob.send(&line).await;
                let arrived = soon(alice.line()).await.expect("the link is up");
                assert_eq!(arrived, by("bob", &line), "{case}");
            }
            seen += 1;
        }
        assert!(seen >= 165, "only {seen} vectors");
    });
}

#[test]
fn every_vector_that_is_an_event_arrives_as_it_was_sent() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let (mut seen, mut claims) = (0, 0);
        for (case, line) in vectors() {
            let event = match parsed(&case, &line).body {
                Body::Pass { name, .. } => name != "protocol_error",
                Body::ConfirmPass { .. } | Body::Request { .. } => true,
                _ => false,
            };
            let Some(line) = addressed(&line, "bob").filter(|_| event) else {
                continue;
            };
            alice.send(&line).await;
            let arrived = soon(bob.line()).await.expect("the link is up");
            is_unchanged(&case, &line, &arrived, "alice");
            let frame = parsed(&case, &arrived);
            assert_eq!(frame.from.as_deref(), Some("alice"), "{case}");
            assert_eq!(frame.body, parsed(&case, &line).body, "{case}");
            seen += 1;
            claims += usize::from(claim(&line).is_some());
        }
        assert!(seen >= 140, "only {seen} vectors");
        assert!(claims >= 3, "only {claims} with a claimed sender");
    });
}

#[test]
fn every_vector_that_is_an_answer_arrives_as_it_was_sent() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut seen = 0;
        for (case, line) in vectors() {
            let Some(line) = addressed(&line, "alice") else {
                continue;
            };
            let (id, kind) = match parsed(&case, &line).body {
                Body::Acknowledgement { id, .. } => (id.into_owned(), "confirm_pass"),
                Body::Response { id, .. } => (id.into_owned(), "request"),
                _ => continue,
            };
            let id = serde_json::to_string(&id).unwrap();
            let member = if kind == "request" {
                "request_id"
            } else {
                "pass_id"
            };
            let call = format!(r#"{{"type":"{kind}","dest":"bob","name":"x","{member}":{id}}}"#);
            alice.send(&call).await;
            reads(&mut bob, &by("alice", &call)).await;
            bob.send(&line).await;
            let arrived = soon(alice.line()).await.expect("the link is up");
            is_unchanged(&case, &line, &arrived, "bob");
            seen += 1;
        }
        assert!(seen >= 30, "only {seen} vectors");
    });
}

#[test]
fn what_no_parser_gives_back_arrives_as_it_was_written() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        for data in [
            "123456789012345678901234567890.123456789012345678901234567890e+0400",
            "-0.0",
            "1E400",
            "[1.0,1.00,1e0,-0]",
            r#"{"b":1,"a":2,"b":3,"":{},"a":[]}"#,
            r#""\u0041\/\b\u00e9é\ud83d\ude00\u0000\u2028""#,
            "[ 1 ,\t2\r, { } ,\t[\t]\r]",
            "\"\u{7f}\u{2028}\u{feff}\u{10ffff}\"",
            r#"{"dest":"carol","from":"bob","type":7,"request_id":[]}"#,
        ] {
            let line = pass("bob", data);
            alice.send(&line).await;
            reads(&mut bob, &by("alice", &line)).await;
        }
    });
}

#[test]
fn members_of_later_versions_and_white_space_arrive_as_they_were_written() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        for rest in [
            r#""type":"pass","dest":"bob","name":"wave","hops":1,"hops":2,"via":[1,{"x":1e999}]}"#,
            r#" "d\u0065st" :	"b\u006fb" , "type":"pass","name":"wave"	,	"data" : 1 } "#,
            r#""name":"","dest":"bob","type":"p\u0061ss","":0,"Dest":"carol","FROM":"carol"}"#,
            r#""error":{"code":1},"pass_id":"7","request_id":"8","type":"pass","dest":"bob","name":"x"}"#,
        ] {
            for before in ["{", " \t{", "\r{"] {
                alice.send(&format!("{before}{rest}")).await;
                let arrived = format!(r#"{before}"from":"alice",{rest}"#);
                reads(&mut bob, &arrived).await;
            }
        }
    });
}

#[test]
fn whatever_a_sender_claims_to_be_it_arrives_under_its_own_name() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let long = format!("\"{}\"", "c".repeat(1_024));
        for value in [
            "\"carol\"",
            "\"alice\"",
            "\"bob\"",
            "null",
            "\"\\u0063arol\"",
            "\"c\\\"arol\\\\\"",
            "\"#room\"",
            "\" \"",
            &long,
        ] {
            for key in [
                "\"from\"",
                "\"fr\\u006fm\"",
                "\"\\u0066\\u0072\\u006f\\u006D\"",
            ] {
                for (before, after) in [(" ", " "), ("", "")] {
                    let line = |value: &str| {
                        format!(
                            "{{\"type\":\"pass\",{key}{before}:{after}{value}{before},\"dest\":\"bob\",\"name\":\"wave\"}}"
                        )
                    };
                    alice.send(&line(value)).await;
                    reads(&mut bob, &line("\"alice\"")).await;
                }
            }
        }
    });
}

/// The link of who writes such a line ends, as with any line that is no frame.
#[test]
fn a_claim_that_is_no_name_ends_the_link_and_reaches_nobody() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut bob = hall.enter("bob").await;
        for claim in [
            "\"from\":7",
            "\"from\":true",
            "\"from\":{}",
            "\"from\":[\"alice\"]",
            "\"from\":\"\"",
            "\"from\":\"alice\",\"fr\\u006fm\":\"alice\"",
            "\"from\":null,\"from\":null",
            &format!("\"from\":\"{}\"", "a".repeat(1_025)),
        ] {
            let mut alice = hall.enter("alice").await;
            alice
                .send(&format!(
                    r#"{{"type":"pass","dest":"bob","name":"wave",{claim}}}"#
                ))
                .await;
            let word = soon(alice.json()).await;
            assert_eq!(word["data"]["code"], "bad_frame", "{claim}: {word}");
            assert_eq!(soon(alice.line()).await, None, "{claim}");
            drop(alice);
            hall.has_connections(1).await;
        }
        crate::lines::is_served_next(&mut bob).await;
    });
}

/// Both ways: as the sender of an event and as the peer that an answer is for.
async fn is_reached_under(alice: &mut Raw, bob: &mut Raw, name: &str) {
    let written = serde_json::to_string(name).unwrap();
    let line = request("bob", "1", "7");
    alice.send(&line).await;
    let arrived = soon(bob.line()).await.expect("the link is up");
    let frame = parsed(name, &arrived);
    assert_eq!(frame.from.as_deref(), Some(name));
    assert_eq!(arrived, by(&written[1..written.len() - 1], &line));
    let answer = response(&written[1..written.len() - 1], "2", "7");
    bob.send(&answer).await;
    reads(alice, &by("bob", &answer)).await;
}

#[test]
fn names_with_quotes_backslashes_and_letters_of_all_scripts_are_written_right() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut bob = hall.enter("bob").await;
        let long = "\"".repeat(256);
        for name in [
            "al\"ice",
            "al\\ice",
            "al\\\"ice",
            "\\",
            "\"",
            "\\u0041",
            "älice",
            "アリス",
            "😀",
            "a/lice",
            " alice ",
            "alice\u{a0}",
            "{\"from\":\"bob\"}",
            &long,
        ] {
            let mut alice = hall.enter(name).await;
            is_reached_under(&mut alice, &mut bob, name).await;
            drop(alice);
            hall.has_connections(1).await;
        }
    });
}

#[test]
fn a_dest_is_compared_after_unescaping_and_byte_for_byte() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut other = hall.enter("b\u{f6}b").await;
        for dest in ["bob", "\\u0062ob", "b\\u006Fb"] {
            let line = pass(dest, "1");
            alice.send(&line).await;
            reads(&mut bob, &by("alice", &line)).await;
        }
        for dest in ["b\u{f6}b", "b\\u00F6b"] {
            let line = pass(dest, "1");
            alice.send(&line).await;
            reads(&mut other, &by("alice", &line)).await;
        }
        let long = "b".repeat(1_024);
        for dest in [
            "Bob",
            "bob ",
            " bob",
            "bo",
            "bobb",
            "bo\u{308}b",
            "bob\\u0000",
            "\\\"",
            &long,
        ] {
            alice.send(&request(dest, "1", "7")).await;
            refused(&mut alice, "7", "peer_not_found").await;
        }
    });
}

#[test]
fn both_line_ends_arrive_as_one() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        for end in ["\n", "\r\n", "\n\n\r\n\n"] {
            let line = pass("bob", "1");
            alice.write((line.clone() + end).as_bytes()).await;
            reads(&mut bob, &by("alice", &line)).await;
        }
    });
}

#[test]
fn ids_of_calls_come_back_as_they_were_sent() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let (long, wide) = ("i".repeat(64), "\\u0069".repeat(64));
        for id in [
            "7", " ", "\\\"", "\\\\", "é", "\\u00e9", "#", "null", &long, &wide,
        ] {
            alice.send(&request("bob", "1", id)).await;
            reads(&mut bob, &by("alice", &request("bob", "1", id))).await;
            // Answered with the same id in its plainest spelling.
            let asked: String = serde_json::from_str(&format!("\"{id}\"")).unwrap();
            let plain = serde_json::to_string(&asked).unwrap();
            bob.send(&response("alice", "2", &plain[1..plain.len() - 1]))
                .await;
            let answer = soon(alice.json()).await;
            assert_eq!(id_of(&answer), asked);
            assert_eq!(answer["data"], 2);
        }
    });
}
