//! Who may enter: invites, private rooms, bans, locks, seats; and in which order that is judged.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use protocol_core::RoomId;
use rendezvous::events::{
    Capacity, CreateError, CreateInvite, CreateRoom, DeleteRoom, InviteError, JoinError, JoinRoom,
    KickPlayer, LeaveRoom, Room, Secret, UpdateRoom, Visibility,
};
use serde_json::json;

use crate::bare::Bare;
use crate::log::run;
use crate::world::{Peer, open, players, refusal};

async fn make(host: &Peer, change: impl FnOnce(&mut CreateRoom)) -> RoomId {
    let mut create = CreateRoom::new("lobby");
    change(&mut create);
    host.client.request(create).await.unwrap().id
}

async fn update(host: &Peer, room: &RoomId, change: impl FnOnce(&mut UpdateRoom)) -> Room {
    let mut update = UpdateRoom::new(room.clone());
    change(&mut update);
    host.client.request(update).await.unwrap()
}

async fn invite(host: &Peer, room: &RoomId, ttl_ms: Option<u64>, uses: Option<u32>) -> Secret {
    let invite = CreateInvite {
        room: room.clone(),
        ttl_ms: ttl_ms.and_then(NonZeroU64::new),
        uses: uses.and_then(NonZeroU32::new),
    };
    host.client.request(invite).await.unwrap().invite
}

async fn refused(peer: &Peer, room: &RoomId) -> JoinError {
    refusal(peer.client.request(JoinRoom::new(room.clone())).await)
}

#[test]
fn an_invite_lets_in_as_many_as_it_says() {
    run(|| async {
        let place = open(|_| {}).await;
        let alice = place.peer("alice").await;
        let (bob, carol) = (place.peer("bob").await, place.peer("carol").await);
        let room = make(&alice, |create| {
            create.visibility = Some(Visibility::Private);
        })
        .await;
        assert_eq!(refused(&bob, &room).await, JoinError::RoomNotFound);
        let code = invite(&alice, &room, None, Some(1)).await;
        let by_invite = || JoinRoom::by_invite(code.clone());
        let joined = bob.client.request(by_invite()).await.unwrap();
        assert_eq!(players(&joined), ["alice", "bob"]);
        // Whoever is in may ask again, by the same code and by the id.
        let again = bob.client.request(by_invite()).await.unwrap();
        assert_eq!(again, bob.join(&room).await);
        let late = carol.client.request(by_invite()).await;
        assert_eq!(refusal(late), JoinError::RoomNotFound);

        let open = invite(&alice, &room, None, None).await;
        let mut other = JoinRoom::by_invite(open.clone());
        other.room = RoomId::new("another").ok();
        let refused = carol.client.request(other).await;
        assert_eq!(refusal(refused), JoinError::RoomNotFound);
        let mut this = JoinRoom::by_invite(open);
        this.room = Some(room);
        carol.client.request(this).await.unwrap();
        let not_host = CreateInvite {
            room: joined.id,
            ttl_ms: None,
            uses: None,
        };
        let refused = bob.client.request(not_host).await;
        assert_eq!(refusal(refused), InviteError::NotHost);
    });
}

#[test]
fn an_invite_ends_with_its_time_and_with_its_room() {
    run(|| async {
        let place = open(|_| {}).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = make(&alice, |_| {}).await;
        let short = invite(&alice, &room, Some(100), None).await;
        // He comes and goes as long as it lets him in.
        let late = loop {
            match bob.client.request(JoinRoom::by_invite(short.clone())).await {
                Ok(room) => drop(
                    bob.client
                        .request(LeaveRoom { room: room.id })
                        .await
                        .unwrap(),
                ),
                late => break late,
            }
        };
        assert_eq!(refusal(late), JoinError::RoomNotFound);
        let code = invite(&alice, &room, None, None).await;
        let delete = DeleteRoom { room };
        alice.client.request(delete).await.unwrap();
        let late = bob.client.request(JoinRoom::by_invite(code)).await;
        assert_eq!(refusal(late), JoinError::RoomNotFound);
    });
}

#[test]
fn a_private_room_is_to_others_like_none() {
    run(|| async {
        let place = open(|_| {}).await;
        let alice = place.peer("alice").await;
        let hidden = make(&alice, |create| {
            create.visibility = Some(Visibility::Private);
        })
        .await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        for (name, more) in [
            ("join_room", json!({})),
            ("join_room", json!({"password": "open sesame"})),
            ("join_room", json!({"invite": "guessed"})),
            ("leave_room", json!({})),
            ("delete_room", json!({})),
            ("update_room", json!({"locked": true})),
            ("update_room", json!({"password": "open sesame"})),
            ("kick_player", json!({"player": "alice"})),
            ("set_host", json!({"player": "bob"})),
            ("create_invite", json!({})),
        ] {
            let mut answers = Vec::new();
            for room in [&*hidden, "unknown"] {
                let mut data = more.clone();
                data["room"] = room.into();
                let mut answer = bob.answer(name, data).await;
                answer["request_id"].take();
                answers.push(answer);
            }
            assert!(
                answers[0]["error"]["code"].is_string(),
                "{name}: {answers:?}"
            );
            assert_eq!(answers[0], answers[1], "{name}");
        }
        assert_eq!(place.room(&hidden).rev, 1);
    });
}

#[test]
fn one_who_is_banned_stays_out_under_any_spelling_of_the_name() {
    run(|| async {
        let place = open(|_| {}).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = make(&alice, |_| {}).await;
        bob.join(&room).await;
        let kick = |ban_ms| KickPlayer {
            room: room.clone(),
            player: bob.id.clone(),
            ban_ms: Some(ban_ms),
            message: None,
        };
        alice.client.request(kick(3_600_000)).await.unwrap();
        let JoinError::Banned { for_ms } = refused(&bob, &room).await else {
            panic!("he is not banned");
        };
        assert!((1..=3_600_000).contains(&for_ms), "{for_ms}");
        bob.client
            .request(rendezvous::events::LogOut {})
            .await
            .unwrap();
        let twin = place.peer("BOB").await;
        assert!(matches!(
            refused(&twin, &room).await,
            JoinError::Banned { .. }
        ));
        // A ban is no secret's business: an invite does not lift it.
        let code = invite(&alice, &room, None, None).await;
        let by_invite = twin.client.request(JoinRoom::by_invite(code)).await;
        assert!(matches!(refusal(by_invite), JoinError::Banned { .. }));
    });
}

#[test]
fn a_ban_ends_with_its_time() {
    run(|| async {
        let place = open(|_| {}).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = make(&alice, |_| {}).await;
        bob.join(&room).await;
        let kick = KickPlayer {
            room: room.clone(),
            player: bob.id.clone(),
            ban_ms: Some(200),
            message: None,
        };
        alice.client.request(kick).await.unwrap();
        let JoinError::Banned { for_ms } = refused(&bob, &room).await else {
            panic!("he is not banned");
        };
        // He is told for how long to wait.
        tokio::time::sleep(Duration::from_millis(for_ms + 1)).await;
        bob.join(&room).await;
    });
}

#[test]
fn why_one_may_not_enter_is_judged_in_one_order() {
    run(|| async {
        let place = open(|config| config.rooms_a_peer = 1).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = make(&alice, |_| {}).await;
        bob.join(&room).await;
        let kick = KickPlayer {
            room: room.clone(),
            player: bob.id.clone(),
            ban_ms: Some(100),
            message: None,
        };
        alice.client.request(kick).await.unwrap();
        make(&bob, |_| {}).await;
        // Every reason at once; then one after the other is taken away.
        update(&alice, &room, |update| {
            update.locked = Some(true);
            update.capacity = Capacity::new(1);
            update.password = Some(Secret::new("open sesame"));
        })
        .await;
        let mut join = JoinRoom::new(room.clone());
        join.password = Some(Secret::new("wrong"));
        loop {
            match refusal(bob.client.request(join.clone()).await) {
                JoinError::Banned { for_ms } => {
                    tokio::time::sleep(Duration::from_millis(for_ms + 1)).await;
                }
                then => break assert_eq!(then, JoinError::RoomLocked),
            }
        }
        update(&alice, &room, |update| update.locked = Some(false)).await;
        let then = refusal(bob.client.request(join.clone()).await);
        assert_eq!(then, JoinError::BadPassword);
        join.password = Some(Secret::new("open sesame"));
        let then = refusal(bob.client.request(join.clone()).await);
        assert_eq!(then, JoinError::RoomFull { max: 1 });
        update(&alice, &room, |update| update.capacity = Capacity::new(2)).await;
        let then = refusal(bob.client.request(join).await);
        assert_eq!(then, JoinError::TooManyRooms { max: 1 });
        assert_eq!(players(&place.room(&room)), ["alice"]);
    });
}

#[test]
fn there_are_no_more_rooms_than_may_be() {
    run(|| async {
        let place = open(|config| {
            config.rooms = 3;
            config.rooms_a_peer = 2;
        })
        .await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let first = make(&alice, |_| {}).await;
        make(&alice, |_| {}).await;
        let refused = alice.client.request(CreateRoom::new("third")).await;
        assert_eq!(refusal(refused), CreateError::TooManyRooms { max: 2 });
        make(&bob, |_| {}).await;
        let refused = bob.client.request(CreateRoom::new("fourth")).await;
        assert_eq!(refusal(refused), CreateError::ServerFull { max: 3 });
        // To join is another thing, and what is left makes room.
        bob.join(&first).await;
        let delete = DeleteRoom { room: first };
        alice.client.request(delete).await.unwrap();
        make(&alice, |_| {}).await;
        assert_eq!(place.rendezvous.rooms(), 3);
    });
}
