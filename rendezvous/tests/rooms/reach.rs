//! Who reaches whom where peers have to share a room.

use rendezvous::Reach;
use rendezvous::events::LeaveRoom;
use serde_json::json;

use crate::bare::Bare;
use crate::log::run;
use crate::world::{Greet, Peer, open, rejection};

async fn reaches(one: &Peer, other: &Peer) {
    let greeting = one.client.to(&other.id).request(Greet {}).await.unwrap();
    assert_eq!(greeting.text, format!("hello, {}", one.id));
}

async fn does_not_reach(one: &Peer, other: &Peer) {
    let refused = one.client.to(&other.id).request(Greet {}).await;
    assert_eq!(rejection(refused), "not_allowed");
}

#[test]
fn peers_reach_each_other_while_they_share_a_room() {
    run(|| async {
        let place = open(|config| config.relay = Reach::Rooms).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let carol = place.peer("carol").await;
        does_not_reach(&alice, &bob).await;
        let room = alice.create("lobby").await.id;
        does_not_reach(&bob, &alice).await;
        bob.join(&room).await;
        carol.create("elsewhere").await;
        reaches(&alice, &bob).await;
        reaches(&bob, &alice).await;
        does_not_reach(&carol, &alice).await;
        does_not_reach(&alice, &carol).await;
        alice.client.request(LeaveRoom { room }).await.unwrap();
        does_not_reach(&alice, &bob).await;
        does_not_reach(&bob, &alice).await;
    });
}

#[test]
fn an_answer_comes_back_also_after_the_room_is_left() {
    run(|| async {
        let place = open(|config| config.relay = Reach::Rooms).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let room = alice.create().await;
        bob.do_in("join_room", &room).await;
        alice.settle().await;
        let ask = json!({"type": "request", "name": "greet", "dest": "bob", "request_id": "7"});
        alice.raw.send(&ask.to_string()).await;
        assert_eq!(bob.raw.json().await["request_id"], "7");
        bob.do_in("leave_room", &room).await;
        let told = json!({"text": "bye"});
        let tell = json!({
            "type": "response", "name": "greet", "dest": "alice", "request_id": "7", "data": told,
        });
        bob.raw.send(&tell.to_string()).await;
        assert_eq!(alice.raw.json().await["name"], "player_left");
        let answer = alice.raw.json().await;
        assert_eq!((&answer["from"], &answer["data"]), (&json!("bob"), &told));
    });
}

#[test]
fn nobody_can_tell_whether_one_outside_is_there() {
    run(|| async {
        let place = open(|config| config.relay = Reach::Rooms).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let _bob = Bare::log_in(place.address(), "bob").await;
        alice.create().await;
        let mut answers = Vec::new();
        for dest in ["bob", "carol"] {
            let ask = json!({"type": "request", "name": "greet", "dest": dest, "request_id": "7"});
            answers.push(alice.raw.ask(&ask.to_string()).await);
        }
        assert_eq!(answers[0]["error"]["code"], "not_allowed");
        assert_eq!(answers[0], answers[1]);
    });
}

#[test]
fn where_nothing_is_said_all_reach_all() {
    run(|| async {
        let place = open(|_| {}).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        reaches(&alice, &bob).await;
    });
}
