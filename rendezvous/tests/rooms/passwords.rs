//! Passwords of rooms: right, wrong and missing ones; what guessing costs; and that nobody sees one.

use std::time::Duration;

use protocol_core::RequestError;
use rendezvous::events::{
    CreateError, CreateRoom, JoinError, JoinRoom, Ping, Secret, UpdateError, UpdateRoom,
};
use serde_json::{Value, json};

use crate::bare::Bare;
use crate::log::{self, run, run_logged};
use crate::world::{Peer, Place, open, players, refusal};

const PASSWORD: &str = "hunter2";

async fn with_password(place: &Place) -> (Peer, protocol_core::RoomId) {
    let alice = place.peer("alice").await;
    let mut create = CreateRoom::new("lobby");
    create.password = Some(Secret::new(PASSWORD));
    let room = alice.client.request(create).await.unwrap();
    assert!(room.has_password);
    (alice, room.id)
}

fn join(room: &protocol_core::RoomId, password: &str) -> JoinRoom {
    let mut join = JoinRoom::new(room.clone());
    join.password = Some(Secret::new(password));
    join
}

#[test]
fn only_the_right_password_opens() {
    run(|| async {
        let place = open(|config| config.server.connection.rate_in = None).await;
        let (alice, room) = with_password(&place).await;
        let bob = place.peer("bob").await;
        let missing = bob.client.request(JoinRoom::new(room.clone())).await;
        assert_eq!(refusal(missing), JoinError::BadPassword);
        for wrong in ["", "hunter", "hunter22", "Hunter2", " hunter2"] {
            let refused = bob.client.request(join(&room, wrong)).await;
            assert_eq!(refusal(refused), JoinError::BadPassword, "{wrong}");
        }
        assert_eq!(place.room(&room).rev, 1);
        let joined = bob.client.request(join(&room, PASSWORD)).await.unwrap();
        assert_eq!(players(&joined), ["alice", "bob"]);
        // Whoever is in need not say it again.
        bob.join(&room).await;
        // Another password shuts out those who know the old one, and an empty one lets all in.
        let carol = place.peer("carol").await;
        let mut update = UpdateRoom::new(room.clone());
        update.password = Some(Secret::new("correct horse"));
        alice.client.request(update.clone()).await.unwrap();
        let refused = carol.client.request(join(&room, PASSWORD)).await;
        assert_eq!(refusal(refused), JoinError::BadPassword);
        update.password = Some(Secret::new(""));
        assert!(!alice.client.request(update).await.unwrap().has_password);
        carol.join(&room).await;
    });
}

#[test]
fn a_password_that_nobody_asked_for_is_no_mistake() {
    run(|| async {
        let place = open(|_| {}).await;
        let (alice, bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice.create("lobby").await.id;
        bob.client.request(join(&room, PASSWORD)).await.unwrap();
    });
}

const GUESSERS: usize = 24;

#[test]
fn others_are_answered_while_passwords_are_compared() {
    // On one thread: work of twenty milliseconds in it would be noticed by everybody.
    run_logged(|| async {
        let place = open(|_| {}).await;
        let (_alice, room) = with_password(&place).await;
        let bob = place.peer("bob").await;
        let mut guessers = Vec::new();
        for number in 0..GUESSERS {
            guessers.push(place.peer(&format!("carol {number}")).await);
        }
        let guessing = guessers.into_iter().map(|guesser| {
            let guess = join(&room, "wrong");
            tokio::spawn(async move { refusal(guesser.client.request(guess).await) })
        });
        let guessing: Vec<_> = guessing.collect();
        let mut answered = 0;
        while guessing.iter().any(|guess| !guess.is_finished()) {
            bob.client.request(Ping::default()).await.unwrap();
            answered += 1;
        }
        for guess in guessing {
            assert_eq!(guess.await.unwrap(), JoinError::BadPassword);
        }
        assert!(answered >= 10 * GUESSERS, "only {answered}");
    });
}

#[test]
fn whoever_guesses_too_often_is_not_looked_at_and_others_are() {
    run(|| async {
        let place = open(|config| {
            config.password_burst = 3;
            config.password_interval = Duration::from_hours(1);
        })
        .await;
        let (_alice, room) = with_password(&place).await;
        let (bob, carol) = (place.peer("bob").await, place.peer("carol").await);
        for _ in 0..3 {
            let refused = bob.client.request(join(&room, "wrong")).await;
            assert_eq!(refusal(refused), JoinError::BadPassword);
        }
        let hour = 1..=3_600_000;
        // From now on not even the right one is.
        for guess in ["wrong", PASSWORD] {
            let refused = bob.client.request(join(&room, guess)).await;
            let JoinError::TooManyTries { retry_after_ms } = refusal(refused) else {
                panic!("{guess} was looked at");
            };
            assert!(hour.contains(&retry_after_ms), "{retry_after_ms}");
        }
        let mut create = CreateRoom::new("den");
        create.password = Some(Secret::new(PASSWORD));
        let refused = refusal(bob.client.request(create).await);
        assert!(
            matches!(refused, CreateError::TooManyTries { .. }),
            "{refused}"
        );
        // What takes no work is as it was.
        let missing = bob.client.request(JoinRoom::new(room.clone())).await;
        assert_eq!(refusal(missing), JoinError::BadPassword);
        let den = bob.create("den").await.id;
        let mut update = UpdateRoom::new(den.clone());
        update.password = Some(Secret::new(PASSWORD));
        let refused = refusal(bob.client.request(update).await);
        assert!(
            matches!(refused, UpdateError::TooManyTries { .. }),
            "{refused}"
        );
        assert!(!place.room(&den).has_password);
        carol.client.request(join(&room, PASSWORD)).await.unwrap();
    });
}

#[test]
fn whoever_waits_for_as_long_as_is_said_may_try_again() {
    run(|| async {
        let place = open(|config| {
            config.password_burst = 1;
            config.password_interval = Duration::from_millis(300);
        })
        .await;
        let (_alice, room) = with_password(&place).await;
        let bob = place.peer("bob").await;
        for guess in ["wrong", "wrong again", PASSWORD] {
            let mut answer = bob.client.request(join(&room, guess)).await;
            if let Err(RequestError::Refused(JoinError::TooManyTries { retry_after_ms })) = answer {
                tokio::time::sleep(Duration::from_millis(retry_after_ms)).await;
                answer = bob.client.request(join(&room, guess)).await;
            }
            match answer {
                Ok(_) => assert_eq!(guess, PASSWORD),
                refused => assert_eq!(refusal(refused), JoinError::BadPassword, "{guess}"),
            }
        }
        assert!(place.rendezvous.is_member(&room, &bob.id));
    });
}

#[test]
fn a_password_is_neither_logged_nor_shown() {
    run_logged(|| async {
        let place = open(|_| {}).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let create = json!({"name": "lobby", "password": PASSWORD, "nonce": PASSWORD});
        let mut seen = alice.ask("create_room", create).await;
        let room = seen[1]["data"]["id"].clone();
        let join = |password: Value| json!({"room": room, "password": password});
        for guess in [
            json!(format!("{PASSWORD}x")),
            json!([PASSWORD]),
            json!({(PASSWORD): PASSWORD}),
            json!(PASSWORD),
        ] {
            seen.extend(bob.ask("join_room", join(guess)).await);
        }
        let invited = alice.answer("create_invite", json!({"room": room})).await;
        let invite = invited["data"]["invite"].as_str().unwrap();
        bob.ask("join_room", json!({"invite": invite})).await;
        seen.extend(alice.ask("update_room", join(json!(PASSWORD))).await);
        seen.extend(alice.ask("list_rooms", json!({})).await);
        seen.extend(bob.settle().await);
        for frame in &seen {
            let text = frame.to_string();
            assert!(
                !text.contains(PASSWORD) && !text.contains("argon2"),
                "{text}"
            );
        }
        bob.ask("logout", json!({})).await;
        let text = log::text();
        assert!(log::line("left").contains("bob"), "{text}");
        for secret in [PASSWORD, "argon2", invite] {
            assert!(!text.contains(secret), "{text}");
        }
    });
}

#[test]
fn passwords_and_invites_print_as_redacted() {
    let mut create = CreateRoom::new("lobby");
    create.password = Some(Secret::new(PASSWORD));
    let room = protocol_core::RoomId::new("room").unwrap();
    let mut update = UpdateRoom::new(room.clone());
    update.password = Some(Secret::new(PASSWORD));
    let mut by_invite = JoinRoom::by_invite(Secret::new(PASSWORD));
    by_invite.password = Some(Secret::new(PASSWORD));
    let invited = rendezvous::events::Invited {
        invite: Secret::new(PASSWORD),
    };
    for text in [
        format!("{create:?}"),
        format!("{update:#?}"),
        format!("{by_invite:?}"),
        format!("{invited:?}"),
        format!("{:?}", rendezvous::Rooms::CreateRoom(create)),
    ] {
        assert!(text.contains("[redacted]"), "{text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
}
