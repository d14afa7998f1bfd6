//! Values out of bounds: refused with `bad_data` that names the path and what is expected.

use serde_json::{Value, json};

use crate::bare::Bare;
use crate::log::run;
use crate::world::open;

async fn misfit(peer: &mut Bare, name: &str, data: Value) -> (String, String) {
    let answer = peer.answer(name, data).await;
    let error = &answer["error"];
    assert_eq!(error["code"], "bad_data", "{answer}");
    let text = |member: &str| error["data"][member].as_str().expect("text").to_owned();
    (text("path"), text("expected"))
}

#[test]
fn what_is_out_of_bounds_is_bad_data_with_its_path() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let room = alice.create().await;
        let long = "x".repeat(4_095);
        let seats = "a whole number from 1 to 1000";
        let meta = "JSON of at most 4096 bytes";
        let visibility = "one of `public`, `unlisted`, `private`";
        for (member, value, expected) in [
            ("capacity", json!(0), seats),
            ("capacity", json!(1_001), seats),
            ("meta", json!(long), meta),
            ("visibility", json!("secret"), visibility),
        ] {
            let create = json!({"name": "lobby", (member): value});
            let expected = (member.to_owned(), expected.to_owned());
            assert_eq!(misfit(&mut alice, "create_room", create).await, expected);
            let update = json!({"room": room, (member): value});
            assert_eq!(misfit(&mut alice, "update_room", update).await, expected);
        }
        for (name, data, path) in [
            (
                "create_room",
                json!({"name": "lobby", "capacity": -1}),
                "capacity",
            ),
            (
                "create_room",
                json!({"name": "lobby", "capacity": "9"}),
                "capacity",
            ),
            (
                "create_room",
                json!({"name": "lobby", "on_host_leave": "stay"}),
                "on_host_leave",
            ),
            ("create_room", json!({}), "."),
            ("join_room", json!({"room": ""}), "room"),
            ("join_room", json!({"room": "#lobby"}), "room"),
            ("leave_room", json!({}), "."),
            ("list_rooms", json!({"cursor": "no cursor"}), "cursor"),
            ("list_rooms", json!({"limit": -1}), "limit"),
            ("kick_player", json!({"room": room, "player": ""}), "player"),
            ("create_invite", json!({"room": room, "uses": 0}), "uses"),
            (
                "create_invite",
                json!({"room": room, "ttl_ms": 0}),
                "ttl_ms",
            ),
        ] {
            assert_eq!(
                misfit(&mut alice, name, data.clone()).await.0,
                path,
                "{name} {data}"
            );
        }
        assert_eq!(
            alice.settle().await,
            [Value::Null; 0],
            "nothing has changed"
        );
        assert_eq!(place.rendezvous.rooms(), 1);
    });
}

#[test]
fn what_is_just_within_bounds_is_taken() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let room = alice.create().await;
        let long = "x".repeat(4_094);
        for (member, value) in [
            ("capacity", json!(1)),
            ("capacity", json!(1_000)),
            ("meta", json!(long)),
            ("visibility", json!("private")),
        ] {
            let update = json!({"room": room, (member): value});
            let answer = alice.answer("update_room", update).await;
            assert_eq!(answer["data"][member], value);
        }
    });
}

#[test]
fn meta_is_the_hosts_own_json_digit_by_digit() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let room = alice.create().await;
        let meta = r#"{"b": 1.50, "a": 12345678901234567890.10, "a": null}"#;
        let line = format!(
            r#"{{"type":"request","name":"update_room","data":{{"room":"{room}","meta":{meta}}},"request_id":"1"}}"#
        );
        alice.raw.send(&line).await;
        for _ in 0..2 {
            let line = alice.raw.line().await.unwrap();
            assert!(line.contains(&format!(r#""meta":{meta}"#)), "{line}");
        }
    });
}
