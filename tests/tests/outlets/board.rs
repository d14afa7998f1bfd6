//! A server that keeps a board and the ways to all who watch it.

use std::sync::{Arc, Mutex};

use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{
    Bind, Client, Context, Encoded, Event, EventSet, Inbox, Outlet, PeerId, Protocol, Receivers,
    Relay, Server, ServerLimits, inbox,
};
use protocol_tests::{Notices, PlainOrEncrypted, Raw, notices};
use serde_json::json;

/// Names the connection and watches the board from now on.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Watch {
    pub(crate) name: String,
}

/// Adds to the board.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Add {
    pub(crate) text: String,
}

/// Is told to some by their names.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Whisper {
    pub(crate) to: Vec<PeerId>,
    pub(crate) text: String,
}

/// Counts as so many deliveries.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Cost {
    pub(crate) deliveries: usize,
}

/// How many were told.
#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Done(pub(crate) usize);

#[derive(Debug, EventSet)]
pub(crate) enum ToBoard {
    Watch(Watch),
    Add(Add),
    Whisper(Whisper),
    Cost(Cost),
}

#[derive(Debug, PartialEq, Event)]
#[event(pass)]
pub(crate) struct Entry {
    pub(crate) number: usize,
    pub(crate) text: String,
}

#[derive(Debug, PartialEq, EventSet)]
pub(crate) enum BoardNews {
    Entry(Entry),
}

#[derive(Debug, PartialEq, Event)]
#[event(pass)]
pub(crate) struct Wave(pub(crate) u32);

#[derive(Debug, PartialEq, EventSet)]
pub(crate) enum Between {
    Wave(Wave),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToBoard, to_client = BoardNews, to_peer = Between)]
pub(crate) struct Boards;

#[derive(Default)]
pub(crate) struct Board {
    pub(crate) entries: Mutex<(usize, Vec<Outlet<BoardNews>>)>,
    pub(crate) watchers: Mutex<Vec<Context<Boards>>>,
}

impl Board {
    /// Tells an entry to all who watch, and how many heard it.
    pub(crate) fn add(&self, text: String) -> usize {
        let mut entries = self.entries.lock().unwrap();
        let (count, outlets) = &mut *entries;
        *count += 1;
        let entry = Entry {
            number: *count,
            text,
        };
        let entry = Encoded::new(&entry).unwrap();
        let puts = outlets.iter().map(|outlet| outlet.put(&entry));
        puts.filter(|put| put.is_queued()).count()
    }

    pub(crate) fn watcher(&self, name: &str) -> Context<Boards> {
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
pub(crate) struct Room(Arc<Board>);

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

pub(crate) struct House {
    pub(crate) server: Server<Boards>,
    pub(crate) board: Arc<Board>,
    pub(crate) notices: Notices,
}

pub(crate) async fn open(bind: Bind<'_, Boards>, change: impl FnOnce(&mut ServerLimits)) -> House {
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

pub(crate) async fn house(change: impl FnOnce(&mut ServerLimits)) -> House {
    open(Server::bind("127.0.0.1:0").plain_or_encrypted(), change).await
}

impl House {
    pub(crate) async fn watcher(
        &self,
        name: &str,
    ) -> (Client<Boards>, Inbox<BoardNews>, Inbox<Between>) {
        let (on_news, news) = inbox(1_024);
        let (on_waves, waves) = inbox(1_024);
        let client = Client::connect(self.server.address())
            .plain_or_encrypted()
            .handle((on_news, on_waves));
        let client = client.await.unwrap();
        let name = name.to_owned();
        client.request(Watch { name }).await.unwrap();
        (client, news, waves)
    }

    /// A watcher that reads only what the test reads.
    pub(crate) async fn raw(&self, name: &str) -> Raw {
        let mut raw = Raw::connect(self.server.address()).await;
        let watch =
            json!({"type": "request", "name": "watch", "data": {"name": name}, "request_id": "1"});
        raw.send(&watch.to_string()).await;
        assert_eq!(raw.json().await["request_id"], "1");
        raw
    }
}
