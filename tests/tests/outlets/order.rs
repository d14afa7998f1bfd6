//! What is put into outlets: in order, or the link ends; and what it costs.

use std::time::Duration;

use protocol_core::{Client, CloseReason, PeerId, RateLimits, Server, inbox};
use protocol_tests::{
    PlainOrEncrypted,
    both::{run, run_paused},
};
use serde_json::json;

use crate::board::{Add, Between, BoardNews, Cost, Done, Entry, Whisper, house, open};

#[test]
fn all_hear_everything_in_the_order_in_which_it_was_put() {
    run(|| async {
        let house = house(|_| {}).await;
        let mut watchers = Vec::new();
        for name in ["alice", "bob", "carol"] {
            watchers.push(house.watcher(name).await);
        }
        let adding = watchers.iter().map(|(client, ..)| async move {
            for n in 0..100 {
                let text = n.to_string();
                assert_eq!(client.request(Add { text }).await, Ok(Done(3)));
            }
        });
        let [one, two, three] = <[_; 3]>::try_from(adding.collect::<Vec<_>>()).ok().unwrap();
        tokio::join!(one, two, three);
        for (_, news, _) in &mut watchers {
            for number in 1..=300 {
                let BoardNews::Entry(entry) = news.next().await.unwrap().event;
                assert_eq!(entry.number, number);
            }
        }
    });
}

#[test]
fn who_has_no_room_for_what_must_not_be_missed_is_cut_off_and_others_are_not() {
    run(|| async {
        let house = house(|limits| {
            limits.connection.outbound_bytes = 100_000;
            limits.connection.write_stall = Duration::from_hours(1);
        })
        .await;
        let (_alice, mut news, _) = house.watcher("alice").await;
        let _deaf = house.raw("bob").await;
        let bob = house.board.watcher("bob");
        let mut count = 0;
        loop {
            count += 1;
            let told = house.board.add("x".repeat(10_000));
            let BoardNews::Entry(entry) = news.next().await.unwrap().event;
            assert_eq!(entry.number, count, "alice hears all");
            if told == 1 {
                break;
            }
        }
        assert_eq!(bob.closed().await, CloseReason::Overflowed);
        assert_eq!(house.board.add(String::new()), 1, "a link that has ended");
    });
}

#[test]
fn who_does_not_accept_what_must_not_be_missed_is_cut_off() {
    run(|| async {
        let house = house(|limits| limits.connection.frame_out = 1_000).await;
        let (client, _news, _) = house.watcher("alice").await;
        let frame = |text: &str| {
            let data = json!({"number": 1, "text": text});
            json!({"type": "pass", "name": "entry", "data": data}).to_string()
        };
        let longest = "x".repeat(1_000 - frame("").len());
        assert_eq!(house.board.add(longest.clone()), 1);
        assert_eq!(client.close_reason(), None);
        assert_eq!(house.board.add(longest + "x"), 0);
        client.closed().await;
        assert_eq!(
            house.board.watcher("alice").closed().await,
            CloseReason::Overflowed
        );
    });
}

#[test]
fn a_handler_tells_many_by_their_names() {
    run(|| async {
        let house = house(|_| {}).await;
        let (alice, mut at_alice, _) = house.watcher("alice").await;
        let (_bob, mut at_bob, _) = house.watcher("bob").await;
        let to = ["bob", "nobody", "alice"].map(|name| PeerId::new(name).unwrap());
        let text = "psst".to_owned();
        let whisper = Whisper {
            to: to.into(),
            text: text.clone(),
        };
        assert_eq!(alice.request(whisper).await, Ok(Done(2)));
        for news in [&mut at_alice, &mut at_bob] {
            let heard = news.next().await.unwrap().event;
            let text = text.clone();
            assert_eq!(heard, BoardNews::Entry(Entry { number: 0, text }));
        }
    });
}

/// On virtual time, where waiting is all that takes any.
#[test]
fn who_makes_others_receive_more_than_it_may_is_slowed_down() {
    run_paused(|| async {
        let house = open(Server::in_memory().plain_or_encrypted(), |limits| {
            let mut rates = RateLimits::default();
            rates.deliveries_per_second = 100;
            limits.connection.rate_in = Some(rates);
        })
        .await;
        let handlers = || (inbox::<BoardNews>(16).0, inbox::<Between>(16).0);
        let connect = || {
            Client::connect_in_memory(&house.server)
                .plain_or_encrypted()
                .handle(handlers())
        };
        let (busy, other) = (connect().await.unwrap(), connect().await.unwrap());
        let started = tokio::time::Instant::now();
        // Two seconds' worth at once, and one more second has to be waited for.
        assert_eq!(busy.request(Cost { deliveries: 300 }).await, Ok(Done(0)));
        assert_eq!(other.request(Cost { deliveries: 1 }).await, Ok(Done(0)));
        assert!(started.elapsed() < Duration::from_millis(10));
        assert_eq!(busy.request(Cost { deliveries: 0 }).await, Ok(Done(0)));
        let off = started.elapsed().abs_diff(Duration::from_secs(1));
        assert!(off < Duration::from_millis(10), "{:?}", started.elapsed());
    });
}
