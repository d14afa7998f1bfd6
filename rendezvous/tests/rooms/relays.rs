//! What is sent to a room: whom it reaches, byte for byte, and who may send it.

use protocol_tests::Seen;
use serde_json::{Value, json};

use crate::bare::{Bare, names};
use crate::log::run;
use crate::world::{Place, open};

fn wave(dest: &str) -> Value {
    json!({"type": "pass", "name": "wave", "dest": dest})
}

#[test]
fn a_frame_to_a_room_reaches_all_others_byte_for_byte() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let room = alice.create().await;
        let mut others = Vec::new();
        for name in ["bob", "carol", "carol 2"] {
            let mut other = Bare::log_in(place.address(), name).await;
            other.do_in("join_room", &room).await;
            others.push(other);
        }
        let mut stranger = Bare::log_in(place.address(), "bob 2").await;
        for peer in &mut others {
            peer.settle().await;
        }
        alice.settle().await;

        let odd = format!(
            r##"{{ "name":"wave" ,"dest":"#{room}","more":[1, 2.50],"data":{{"b":12345678901234567890.10,"b":null, "a":"\u00e9"}},"type":"pass" }}"##
        );
        let forged = format!(
            r##"{{"from":"bob","type":"pass","name":"wave","dest":"#{room}","data":1.50}}"##
        );
        for line in [&odd, &forged] {
            alice.raw.send(line).await;
        }
        let expected = [
            format!(r#"{{"from":"alice",{}"#, &odd[1..]),
            forged.replace("bob", "alice"),
        ];
        for other in &mut others {
            for expected in &expected {
                assert_eq!(other.raw.line().await.as_ref(), Some(expected));
            }
        }
        // The sender gets no copy, and nobody outside does.
        for outsider in [&mut alice, &mut stranger] {
            outsider.hears_nothing().await;
        }
    });
}

#[test]
fn what_is_said_by_one_alone_is_no_mistake() {
    run(|| async {
        let mut place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let room = alice.create().await;
        alice.raw.send(&wave(&format!("#{room}")).to_string()).await;
        alice.hears_nothing().await;
        assert_eq!(place.notices.try_next(), None);
    });
}

#[test]
fn only_members_send_to_a_room() {
    run(|| async {
        let mut place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let room = alice.create().await;
        let hidden = json!({"name": "hidden", "visibility": "private"});
        let hidden = alice.answer("create_room", hidden).await["data"]["id"].take();
        let left = alice.create().await;
        bob.do_in("join_room", &left).await;
        bob.do_in("leave_room", &left).await;
        let kicked = alice.create().await;
        bob.do_in("join_room", &kicked).await;
        alice
            .answer("kick_player", json!({"room": kicked, "player": "bob"}))
            .await;
        let deleted = alice.create().await;
        bob.do_in("join_room", &deleted).await;
        alice.do_in("delete_room", &deleted).await;
        bob.settle().await;
        for outside in [
            &*room,
            hidden.as_str().unwrap(),
            &left,
            &kicked,
            &deleted,
            "?",
            "",
        ] {
            bob.raw
                .send(&wave(&format!("#{outside}")).to_string())
                .await;
            let refused = Seen::refused("wave", "not_allowed");
            assert_eq!(place.notices.next().await, refused, "{outside}");
        }
        alice
            .raw
            .send(&wave(&format!("#{deleted}")).to_string())
            .await;
        let refused = Seen::refused("wave", "not_allowed");
        assert_eq!(place.notices.next().await, refused);
        assert_eq!(names(&bob.settle().await), [""; 0]);
        assert_eq!(place.notices.try_next(), None);
        let frames = alice.settle().await;
        assert!(!names(&frames).contains(&"wave".to_owned()), "{frames:?}");
    });
}

#[test]
fn a_room_cannot_confirm_or_answer() {
    run(|| async {
        let mut place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let room = alice.create().await;
        bob.do_in("join_room", &room).await;
        alice.settle().await;
        for room in [&*room, "unknown"] {
            let dest = format!("#{room}");
            let confirm =
                json!({"type": "confirm_pass", "name": "wave", "dest": dest, "pass_id": "1"});
            let answer = alice.raw.ask(&confirm.to_string()).await;
            assert_eq!(answer["pass_id"], "1");
            assert_eq!(answer["error"]["code"], "not_allowed", "{answer}");
            let request =
                json!({"type": "request", "name": "greet", "dest": dest, "request_id": "1"});
            let answer = alice.raw.ask(&request.to_string()).await;
            assert_eq!(answer["request_id"], "1");
            assert_eq!(answer["error"]["code"], "not_allowed", "{answer}");
        }
        let dest = format!("#{room}");
        for unasked in [
            json!({"type": "response", "name": "greet", "dest": dest, "request_id": "1"}),
            json!({"type": "confirm_pass", "dest": dest, "pass_id": "1"}),
        ] {
            alice.raw.send(&unasked.to_string()).await;
            assert_eq!(place.notices.next().await, Seen::AnswerIgnored);
        }
        // A word between the two ends of a link is not for others.
        let word = json!({"type": "pass", "name": "protocol_error", "dest": dest});
        alice.raw.send(&word.to_string()).await;
        let refused = Seen::refused("protocol_error", "not_allowed");
        assert_eq!(place.notices.next().await, refused);
        bob.hears_nothing().await;
    });
}

async fn in_one_room(place: &Place) -> (Bare, Bare, String) {
    let mut alice = Bare::log_in(place.address(), "alice").await;
    let mut bob = Bare::log_in(place.address(), "bob").await;
    let room = alice.create().await;
    bob.do_in("join_room", &room).await;
    alice.settle().await;
    (alice, bob, room)
}

#[test]
fn a_frame_that_is_too_long_for_members_is_dropped_and_counted() {
    run(|| async {
        let mut place = open(|config| config.server.connection.frame_out = 4_000).await;
        let (mut alice, mut bob, room) = in_one_room(&place).await;
        let mut long = wave(&format!("#{room}"));
        long["data"] = "x".repeat(4_000).into();
        alice.raw.send(&long.to_string()).await;
        assert!(matches!(place.notices.next().await, Seen::PassRefused(name, _) if name == "wave"));
        bob.hears_nothing().await;
        // Their links stand.
        alice.raw.send(&wave(&format!("#{room}")).to_string()).await;
        assert_eq!(bob.raw.json().await["from"], "alice");
    });
}

#[test]
fn strangers_send_to_no_room() {
    run(|| async {
        let mut place = open(|_| {}).await;
        let (_alice, mut bob, room) = in_one_room(&place).await;
        let mut stranger = protocol_tests::Raw::connect(place.address()).await;
        stranger.send(&wave(&format!("#{room}")).to_string()).await;
        let refused = Seen::refused("wave", "not_logged_in");
        assert_eq!(place.notices.next().await, refused);
        bob.hears_nothing().await;
    });
}
