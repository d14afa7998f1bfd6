//! Members that do not read: what is dropped for them, what never is, and what others notice of it.

use std::sync::Mutex;
use std::time::Duration;

use protocol_core::{CloseReason, Context, Event, EventSet, Json, PeerId, Protocol, RoomId};
use protocol_tests::{PlainOrEncrypted, Seen};
use rendezvous::events::{Dropped, LeaveReason, Meta, RoomNews, UpdateRoom};
use rendezvous::{Config, Login, Rendezvous, Rooms, SessionNews};
use serde_json::{Value, json};

use crate::bare::Bare;
use crate::log::{run, run_logged};
use crate::world::{Peer, Place, open, peer_id, players};

/// Far more than any system keeps between two ends of a socket.
const AT_MOST: usize = 2_000;

/// Members of eight rooms each, so that their ends are more news than a queue has places.
const VANISHING: usize = 160;

/// Members of a large room.
const MANY: usize = 100;

/// Changes of it, each of some 5 KiB: twice what a queue holds.
const CHANGES: u64 = 400;

fn without_rates(config: &mut Config) {
    config.server.connection.rate_in = None;
}

/// Alice and bob, and carol who will not read, in one room.
async fn with_a_deaf_member(place: &Place) -> (Peer, Peer, Bare, RoomId) {
    let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
    let room = alice.create("lobby").await.id;
    bob.join(&room).await;
    let mut carol = Bare::log_in(place.address(), "carol").await;
    carol.do_in("join_room", &room).await;
    alice.settle().await;
    bob.settle().await;
    (alice, bob, carol, room)
}

/// Says something long; bob hears it, however deaf others are. Whether somebody missed it.
async fn say(place: &mut Place, alice: &mut Peer, bob: &mut Peer, room: &RoomId) -> bool {
    let text = "x".repeat(60_000);
    alice.say(room, &text).await;
    assert_eq!(bob.heard().await, ("alice".to_owned(), text));
    alice.settle().await;
    match place.notices.try_next() {
        None => false,
        Some(seen) => {
            assert_eq!(seen, Seen::refused("say", "peer_slow"));
            true
        }
    }
}

/// Speaks until somebody misses it; how often.
async fn say_until_missed(
    place: &mut Place,
    alice: &mut Peer,
    bob: &mut Peer,
    room: &RoomId,
) -> usize {
    for said in 1..AT_MOST {
        if say(place, alice, bob, room).await {
            return said;
        }
    }
    panic!("nothing was dropped");
}

async fn update(host: &Peer, room: &RoomId, number: usize) -> u64 {
    let mut update = UpdateRoom::new(room.clone());
    update.meta = Meta::new(Json::parse(&number.to_string()).unwrap());
    host.client.request(update).await.unwrap().rev
}

#[test]
fn passes_beyond_half_of_a_members_queue_are_dropped_and_news_never() {
    run(|| async {
        let mut place = open(|config| {
            without_rates(config);
            config.server.connection.send_timeout = Duration::from_millis(100);
        })
        .await;
        let (mut alice, mut bob, mut carol, room) = with_a_deaf_member(&place).await;
        let mut said = say_until_missed(&mut place, &mut alice, &mut bob, &room).await;
        let mut missed = 1;
        let mut revs = Vec::new();
        for number in 0..20 {
            said += 1;
            missed += usize::from(say(&mut place, &mut alice, &mut bob, &room).await);
            revs.push(update(&alice, &room, number).await);
            let RoomNews::RoomUpdated(updated) = bob.news().await else {
                panic!("no room_updated");
            };
            assert_eq!(Some(&updated.0.rev), revs.last());
        }
        // What the server itself sends finds room beside that.
        let own = place.server.to(peer_id("carol")).send(Dropped { count: 0 });
        own.await.unwrap();
        // Now she reads: what was taken, and all that happened.
        let (mut heard, mut seen) = (0, Vec::new());
        for frame in carol.settle().await {
            match frame["name"].as_str().unwrap() {
                "say" => heard += 1,
                "room_updated" => seen.push(frame["data"]["rev"].as_u64().unwrap()),
                "dropped" => {}
                name => panic!("{name}"),
            }
        }
        assert_eq!(seen, revs);
        assert_eq!(heard, said - missed);
        assert!(missed > 1, "only one was dropped");
        // And all is as before.
        assert!(!say(&mut place, &mut alice, &mut bob, &room).await);
        assert_eq!(carol.raw.json().await["name"], "say");
        assert_eq!(players(&place.room(&room)), ["alice", "bob", "carol"]);
    });
}

#[test]
fn who_has_no_room_for_news_is_cut_off_and_the_others_hear_it() {
    run(|| async {
        let mut place = open(|config| {
            without_rates(config);
            config.server.connection.outbound_events = 32;
        })
        .await;
        let (mut alice, mut bob, mut carol, room) = with_a_deaf_member(&place).await;
        say_until_missed(&mut place, &mut alice, &mut bob, &room).await;
        let mut updates = 0;
        let left = loop {
            update(&alice, &room, updates).await;
            updates += 1;
            assert!(updates < AT_MOST, "she is still there");
            match bob.news().await {
                RoomNews::RoomUpdated(_) => {}
                RoomNews::PlayerLeft(left) => break left,
                news => panic!("{news:?}"),
            }
        };
        assert!(updates >= 16, "half of the queue is kept for news");
        assert_eq!(
            (&*left.player, left.reason),
            ("carol", LeaveReason::GraceExpired)
        );
        // What she still gets has no gap.
        let mut revs = Vec::new();
        while let Some(line) = carol.raw.line().await {
            let Ok(frame) = serde_json::from_str::<Value>(&line) else {
                // The frame at which it broke off.
                break;
            };
            revs.extend(frame["data"]["rev"].as_u64());
        }
        assert!(revs.is_sorted_by(|one, next| one + 1 == *next), "{revs:?}");
        // She may come back, to nothing.
        let mut carol = place.peer("carol").await;
        carol.hears_nothing().await;
        carol.join(&room).await;
    });
}

#[test]
fn others_are_served_while_one_is_deaf() {
    run(|| async {
        let mut place = open(without_rates).await;
        let (mut alice, mut bob, _carol, room) = with_a_deaf_member(&place).await;
        say_until_missed(&mut place, &mut alice, &mut bob, &room).await;
        for number in 0..100 {
            // Each is heard before the next is said.
            bob.say(&room, &number.to_string()).await;
            assert_eq!(alice.heard().await, ("bob".to_owned(), number.to_string()));
        }
    });
}

#[test]
fn one_who_reads_outlives_all_others_that_vanish_at_once() {
    // On one thread, where nobody writes while others have their turn.
    run_logged(|| async {
        let place = open(without_rates).await;
        let mut alice = place.peer("alice").await;
        let mut rooms = Vec::new();
        for number in 0..8 {
            let mut create = rendezvous::events::CreateRoom::new(format!("room {number}"));
            create.capacity = Some(rendezvous::events::Capacity::MAX);
            rooms.push(alice.client.request(create).await.unwrap().id);
        }
        let mut others = Vec::new();
        for number in 0..VANISHING {
            let mut bob = Bare::log_in(place.address(), &format!("bob {number}")).await;
            let joins = rooms
                .iter()
                .map(|room| bob.request("join_room", json!({"room": room})));
            let joins: Vec<_> = joins.collect();
            let lines: Vec<_> = joins.iter().map(Value::to_string).collect();
            bob.raw.send(&lines.join("\n")).await;
            bob.until_answer(joins.last().unwrap()).await;
            others.push(bob);
        }
        alice.settle().await;
        for bob in others {
            bob.raw.reset();
        }
        while place.server.connections() > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(alice.client.close_reason(), None);
        alice.settle().await;
        for room in &rooms {
            assert_eq!(alice.mine.get(room), Some(&place.room(room)));
            assert_eq!(players(&place.room(room)), ["alice"]);
        }
    });
}

/// The revision that a line tells of; to parse it all would take longer than it takes to send it.
fn rev_of(line: &str) -> u64 {
    let (_, rest) = line.split_once(r#","rev":"#).expect(line);
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).expect(line)
}

#[test]
fn a_burst_of_changes_in_a_large_room_cuts_off_nobody_who_reads() {
    run_logged(|| async {
        let place = open(without_rates).await;
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let create = json!({"name": "lobby", "capacity": 1_000});
        let room = alice.answer("create_room", create).await["data"]["id"].take();
        let mut reading = Vec::new();
        for number in 0..MANY {
            let mut bob = Bare::log_in(place.address(), &format!("bob {number}")).await;
            bob.answer("join_room", json!({"room": room})).await;
            reading.push(bob);
        }
        alice.settle().await;
        let last = place.room(&room.as_str().unwrap().parse().unwrap()).rev + CHANGES;
        let reading = reading.into_iter().map(|mut bob| {
            tokio::spawn(async move {
                let mut rev = None;
                while rev != Some(last) {
                    let next = rev_of(&bob.raw.line().await.expect("the link is up"));
                    let follows = rev.is_none_or(|rev| next == rev + 1);
                    assert!(follows, "{next} after {rev:?}");
                    rev = Some(next);
                }
                bob
            })
        });
        let reading: Vec<_> = reading.collect();
        // All in one write.
        let changes = (0..CHANGES).map(|number| {
            let update = json!({"room": room, "meta": number});
            alice.request("update_room", update).to_string()
        });
        let changes: Vec<_> = changes.collect();
        alice.raw.send(&changes.join("\n")).await;
        alice.settle().await;
        let mut here = Vec::new();
        for reader in reading {
            here.push(reader.await.unwrap());
        }
        assert_eq!(place.rendezvous.sessions(), here.len() + 1);
    });
}

/// A server's own events, to get hold of a link.
#[derive(Debug, Event)]
#[event(request, response = Watched)]
struct Watch {}

#[derive(Debug, Event)]
#[event(response)]
struct Watched {}

#[derive(Debug, EventSet)]
enum ToWatcher {
    Watch(Watch),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms, ToWatcher),
    to_client = (SessionNews, rendezvous::RoomNews),
    to_peer = crate::world::Between,
)]
struct WatchedWorld;

#[derive(Default)]
struct Watcher(Mutex<Option<Context<WatchedWorld>>>);

impl ToWatcherHandler<WatchedWorld> for Watcher {
    async fn on_watch(&self, cx: &Context<WatchedWorld>, _event: Watch) -> Watched {
        *self.0.lock().unwrap() = Some(cx.clone());
        Watched {}
    }
}

#[test]
fn the_server_knows_that_a_member_was_too_slow() {
    run(|| async {
        let mut config = Config::default();
        without_rates(&mut config);
        config.server.connection.outbound_bytes = 64 << 10;
        let rendezvous = Rendezvous::new(config);
        let watcher = std::sync::Arc::new(Watcher::default());
        let bind = rendezvous
            .bind::<WatchedWorld>("127.0.0.1:0")
            .plain_or_encrypted();
        let handlers = (rendezvous.clone(), std::sync::Arc::clone(&watcher));
        let server = bind.handle(handlers).await.unwrap();
        let mut alice = Bare::log_in(server.address(), "alice").await;
        let room = alice.create().await;
        let mut carol = Bare::log_in(server.address(), "carol").await;
        carol.answer("watch", json!({})).await;
        carol.do_in("join_room", &room).await;
        let link = watcher.0.lock().unwrap().take().unwrap();
        assert_eq!(link.peer(), PeerId::new("carol").ok().as_ref());
        let meta = "x".repeat(4_000);
        for number in 0..AT_MOST {
            let update = json!({"room": room, "meta": format!("{number}{meta}")});
            let heard = alice.ask("update_room", update).await;
            if heard.iter().any(|frame| frame["name"] == "player_left") {
                break;
            }
        }
        assert_eq!(link.closed().await, CloseReason::Overflowed);
    });
}
