//! The order of the wire: what stands before an answer, what is the last of a room.

use serde_json::{Value, json};

use crate::bare::{Bare, names};
use crate::log::run;
use crate::world::open;

fn of_room<'a>(frames: &'a [Value], room: &str) -> Vec<&'a Value> {
    let is_of = |frame: &&Value| {
        let data = &frame["data"];
        data["room"] == room || (frame["type"] == "pass" && data["id"] == room)
    };
    frames.iter().filter(is_of).collect()
}

#[test]
fn self_joined_comes_right_before_the_answer_to_create() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let request = alice.request("create_room", json!({"name": "lobby"}));
        alice.raw.send(&request.to_string()).await;
        let news = alice.raw.line().await.unwrap();
        let answer = alice.raw.line().await.unwrap();
        let room = serde_json::from_str::<Value>(&answer).unwrap()["data"]["id"].take();
        let room = room.as_str().unwrap();
        let members = format!(
            r#""id":"{room}","name":"lobby","host":"alice","capacity":16,"visibility":"public","locked":false,"has_password":false,"meta":null,"rev":1,"players":[{{"id":"alice","status":"online","joined_rev":1}}]"#
        );
        let expected = format!(
            r#"{{"type":"pass","name":"self_joined","data":{{{members},"cause":"created"}}}}"#
        );
        assert_eq!(news, expected);
        let expected = format!(
            r#"{{"type":"response","name":"create_room","data":{{{members}}},"request_id":"q2"}}"#
        );
        assert_eq!(answer, expected);
    });
}

#[test]
fn self_joined_comes_before_all_else_of_a_room_and_self_left_is_the_last() {
    run(|| async {
        let place = open(|config| config.server.connection.rate_in = None).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let room = alice.create().await;
        for round in 0..40 {
            // Alice changes the room and speaks in it while bob comes and goes.
            let wave = json!({"type": "pass", "name": "wave", "dest": format!("#{room}")});
            let mut burst = Vec::new();
            let mut last = Value::Null;
            for change in 0..10 {
                let update = json!({"room": room, "meta": round * 100 + change});
                last = alice.request("update_room", update);
                burst.push(last.to_string());
                burst.push(wave.to_string());
            }
            let bobs_turn = async {
                let joined = bob.do_in("join_room", &room).await;
                let left = bob.do_in("leave_room", &room).await;
                [joined, left, bob.settle().await].concat()
            };
            let alices_turn = async {
                alice.raw.send(&burst.join("\n")).await;
                alice.until_answer(&last).await
            };
            let (seen, _) = tokio::join!(bobs_turn, alices_turn);
            let names = names(&seen);
            let all = names.iter().map(String::as_str);
            let news: Vec<_> = all.clone().filter(|name| !name.contains(' ')).collect();
            assert_eq!(news.first(), Some(&"self_joined"), "{names:?}");
            assert_eq!(news.last(), Some(&"self_left"), "{names:?}");
            let place_of = |name| all.clone().position(|other| other == name).unwrap();
            assert!(
                place_of("self_joined") < place_of("answer to join_room"),
                "{names:?}"
            );
            assert!(
                place_of("self_left") < place_of("answer to leave_room"),
                "{names:?}"
            );
            let revs = of_room(&seen, &room);
            let revs = revs
                .iter()
                .filter_map(|frame| frame["data"]["rev"].as_u64());
            let revs: Vec<_> = revs.collect();
            assert!(revs.is_sorted_by(|one, next| one + 1 == *next), "{revs:?}");
        }
    });
}

#[test]
fn self_left_comes_right_before_the_answer_to_leave() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let room = alice.create().await;
        let frames = alice.do_in("leave_room", &room).await;
        assert_eq!(names(&frames), ["self_left", "answer to leave_room"]);
        assert_eq!(
            frames[0]["data"],
            json!({"room": room, "rev": 2, "reason": "left"})
        );
        assert_eq!(frames[1]["data"], json!({"rev": 2}));
        alice.hears_nothing().await;
    });
}

#[test]
fn self_left_comes_right_before_the_answer_to_delete() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let room = alice.create().await;
        bob.do_in("join_room", &room).await;
        alice.settle().await;
        let frames = alice.do_in("delete_room", &room).await;
        assert_eq!(names(&frames), ["self_left", "answer to delete_room"]);
        let expected = json!({"room": room, "rev": 3, "reason": "room_deleted", "by": "alice"});
        assert_eq!(frames[0]["data"], expected);
        assert_eq!(frames[1]["data"], json!({"rev": 3}));
        // It is the only thing that the others hear.
        let heard = bob.settle().await;
        assert_eq!(names(&heard), ["self_left"]);
        assert_eq!(heard[0]["data"], expected);
    });
}

#[test]
fn self_left_comes_before_the_answer_to_logout() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let rooms = [alice.create().await, alice.create().await];
        let frames = alice.ask("logout", json!({})).await;
        assert_eq!(
            names(&frames),
            ["self_left", "self_left", "answer to logout"]
        );
        for (frame, room) in frames.iter().zip(&rooms) {
            assert_eq!(frame["data"]["room"], **room);
            assert_eq!(frame["data"]["reason"], "left");
        }
        assert_eq!(alice.raw.line().await, None);
        assert_eq!(place.rendezvous.rooms(), 0);
    });
}

#[test]
fn one_who_is_kicked_hears_why_and_nothing_more() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let room = alice.create().await;
        bob.do_in("join_room", &room).await;
        alice.settle().await;
        let kick = json!({"room": room, "player": "bob", "message": "no cheating"});
        let frames = alice.ask("kick_player", kick).await;
        assert_eq!(names(&frames), ["player_left", "answer to kick_player"]);
        let told = json!({
            "room": room, "rev": 3, "player": "bob", "reason": "kicked", "by": "alice",
        });
        assert_eq!(frames[0]["data"], told, "the message is for bob alone");
        alice
            .answer("update_room", json!({"room": room, "meta": 1}))
            .await;
        let heard = bob.settle().await;
        assert_eq!(names(&heard), ["self_left"]);
        let told = json!({
            "room": room, "rev": 3, "reason": "kicked", "by": "alice", "message": "no cheating",
        });
        assert_eq!(heard[0]["data"], told);
    });
}

#[test]
fn a_repeated_join_answers_the_room_and_a_repeated_leave_changes_nothing() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let room = alice.create().await;
        let first = bob.do_in("join_room", &room).await.pop().unwrap();
        alice.settle().await;
        let again = bob.do_in("join_room", &room).await;
        assert_eq!(names(&again), ["answer to join_room"]);
        assert_eq!(again[0]["data"], first["data"]);
        bob.do_in("leave_room", &room).await;
        let again = bob.do_in("leave_room", &room).await;
        assert_eq!(names(&again), ["leave_room: room_not_found"]);
        let heard = alice.settle().await;
        assert_eq!(names(&heard), ["player_left"]);
        assert_eq!(
            place.rendezvous.room(&room.parse().unwrap()).unwrap().rev,
            3
        );
    });
}

#[test]
fn a_repeated_create_with_one_nonce_makes_one_room() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let create = json!({"name": "lobby", "nonce": "first"});
        let made = alice.answer("create_room", create.clone()).await;
        let again = alice.ask("create_room", create.clone()).await;
        assert_eq!(names(&again), ["answer to create_room"]);
        assert_eq!(again[0]["data"], made["data"]);
        // A nonce is its peer's own.
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let other = bob.answer("create_room", create.clone()).await;
        assert_ne!(other["data"]["id"], made["data"]["id"]);
        let create = json!({"name": "lobby", "nonce": "second"});
        let other = alice.answer("create_room", create).await;
        assert_ne!(other["data"]["id"], made["data"]["id"]);
        assert_eq!(place.rendezvous.rooms(), 3);
    });
}
