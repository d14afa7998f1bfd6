//! A peer for which there is no room for what it must not miss loses its session too.

use std::ops::Range;

use protocol_core::metrics::{LINKS_OVERFLOWED, SESSIONS_SUSPENDED};
use protocol_tests::{Pipe, meter, run_paused};
use serde_json::{Value, json};

use crate::meeting::{open, room_of, settle};
/// Makes news for the members of a room, each with a number of its own; what alice hears.
async fn change(alice: &mut Pipe, room: &str, numbers: Range<usize>) -> Vec<Value> {
    let mut heard = Vec::new();
    for number in numbers {
        let update = json!({"room": room[1..], "meta": number});
        let answer = alice.ask("update_room", update).await;
        assert!(answer["error"].is_null(), "{answer}");
        heard.extend(settle(alice).await);
    }
    heard
}

fn names(heard: &[Value]) -> Vec<&str> {
    heard.iter().filter_map(|it| it["name"].as_str()).collect()
}

#[test]
fn news_beyond_four_times_the_queue_end_the_session_of_one_that_does_not_read() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|config| {
            config.server.connection.outbound_events = 4;
            config.server.connection.outbound_bytes = 2_048;
        })
        .await;
        let mut alice = place.peer("alice").await;
        let (mut carol, token) = place.carol().await;
        let room = room_of(&mut [&mut alice, &mut carol]).await;
        settle(&mut carol).await;
        let mut fitted = 0;
        let left = loop {
            let heard = change(&mut alice, &room, fitted..fitted + 1).await;
            match names(&heard)[..] {
                ["room_updated"] => fitted += 1,
                ["room_updated", "player_left"] => break heard[1].clone(),
                ref other => panic!("{other:?}"),
            }
            assert!(fitted < 1_000, "she is still there");
        };
        // What was in the output already is not in the queue.
        assert!(fitted >= 16, "{fitted}");
        assert_eq!(left["data"]["player"], "carol", "{left}");
        assert_eq!(meter.count(LINKS_OVERFLOWED), 1);
        assert_eq!(meter.count(SESSIONS_SUSPENDED), 0);
        let (_, answer) = place.resume(&token, carol.frames()).await;
        assert_eq!(answer["error"]["code"], "resume_failed", "{answer}");
    });
}

#[test]
fn while_a_link_is_lost_so_many_news_are_held_and_one_more_ends_the_session() {
    const HELD: usize = 5;
    for (news, goes_on) in [(HELD, true), (HELD + 1, false)] {
        run_paused(async move {
            let mut meter = meter();
            let place = open(|config| {
                config.server.connection.delivery.held_events = HELD;
            })
            .await;
            let mut alice = place.peer("alice").await;
            let (mut carol, token) = place.carol().await;
            let room = room_of(&mut [&mut alice, &mut carol]).await;
            settle(&mut carol).await;
            let received = carol.frames();
            drop(carol);
            let lost = alice.frame().await.unwrap();
            assert_eq!(lost["data"]["status"], "reconnecting", "{lost}");
            let heard = change(&mut alice, &room, 0..news).await;
            let left = names(&heard).contains(&"player_left");
            assert_eq!(left, !goes_on, "{heard:?}");
            assert_eq!(meter.count(LINKS_OVERFLOWED), u64::from(!goes_on));
            let (mut carol, answer) = place.resume(&token, received).await;
            if !goes_on {
                assert_eq!(answer["error"]["code"], "resume_failed", "{answer}");
                return;
            }
            assert_eq!(answer["data"]["resumed"], true, "{answer}");
            let heard = settle(&mut carol).await;
            let updates = names(&heard);
            let updates = updates.iter().filter(|name| **name == "room_updated");
            assert_eq!(updates.count(), HELD, "{heard:?}");
        });
    }
}
