//! What a host does with a room, and how rooms are found.

use protocol_core::{Json, RoomId};
use rendezvous::events::{
    Capacity, CreateRoom, KickError, KickPlayer, LeaveReason, ListRooms, Meta, RoomList, RoomNews,
    SetHost, SetHostError, UpdateError, UpdateRoom, Visibility,
};

use crate::log::run;
use crate::world::{Peer, open, peer_id, players, refusal};

#[test]
fn an_update_reaches_every_member_as_one_change() {
    run(|| async {
        let place = open(|_| {}).await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice.create("lobby").await.id;
        bob.join(&room).await;
        alice.settle().await;
        bob.settle().await;
        let mut update = UpdateRoom::new(room.clone());
        update.name = Some("hall".into());
        update.capacity = Capacity::new(3);
        update.locked = Some(true);
        update.visibility = Some(Visibility::Unlisted);
        update.password = Some(rendezvous::events::Secret::new("open sesame"));
        update.meta = Meta::new(Json::parse(r#"{"map":"desert"}"#).unwrap());
        let answer = alice.client.request(update.clone()).await.unwrap();
        assert_eq!(
            (&*answer.name, answer.capacity.seats(), answer.rev),
            ("hall", 3, 3)
        );
        assert!(answer.locked && answer.has_password);
        for peer in [&mut alice, &mut bob] {
            let heard = peer.settle().await;
            assert!(matches!(&*heard, [RoomNews::RoomUpdated(_)]), "{heard:?}");
            assert_eq!(peer.mine.get(&room), Some(&answer));
        }
        // The same once more, but for the password, is no change.
        update.password = None;
        assert_eq!(alice.client.request(update).await.unwrap(), answer);
        bob.hears_nothing().await;
    });
}

#[test]
fn an_update_for_another_revision_is_stale() {
    run(|| async {
        let place = open(|_| {}).await;
        let mut alice = place.peer("alice").await;
        let room = alice.create("lobby").await;
        let mut update = UpdateRoom::new(room.id.clone());
        update.if_rev = Some(room.rev);
        update.locked = Some(true);
        let changed = alice.client.request(update.clone()).await.unwrap();
        assert_eq!(changed.rev, 2);
        update.locked = Some(false);
        let stale = alice.client.request(update.clone()).await;
        assert_eq!(refusal(stale), UpdateError::StaleRev { rev: 2 });
        update.if_rev = Some(3);
        let ahead = alice.client.request(update.clone()).await;
        assert_eq!(refusal(ahead), UpdateError::StaleRev { rev: 2 });
        assert!(place.room(&room.id).locked);
        update.if_rev = Some(2);
        assert!(!alice.client.request(update).await.unwrap().locked);
        assert_eq!(alice.settle().await.len(), 3);
    });
}

#[test]
fn only_the_host_changes_a_room_and_never_below_who_is_in_it() {
    run(|| async {
        let place = open(|_| {}).await;
        let (mut alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice.create("lobby").await.id;
        bob.join(&room).await;
        alice.settle().await;
        let mut update = UpdateRoom::new(room.clone());
        update.capacity = Capacity::new(1);
        let refused = bob.client.request(update.clone()).await;
        assert_eq!(refusal(refused), UpdateError::NotHost);
        let refused = alice.client.request(update.clone()).await;
        assert_eq!(refusal(refused), UpdateError::CapacityTooLow { players: 2 });
        update.capacity = Capacity::new(2);
        update.name = Some(" ".into());
        let refused = alice.client.request(update.clone()).await;
        assert!(matches!(refusal(refused), UpdateError::NameInvalid { .. }));
        update.room = RoomId::new("unknown").unwrap();
        let refused = alice.client.request(update).await;
        assert_eq!(refusal(refused), UpdateError::RoomNotFound);
        assert_eq!(place.room(&room).rev, 2);
        alice.hears_nothing().await;
    });
}

#[test]
fn a_host_hands_the_room_over() {
    run(|| async {
        let place = open(|_| {}).await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice.create("lobby").await.id;
        let give = |player: &str| SetHost {
            room: room.clone(),
            player: peer_id(player),
        };
        let refused = alice.client.request(give("bob")).await;
        assert_eq!(refusal(refused), SetHostError::NotMember);
        bob.join(&room).await;
        alice.settle().await;
        bob.settle().await;
        let refused = bob.client.request(give("bob")).await;
        assert_eq!(refusal(refused), SetHostError::NotHost);
        assert_eq!(alice.client.request(give("bob")).await.unwrap().rev, 3);
        for peer in [&mut alice, &mut bob] {
            let heard = peer.settle().await;
            let [RoomNews::HostChanged(changed)] = &*heard else {
                panic!("{heard:?}");
            };
            assert_eq!((&*changed.host, &*changed.previous), ("bob", "alice"));
        }
        let refused = alice.client.request(give("alice")).await;
        assert_eq!(refusal(refused), SetHostError::NotHost);
        // To whom has it already is no change.
        assert_eq!(bob.client.request(give("bob")).await.unwrap().rev, 3);
        alice.hears_nothing().await;
    });
}

#[test]
fn a_kick_is_the_hosts_right_and_no_lock() {
    run(|| async {
        let place = open(|_| {}).await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice.create("lobby").await.id;
        bob.join(&room).await;
        let kick = |player: &str| KickPlayer {
            room: room.clone(),
            player: peer_id(player),
            ban_ms: None,
            message: None,
        };
        let refused = bob.client.request(kick("alice")).await;
        assert_eq!(refusal(refused), KickError::NotHost);
        let refused = alice.client.request(kick("alice")).await;
        assert_eq!(refusal(refused), KickError::Yourself);
        let refused = alice.client.request(kick("carol")).await;
        assert_eq!(refusal(refused), KickError::NotMember);
        assert_eq!(alice.client.request(kick("bob")).await.unwrap().rev, 3);
        let heard = bob.settle().await;
        let Some(RoomNews::SelfLeft(left)) = heard.last() else {
            panic!("{heard:?}");
        };
        assert_eq!(
            (left.reason, &left.by),
            (LeaveReason::Kicked, &Some(peer_id("alice")))
        );
        bob.join(&room).await;
        alice.settle().await;
        assert_eq!(players(alice.mine.get(&room).unwrap()), ["alice", "bob"]);
    });
}

async fn list(peer: &Peer, request: &ListRooms) -> RoomList {
    peer.client.request(request.clone()).await.unwrap()
}

fn names(list: &RoomList) -> Vec<&str> {
    list.rooms.iter().map(|room| &*room.name).collect()
}

#[test]
fn a_list_goes_on_where_the_one_before_it_ended() {
    run(|| async {
        let place = open(|config| config.rooms_a_peer = 20).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let mut rooms = Vec::new();
        for number in 0..7 {
            rooms.push(alice.create(&format!("room {number}")).await.id);
        }
        let mut request = ListRooms {
            limit: Some(3),
            ..ListRooms::default()
        };
        let first = list(&bob, &request).await;
        assert_eq!(names(&first), ["room 0", "room 1", "room 2"]);
        assert_eq!(
            (&*first.rooms[0].host, first.rooms[0].players),
            ("alice", 1)
        );
        // The room at which the list ended may be gone, and others may come.
        for gone in [2, 4] {
            let delete = rendezvous::events::DeleteRoom {
                room: rooms[gone].clone(),
            };
            alice.client.request(delete).await.unwrap();
        }
        alice.create("room 7").await;
        request.cursor = first.cursor;
        let next = list(&bob, &request).await;
        assert_eq!(names(&next), ["room 3", "room 5", "room 6"]);
        request.cursor = next.cursor;
        let last = list(&bob, &request).await;
        assert_eq!((names(&last), last.cursor), (vec!["room 7"], None));
    });
}

#[test]
fn a_list_shows_public_rooms_and_those_that_the_filter_fits() {
    run(|| async {
        let place = open(|_| {}).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        for (name, visibility) in [
            ("Desert", Visibility::Public),
            ("desert at night", Visibility::Public),
            ("forest", Visibility::Public),
            ("desert island", Visibility::Unlisted),
            ("desert fort", Visibility::Private),
        ] {
            let mut create = CreateRoom::new(name);
            create.visibility = Some(visibility);
            alice.client.request(create).await.unwrap();
        }
        let all = list(&bob, &ListRooms::default()).await;
        assert_eq!(names(&all), ["Desert", "desert at night", "forest"]);
        assert_eq!(all.cursor, None);
        let mut request = ListRooms {
            filter: Some("ＤＥＳＥＲＴ".into()),
            ..ListRooms::default()
        };
        let found = list(&bob, &request).await;
        assert_eq!(names(&found), ["Desert", "desert at night"]);
        request.filter = Some("sea".into());
        assert_eq!(names(&list(&bob, &request).await), [""; 0]);
        // Not even the host finds there what is hidden.
        assert_eq!(list(&alice, &ListRooms::default()).await, all);
    });
}
