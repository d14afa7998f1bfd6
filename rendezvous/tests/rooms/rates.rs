//! What a peer makes others receive: counted by receivers, and whoever causes too much is slowed.

use std::time::{Duration, Instant};

use protocol_core::RateLimits;
use rendezvous::Config;
use serde_json::json;

use crate::bare::Bare;
use crate::log::run;
use crate::world::{Place, open};

fn deliveries(per_second: u32) -> impl FnOnce(&mut Config) {
    move |config| {
        let mut rates = RateLimits::default();
        rates.events_per_second = 0;
        rates.bytes_per_second = 0;
        rates.deliveries_per_second = per_second;
        config.server.connection.rate_in = Some(rates);
    }
}

/// A room of alice, in which others only listen.
async fn room_of(place: &Place, alice: &mut Bare, others: usize) -> (String, Vec<Bare>) {
    let create = json!({"name": "lobby", "capacity": 1_000});
    let room = alice.answer("create_room", create).await["data"]["id"].take();
    let room = room.as_str().unwrap().to_owned();
    let mut listeners = Vec::new();
    for number in 0..others {
        let id = format!("carol {number} of {room}");
        let mut carol = Bare::log_in(place.address(), &id).await;
        carol.do_in("join_room", &room).await;
        listeners.push(carol);
    }
    for carol in &mut listeners {
        carol.settle().await;
    }
    alice.settle().await;
    (room, listeners)
}

fn words(room: &str, count: usize) -> String {
    let dest = format!("#{room}");
    let word = |number| json!({"type": "pass", "name": "say", "dest": dest, "data": number});
    let words: Vec<_> = (0..count).map(|number| word(number).to_string()).collect();
    words.join("\n")
}

#[test]
fn who_sends_to_many_is_slowed_and_nothing_is_lost() {
    run(|| async {
        let place = open(deliveries(1_000)).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let (room, mut listeners) = room_of(&place, &mut alice, 50).await;
        let start = Instant::now();
        alice.raw.send(&words(&room, 60)).await;
        alice.settle().await;
        // Three thousand deliveries, of which two seconds' worth go through at once.
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(950), "{took:?}");
        for carol in &mut listeners {
            for number in 0..60 {
                assert_eq!(carol.raw.json().await["data"], json!(number));
            }
        }
    });
}

#[test]
fn it_counts_how_many_receive_and_holds_up_nobody_else() {
    run(|| async {
        let place = open(deliveries(100)).await;
        // A hundred words to one are a hundred deliveries.
        let mut bob = Bare::log_in(place.address(), "bob").await;
        let (small, _listeners) = room_of(&place, &mut bob, 1).await;
        let start = Instant::now();
        bob.raw.send(&words(&small, 100)).await;
        bob.settle().await;
        let unhindered = start.elapsed();
        // A hundred words to ten are a thousand: eight seconds too many.
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let (large, mut listeners) = room_of(&place, &mut alice, 10).await;
        alice.raw.send(&words(&large, 100)).await;
        let ping = alice.request("ping", json!({}));
        alice.raw.send(&ping.to_string()).await;
        assert_eq!(listeners[0].raw.json().await["data"], 0);
        for carol in &mut listeners {
            carol.settle().await;
        }
        bob.hears_nothing().await;
        let slowed = tokio::time::timeout(unhindered, alice.raw.json()).await;
        assert!(slowed.is_err(), "{slowed:?}");
    });
}

#[test]
fn changes_of_a_room_count_by_their_news() {
    run(|| async {
        let place = open(deliveries(100)).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let (room, mut listeners) = room_of(&place, &mut alice, 9).await;
        let start = Instant::now();
        let updates = (0..30).map(|number| {
            let update = json!({"room": room, "meta": number});
            alice.request("update_room", update).to_string()
        });
        let updates: Vec<_> = updates.collect();
        alice.raw.send(&updates.join("\n")).await;
        alice.settle().await;
        // Three hundred news, of which two hundred at once.
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(950), "{took:?}");
        for carol in &mut listeners {
            assert_eq!(carol.settle().await.len(), 30);
        }
    });
}
