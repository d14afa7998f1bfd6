//! Members that are gone: by a lost link, a logout, a removal; and what the others hear.

use rendezvous::events::{JoinRoom, LeaveReason, LogOut, PlayerLeft, RoomNews, Secret, UpdateRoom};
use serde_json::json;

use crate::bare::Bare;
use crate::log::run;
use crate::world::{Peer, Place, open, peer_id, players};

/// The next news, which is that somebody is gone.
async fn gone(peer: &mut Peer) -> PlayerLeft {
    match peer.news().await {
        RoomNews::PlayerLeft(left) => left,
        news => panic!("{news:?}"),
    }
}

/// In how many ways a link can be lost.
const WAYS: usize = 5;

/// Loses a link; returns what has to be kept of it.
async fn lose(mut peer: Bare, way: usize) -> Option<Bare> {
    match way {
        0 => drop(peer),
        1 => peer.raw.reset(),
        2 => peer.raw.write(b"{\"type\":").await,
        3 => {
            peer.raw.write(b"no frame\n").await;
            return Some(peer);
        }
        _ => {
            peer.raw.end().await;
            return Some(peer);
        }
    }
    None
}

#[test]
fn who_loses_the_link_leaves_all_rooms_and_the_name_is_free() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = place.peer("alice").await;
        let rooms = [alice.create("one").await.id, alice.create("two").await.id];
        alice.settle().await;
        for way in 0..WAYS {
            let mut bob = Bare::log_in(place.address(), "bob").await;
            for room in &rooms {
                bob.do_in("join_room", room).await;
            }
            alice.settle().await;
            let _kept = lose(bob, way).await;
            for room in &rooms {
                let left = gone(&mut alice).await;
                assert_eq!((&left.room, &*left.player), (room, "bob"), "way {way}");
                assert_eq!((left.reason, left.by), (LeaveReason::GraceExpired, None));
            }
            // He is back at once, and in no room.
            let mut bob = place.peer("bob").await;
            bob.hears_nothing().await;
            assert_eq!(place.rendezvous.rooms_of(&bob.id), []);
            let joined = bob.join(&rooms[0]).await;
            assert_eq!(players(&joined), ["alice", "bob"]);
            bob.client.request(LogOut {}).await.unwrap();
            alice
                .hears(|news| matches!(news, RoomNews::PlayerLeft(_)))
                .await;
        }
    });
}

#[test]
fn who_logs_out_has_left() {
    run(|| async {
        let place = open(|_| {}).await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice.create("lobby").await.id;
        bob.join(&room).await;
        alice.settle().await;
        bob.client.request(LogOut {}).await.unwrap();
        assert_eq!(gone(&mut alice).await.reason, LeaveReason::Left);
        let heard = bob.rest().await;
        let Some(RoomNews::SelfLeft(left)) = heard.last() else {
            panic!("{heard:?}");
        };
        assert_eq!(left.reason, LeaveReason::Left);
        assert_eq!(bob.mine.iter().count(), 0);
    });
}

#[test]
fn who_is_removed_by_the_operator_is_kicked_by_nobody() {
    run(|| async {
        let place = open(|_| {}).await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice.create("lobby").await.id;
        bob.join(&room).await;
        alice.settle().await;
        bob.settle().await;
        assert!(place.rendezvous.remove(&place.server, &bob.id).await);
        let left = gone(&mut alice).await;
        assert_eq!((left.reason, left.by), (LeaveReason::Kicked, None));
        let heard = bob.rest().await;
        let [RoomNews::SelfLeft(left)] = &*heard else {
            panic!("{heard:?}");
        };
        assert_eq!((left.reason, &left.by), (LeaveReason::Kicked, &None));
        assert_eq!(players(&place.room(&room)), ["alice"]);
    });
}

#[test]
fn when_the_hosts_link_is_lost_the_longest_present_is_host() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let room = alice.create().await.parse().unwrap();
        let (mut bob, mut carol) = (place.peer("bob").await, place.peer("carol").await);
        bob.join(&room).await;
        carol.join(&room).await;
        bob.settle().await;
        carol.settle().await;
        alice.raw.reset();
        for peer in [&mut bob, &mut carol] {
            let left = gone(peer).await;
            assert_eq!(
                (&*left.player, left.reason),
                ("alice", LeaveReason::GraceExpired)
            );
            let RoomNews::HostChanged(changed) = peer.news().await else {
                panic!("no host_changed");
            };
            assert_eq!(changed.rev, left.rev, "they are one change");
            assert_eq!((&*changed.host, &*changed.previous), ("bob", "alice"));
        }
        // He has the rights of a host.
        let mut update = UpdateRoom::new(room.clone());
        update.locked = Some(true);
        assert!(bob.client.request(update).await.unwrap().locked);
        assert!(place.rendezvous.is_host(&room, &peer_id("bob")));
    });
}

#[test]
fn a_room_that_closes_with_its_host_closes_when_the_link_is_lost() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let create = json!({"name": "lobby", "on_host_leave": "close"});
        let room = alice.answer("create_room", create).await["data"]["id"].take();
        let room = room.as_str().unwrap().parse().unwrap();
        let (mut bob, mut carol) = (place.peer("bob").await, place.peer("carol").await);
        bob.join(&room).await;
        carol.join(&room).await;
        bob.settle().await;
        carol.settle().await;
        alice.raw.reset();
        for peer in [&mut bob, &mut carol] {
            let RoomNews::SelfLeft(left) = peer.news().await else {
                panic!("no self_left");
            };
            assert_eq!(left.reason, LeaveReason::HostClosed);
            assert_eq!(left.by, Some(peer_id("alice")));
            peer.hears_nothing().await;
        }
        assert_eq!(place.rendezvous.rooms(), 0);
    });
}

#[test]
fn the_last_link_that_is_lost_ends_the_room() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let room = alice.create().await;
        alice.raw.reset();
        place.has_connections(0).await;
        assert_eq!(
            (place.rendezvous.rooms(), place.rendezvous.sessions()),
            (0, 0)
        );
        let bob = place.peer("bob").await;
        let join = JoinRoom::new(room.parse().unwrap());
        assert!(bob.client.request(join).await.is_err());
    });
}

async fn with_password(place: &Place) -> (Peer, protocol_core::RoomId) {
    let alice = place.peer("alice").await;
    let mut create = rendezvous::events::CreateRoom::new("lobby");
    create.password = Some(Secret::new("open sesame"));
    let room = alice.client.request(create).await.unwrap().id;
    (alice, room)
}

#[test]
fn a_link_that_breaks_while_its_password_is_compared_leaves_no_ghost() {
    run(|| async {
        let place = open(|_| {}).await;
        let (mut alice, room) = with_password(&place).await;
        for round in 0..20 {
            let mut bob = Bare::log_in(place.address(), "bob").await;
            let join = json!({"room": room, "password": "open sesame"});
            let join = bob.request("join_room", join);
            bob.raw.send(&join.to_string()).await;
            if round % 2 == 0 {
                bob.raw.reset();
            } else {
                // His name is free at once, and goes to another link while the first is at work.
                assert!(
                    place
                        .rendezvous
                        .remove(&place.server, &peer_id("bob"))
                        .await
                );
                let mut next = place.peer("bob").await;
                drop(bob);
                place.has_connections(2).await;
                next.hears_nothing().await;
                assert!(!place.rendezvous.is_member(&room, &next.id));
            }
            place.has_connections(1).await;
            assert_eq!(players(&place.room(&room)), ["alice"]);
        }
        alice.settle().await;
        assert_eq!(alice.mine.get(&room), Some(&place.room(&room)));
    });
}
