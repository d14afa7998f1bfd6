//! State that keeps ways to its clients: what is put into them arrives in order or ends the link,
//! and a relay gives one frame to many.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{
    Bind, Client, CloseReason, Context, Encoded, Event, EventSet, Inbox, Outlet, PeerId, Protocol,
    RateLimits, Receivers, Relay, Server, ServerLimits, inbox,
};
use protocol_tests::{Notices, Raw, Seen, notices, run, run_paused};
use serde_json::json;

/// Names the connection and watches the board from now on.
#[derive(Debug, Event)]
#[event(request, response = Done)]
struct Watch {
    name: String,
}

/// Adds to the board.
#[derive(Debug, Event)]
#[event(request, response = Done)]
struct Add {
    text: String,
}

/// Is told to some by their names.
#[derive(Debug, Event)]
#[event(request, response = Done)]
struct Whisper {
    to: Vec<PeerId>,
    text: String,
}

/// Counts as so many deliveries.
#[derive(Debug, Event)]
#[event(request, response = Done)]
struct Cost {
    deliveries: usize,
}

/// How many were told.
#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Done(usize);

#[derive(Debug, EventSet)]
enum ToBoard {
    Watch(Watch),
    Add(Add),
    Whisper(Whisper),
    Cost(Cost),
}

#[derive(Debug, PartialEq, Event)]
#[event(pass)]
struct Entry {
    number: usize,
    text: String,
}

#[derive(Debug, PartialEq, EventSet)]
enum BoardNews {
    Entry(Entry),
}

#[derive(Debug, Event)]
#[event(pass)]
struct Wave(u32);

#[derive(Debug, EventSet)]
enum Between {
    Wave(Wave),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToBoard, to_client = BoardNews, to_peer = Between)]
struct Boards;

#[derive(Default)]
struct Board {
    entries: Mutex<(usize, Vec<Outlet<BoardNews>>)>,
    watchers: Mutex<Vec<Context<Boards>>>,
}

impl Board {
    /// Tells an entry to all who watch, and how many heard it.
    fn add(&self, text: String) -> usize {
        let mut entries = self.entries.lock().unwrap();
        let (count, outlets) = &mut *entries;
        *count += 1;
        let entry = Entry {
            number: *count,
            text,
        };
        let entry = Encoded::new(&entry).unwrap();
        outlets.iter().filter(|outlet| outlet.put(&entry)).count()
    }

    fn watcher(&self, name: &str) -> Context<Boards> {
        let watchers = self.watchers.lock().unwrap();
        let watcher = watchers
            .iter()
            .find(|cx| cx.peer().unwrap().as_str() == name);
        watcher.unwrap().clone()
    }
}

impl ToBoardHandler<Boards> for Board {
    async fn on_watch(&self, cx: &Context<Boards>, event: Watch) -> Done {
        assert!(cx.identify(PeerId::new(event.name).unwrap()));
        let outlet = cx.outlet();
        assert_eq!(outlet.connection(), cx.connection());
        self.watchers.lock().unwrap().push(cx.clone());
        let (_, outlets) = &mut *self.entries.lock().unwrap();
        outlets.push(outlet);
        Done(outlets.len())
    }

    async fn on_add(&self, _: &Context<Boards>, event: Add) -> Done {
        Done(self.add(event.text))
    }

    async fn on_whisper(&self, cx: &Context<Boards>, event: Whisper) -> Done {
        let Whisper { to, text } = event;
        let told = cx.to_many(to).send(Entry { number: 0, text }).await;
        Done(told.unwrap())
    }

    async fn on_cost(&self, cx: &Context<Boards>, event: Cost) -> Done {
        cx.charge(event.deliveries);
        Done(0)
    }
}

/// All who watch are in the room `board`; nobody sends `wave` to the room `quiet`.
struct Room(Arc<Board>);

impl Relay<Boards> for Room {
    fn to_peer(&self, _: &Context<Boards>, _: &str, _: &str) -> Result<(), WireError> {
        Ok(())
    }

    fn to_room(&self, _: &Context<Boards>, room: &str, name: &str) -> Result<(), WireError> {
        if (room, name) == ("quiet", "wave") {
            return Err(WireError::new(ErrorCode::Busy, "it is quiet here"));
        }
        Ok(())
    }

    fn pass_to_room(
        &self,
        cx: &Context<Boards>,
        room: &str,
        receivers: &mut Receivers<'_>,
    ) -> bool {
        let (_, outlets) = &*self.0.entries.lock().unwrap();
        let others = outlets
            .iter()
            .filter(|outlet| outlet.connection() != cx.connection());
        if room == "board" {
            others.for_each(|outlet| receivers.add(outlet));
        }
        room == "board"
    }
}

struct House {
    server: Server<Boards>,
    board: Arc<Board>,
    notices: Notices,
}

async fn open(bind: Bind<'_, Boards>, change: impl FnOnce(&mut ServerLimits)) -> House {
    let mut limits = ServerLimits::default();
    change(&mut limits);
    let board = Arc::new(Board::default());
    let (observer, notices) = notices();
    let server = bind
        .limits(limits)
        .relay(Room(Arc::clone(&board)))
        .observe(observer)
        .handle(Arc::clone(&board))
        .await
        .unwrap();
    House {
        server,
        board,
        notices,
    }
}

async fn house(change: impl FnOnce(&mut ServerLimits)) -> House {
    open(Server::bind("127.0.0.1:0"), change).await
}

impl House {
    async fn watcher(&self, name: &str) -> (Client<Boards>, Inbox<BoardNews>, Inbox<Between>) {
        let (on_news, news) = inbox(1_024);
        let (on_waves, waves) = inbox(1_024);
        let client = Client::connect(self.server.address()).handle((on_news, on_waves));
        let client = client.await.unwrap();
        let name = name.to_owned();
        client.request(Watch { name }).await.unwrap();
        (client, news, waves)
    }

    /// A watcher that reads only what the test reads.
    async fn raw(&self, name: &str) -> Raw {
        let mut raw = Raw::connect(self.server.address()).await;
        let watch =
            json!({"type": "request", "name": "watch", "data": {"name": name}, "request_id": "1"});
        raw.send(&watch.to_string()).await;
        assert_eq!(raw.json().await["request_id"], "1");
        raw
    }
}

#[test]
fn all_hear_everything_in_the_order_in_which_it_was_put() {
    run(async {
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
    run(async {
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
    run(async {
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
    run(async {
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

#[test]
fn one_frame_reaches_all_others_of_a_room_with_its_bytes() {
    run(async {
        let mut house = house(|_| {}).await;
        let mut others = [house.raw("bob").await, house.raw("carol").await];
        let mut alice = house.raw("alice").await;
        let wave = |room: &str| {
            format!(r##"{{"dest":"#{room}","data":  1.50e1,"type":"pass","name":"wave"}}"##)
        };
        alice.send(&wave("board")).await;
        for other in &mut others {
            let line = other.line().await.unwrap();
            assert!(line.contains(r#""data":  1.50e1"#), "{line}");
            let frame: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(
                (&frame["from"], &frame["dest"]),
                (&json!("alice"), &json!("#board"))
            );
        }
        for (room, code) in [("elsewhere", "not_allowed"), ("quiet", "busy")] {
            alice.send(&wave(room)).await;
            assert_eq!(house.notices.next().await, Seen::refused("wave", code));
        }
        // Nobody but them heard anything: the next that each reads is an answer of its own.
        for peer in others.iter_mut().chain([&mut alice]) {
            peer.send(
                r#"{"type":"request","name":"cost","data":{"deliveries":0},"request_id":"2"}"#,
            )
            .await;
            assert_eq!(peer.json().await["request_id"], "2");
        }
    });
}

#[test]
fn members_who_do_not_read_are_counted_and_others_hear_all() {
    run(async {
        let mut house = house(|limits| {
            limits.connection.outbound_bytes = 100_000;
            limits.connection.write_stall = Duration::from_hours(1);
            limits.connection.rate_in = None;
        })
        .await;
        let _deaf = house.raw("bob").await;
        let mut carol = house.raw("carol").await;
        let mut alice = house.raw("alice").await;
        let filler = "x".repeat(10_000);
        let mut sent = 0;
        let missed = loop {
            let frame =
                json!({"type": "pass", "dest": "#board", "name": "wave", "data": [sent, filler]});
            alice.send(&frame.to_string()).await;
            assert_eq!(carol.json().await["data"][0], sent);
            sent += 1;
            if let Some(seen) = house.notices.try_next() {
                break seen;
            }
        };
        assert_eq!(missed, Seen::refused("wave", "peer_slow"));
    });
}

/// On virtual time, where waiting is all that takes any.
#[test]
fn who_makes_others_receive_more_than_it_may_is_slowed_down() {
    run_paused(async {
        let house = open(Server::in_memory(), |limits| {
            let mut rates = RateLimits::default();
            rates.deliveries_per_second = 100;
            limits.connection.rate_in = Some(rates);
        })
        .await;
        let handlers = || (inbox::<BoardNews>(16).0, inbox::<Between>(16).0);
        let connect = || Client::connect_in_memory(&house.server).handle(handlers());
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
