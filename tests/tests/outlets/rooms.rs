//! A relay that gives one frame to all others of a room.

use std::time::Duration;

use protocol_tests::{Seen, both::run};
use serde_json::json;

use crate::board::house;

#[test]
fn one_frame_reaches_all_others_of_a_room_with_its_bytes() {
    run(|| async {
        let mut house = house(|_| {}).await;
        let mut others = [house.raw("bob").await, house.raw("carol").await];
        let mut alice = house.raw("alice").await;
        let wave = |room: &str| {
            format!(r##"{{"dest":"#{room}","data":  1.50e1,"type":"pass","name":"wave"}}"##)
        };
        alice.send(&wave("board")).await;
        for other in &mut others {
            let line = other.line().await.unwrap();
            assert!(line.contains(r#""data":  1.50e1"#), "{line}");
            let frame: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(
                (&frame["from"], &frame["dest"]),
                (&json!("alice"), &json!("#board"))
            );
        }
        for (room, code) in [("elsewhere", "not_allowed"), ("quiet", "busy")] {
            alice.send(&wave(room)).await;
            assert_eq!(house.notices.next().await, Seen::refused("wave", code));
        }
        // Nobody but them heard anything: the next that each reads is an answer of its own.
        for peer in others.iter_mut().chain([&mut alice]) {
            peer.send(
                r#"{"type":"request","name":"cost","data":{"deliveries":0},"request_id":"2"}"#,
            )
            .await;
            assert_eq!(peer.json().await["request_id"], "2");
        }
    });
}

#[test]
fn members_who_do_not_read_are_counted_and_others_hear_all() {
    run(|| async {
        let mut house = house(|limits| {
            limits.connection.outbound_bytes = 100_000;
            limits.connection.write_stall = Duration::from_hours(1);
            limits.connection.rate_in = None;
        })
        .await;
        let _deaf = house.raw("bob").await;
        let mut carol = house.raw("carol").await;
        let mut alice = house.raw("alice").await;
        let filler = "x".repeat(10_000);
        let mut sent = 0;
        let missed = loop {
            let frame =
                json!({"type": "pass", "dest": "#board", "name": "wave", "data": [sent, filler]});
            alice.send(&frame.to_string()).await;
            assert_eq!(carol.json().await["data"][0], sent);
            sent += 1;
            if let Some(seen) = house.notices.try_next() {
                break seen;
            }
        };
        assert_eq!(missed, Seen::refused("wave", "peer_slow"));
    });
}
