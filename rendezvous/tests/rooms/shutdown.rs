//! A server that stops: each room ends once for each member, and nothing new begins.

use std::time::Duration;

use protocol_tests::{PlainOrEncrypted, Raw};
use rendezvous::events::{CreateRoom, JoinRoom, LeaveReason, LogOut, Ping, RoomNews};
use serde_json::json;

use crate::bare::{Bare, names};
use crate::log::run;
use crate::world::{World, open, rejection};

#[test]
fn each_member_hears_of_one_end_then_that_the_server_closes() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut rooms = [alice.create().await, alice.create().await];
        rooms.sort_unstable();
        let mut peers = vec![alice];
        for number in 0..10 {
            let mut bob = Bare::log_in(place.address(), &format!("bob {number}")).await;
            for room in &rooms {
                bob.do_in("join_room", room).await;
            }
            peers.push(bob);
        }
        for peer in &mut peers {
            peer.settle().await;
        }
        let clients = async {
            for peer in &mut peers {
                let mut heard = Vec::new();
                while let Some(line) = peer.raw.line().await {
                    heard.push(serde_json::from_str(&line).unwrap());
                }
                assert_eq!(names(&heard), ["self_left", "self_left", "server_closing"]);
                let mut ended = Vec::new();
                for frame in &heard[..2] {
                    let room = frame["data"]["room"].as_str().unwrap();
                    let expected = json!({"room": room, "rev": 12, "reason": "shutdown"});
                    assert_eq!(frame["data"], expected);
                    ended.push(room);
                }
                ended.sort_unstable();
                assert_eq!(ended, rooms);
                peer.raw.end().await;
            }
        };
        let (in_order, ()) = tokio::join!(place.shut_down(), clients);
        assert!(in_order);
        assert_eq!(
            (place.rendezvous.rooms(), place.rendezvous.sessions()),
            (0, 0)
        );
    });
}

#[test]
fn a_typed_client_sees_its_rooms_end() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = place.peer_without_grace("alice").await;
        let mut bob = place.peer_without_grace("bob").await;
        let room = alice.create("lobby").await.id;
        bob.join(&room).await;
        alice.settle().await;
        bob.settle().await;
        assert!(place.shut_down().await);
        for peer in [&mut alice, &mut bob] {
            let heard = peer.rest().await;
            let [RoomNews::SelfLeft(left)] = &*heard else {
                panic!("{heard:?}");
            };
            assert_eq!((left.reason, left.rev), (LeaveReason::Shutdown, 3));
            assert_eq!(peer.mine.iter().count(), 0);
        }
    });
}

#[test]
fn nothing_is_begun_while_the_server_stops() {
    run(|| async {
        let place = open(|_| {}).await;
        let alice = place.peer("alice").await;
        let room = alice.create("lobby").await.id;
        let mut stranger = Raw::connect(place.address()).await;
        // Another server shares the state and goes on, so that its links stand.
        let other = place
            .rendezvous
            .bind::<World>("127.0.0.1:0")
            .plain_or_encrypted();
        let other = other.handle(place.rendezvous.clone()).await.unwrap();
        assert!(
            place
                .rendezvous
                .shutdown(&other, Duration::from_secs(5))
                .await
        );
        let create = alice.client.request(CreateRoom::new("late")).await;
        assert_eq!(rejection(create), "shutting_down");
        let join = alice.client.request(JoinRoom::new(room)).await;
        assert_eq!(rejection(join), "shutting_down");
        let login =
            json!({"type": "request", "name": "login", "data": {"id": "bob"}, "request_id": "1"});
        let login = stranger.ask(&login.to_string()).await;
        assert_eq!(login["error"]["code"], "shutting_down");
        // Whoever wants to go may.
        alice.client.request(Ping::default()).await.unwrap();
        alice.client.request(LogOut {}).await.unwrap();
        assert_eq!(
            (place.rendezvous.rooms(), place.rendezvous.sessions()),
            (0, 0)
        );
    });
}

#[test]
fn a_join_whose_password_is_compared_while_the_server_stops_comes_to_nothing() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let create = json!({"name": "lobby", "password": "open sesame"});
        let room = alice.answer("create_room", create).await["data"]["id"].take();
        let join = json!({"room": room, "password": "open sesame"});
        let join = bob.request("join_room", join).to_string();
        bob.raw.send(&join).await;
        let clients = async {
            for (peer, entered) in [(&mut alice, 1), (&mut bob, 0)] {
                let mut heard = Vec::new();
                while let Some(line) = peer.raw.line().await {
                    heard.push(serde_json::from_str(&line).unwrap());
                }
                let names = names(&heard);
                let count = |name: &str| names.iter().filter(|other| *other == name).count();
                let entered = entered + count("self_joined");
                assert_eq!(count("self_left"), entered, "{names:?}");
                assert_eq!(count("player_left"), 0, "{names:?}");
                peer.raw.end().await;
            }
        };
        let (in_order, ()) = tokio::join!(place.shut_down(), clients);
        assert!(in_order);
        assert_eq!(
            (place.rendezvous.rooms(), place.rendezvous.sessions()),
            (0, 0)
        );
    });
}
