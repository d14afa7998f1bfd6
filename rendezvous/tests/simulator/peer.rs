//! One life of a client, and what it calls.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::{Client, PeerId, RoomId};
use rendezvous::MyRooms;
use rendezvous::events::LogOut;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::acts::{Act, perform, short};
use crate::entry::Door;
use crate::house::SERVER;
use crate::journal::{End, Journal, Kind, LifeId};
use crate::links::{self, Standing};
use crate::network::{Fault, Network};
use crate::post::{Answer, Ask, Errand, Label, Parcel, Say, World};

/// What a life of a peer is made of.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) network: Network,
    pub(crate) journal: Journal,
    pub(crate) name: &'static str,
    pub(crate) grace: Duration,
    pub(crate) is_proved: bool,
    /// Whether it gives up where somebody has its id.
    pub(crate) is_challenger: bool,
}

/// A call to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) work: Duration,
    pub(crate) unwanted: bool,
    pub(crate) filler: usize,
    pub(crate) timeout: Option<Duration>,
    /// When the caller loses interest.
    pub(crate) patience: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) life: LifeId,
    start: Start,
    host: String,
    door: Door,
    tasks: JoinSet<()>,
}

impl Peer {
    pub(crate) fn start(start: Start) -> Self {
        let life = start.journal.born(start.name);
        let host = start.journal.name(life);
        start.journal.note(life, "starts");
        let mut tasks = JoinSet::new();
        let door = Door::default();
        tasks.spawn(door.clone().enter(start.clone(), life, host.clone()));
        Self {
            life,
            start,
            host,
            door,
            tasks,
        }
    }

    /// The client, once it is logged in.
    pub(crate) fn client(&self) -> Option<Client<World>> {
        self.door.look().client.clone()
    }

    /// Where it is; none while it is not logged in.
    pub(crate) fn standing(&self) -> Option<Standing> {
        self.door.look().client.as_ref().map(links::standing)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.standing() == Some(Standing::Connected)
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.standing(), Some(Standing::Lost(_)))
    }

    pub(crate) fn has_given_up(&self) -> bool {
        self.door.look().has_given_up
    }

    /// Its own picture of its rooms.
    pub(crate) fn rooms(&self) -> MyRooms {
        let hearing = Arc::clone(&self.door.look().hearing);
        let mut hearing = hearing.lock().expect("nothing panics with it");
        hearing.rooms().clone()
    }

    pub(crate) fn name(&self) -> &'static str {
        self.start.name
    }

    /// Ends at once, in the middle of whatever it does. The server sees that by `fault`.
    pub(crate) fn crash(mut self, fault: Fault) {
        let text = format!("crashes: {fault:?}");
        self.start.journal.dies(self.life, &text);
        self.start.network.crash(&self.host, fault);
        self.tasks.abort_all();
    }

    /// Ends once it has logged out; it makes no call any more.
    pub(crate) async fn leave(mut self) {
        let (client, journal) = (self.client(), self.start.journal.clone());
        journal.note(self.life, "leaves");
        if let Some(client) = client {
            let answer = client.request(LogOut {}).await;
            journal.note(self.life, &format!("logs out: {}", short(&answer)));
            client.close().await;
        }
        journal.dies(self.life, "ends");
        self.start.network.crash(&self.host, Fault::Reset);
        self.tasks.abort_all();
    }

    /// Another life like this one.
    pub(crate) fn start_again(&self) -> Start {
        self.start.clone()
    }

    /// How many of its calls are open.
    pub(crate) fn open_calls(&mut self) -> usize {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.len()
    }

    /// Calls the server, or a peer.
    pub(crate) fn call(&mut self, to: &'static str, order: Order) {
        let Some(client) = self.client() else {
            return;
        };
        let (journal, life) = (self.start.journal.clone(), self.life);
        self.tasks.spawn(async move {
            let most = order.timeout.unwrap_or_else(|| default_timeout(order.kind));
            let (call, number) = journal.calls(life, order.kind, to, most);
            let label = order.label(life, number);
            let calling = call_one(&client, to, order, label, most);
            let end = match order.patience {
                Some(patience) => timeout(patience, calling).await.unwrap_or(End::GivenUp),
                None => calling.await,
            };
            journal.ended(call, end);
        });
    }

    /// Says something in a room.
    pub(crate) fn say(&mut self, place: usize, room: RoomId, order: Order) {
        let Some(client) = self.client() else {
            return;
        };
        let (journal, life) = (self.start.journal.clone(), self.life);
        self.tasks.spawn(async move {
            let kind = Kind::Say { room: place };
            let to = format!("room {place}");
            let (call, number) = journal.calls(life, kind, &to, default_timeout(kind));
            let label = order.label(life, number);
            let say = Say { label, room: place };
            let sent = client.to_room(&room).send(say).await;
            journal.ended(call, End::of_sending(sent));
        });
    }

    /// Asks for something in a room.
    pub(crate) fn act(&mut self, act: Act) {
        let Some(client) = self.client() else {
            return;
        };
        let (journal, life) = (self.start.journal.clone(), self.life);
        self.tasks.spawn(async move {
            let (what, room) = act.words(&journal);
            let answer = perform(&client, act, &journal).await;
            journal.note(life, &format!("{what} {room}: {answer}"));
        });
    }
}

fn default_timeout(kind: Kind) -> Duration {
    let secs = match kind {
        Kind::Parcel => 30,
        Kind::Plain | Kind::Ask | Kind::Errand | Kind::Say { .. } => 10,
    };
    Duration::from_secs(secs)
}

impl Order {
    /// A call with nothing special about it.
    pub(crate) fn plain(kind: Kind) -> Self {
        Self {
            kind,
            work: Duration::ZERO,
            unwanted: false,
            filler: 0,
            timeout: None,
            patience: None,
        }
    }

    fn label(self, life: LifeId, number: u64) -> Label {
        Label {
            life,
            number,
            work_ms: u64::try_from(self.work.as_millis()).unwrap_or(u64::MAX),
            unwanted: self.unwanted,
        }
    }
}

async fn call_one(
    client: &Client<World>,
    to: &str,
    order: Order,
    label: Label,
    most: Duration,
) -> End {
    let peer = (to != SERVER).then(|| PeerId::new(to).expect("a name"));
    let parcel = || Parcel {
        label,
        filler: "x".repeat(order.filler),
    };
    let fits = |answer: Answer| answer.number == label.number;
    match (order.kind, peer) {
        (Kind::Parcel, Some(peer)) => {
            let call = client.to(&peer).confirm(parcel()).timeout(most);
            End::of(call.await, |()| true)
        }
        (Kind::Parcel, None) => End::of(client.confirm(parcel()).timeout(most).await, |()| true),
        (Kind::Plain, Some(peer)) => End::of_sending(client.to(&peer).send(parcel()).await),
        (Kind::Plain, None) => End::of_sending(client.send(parcel()).await),
        (Kind::Ask, Some(peer)) => {
            let call = client.to(&peer).request(Ask { label }).timeout(most);
            End::of(call.await, fits)
        }
        (Kind::Ask, None) => End::of(client.request(Ask { label }).timeout(most).await, fits),
        (Kind::Errand, Some(peer)) => {
            let call = client.to(&peer).request(Errand { label }).timeout(most);
            End::of(call.await, fits)
        }
        (Kind::Errand, None) => End::of(client.request(Errand { label }).timeout(most).await, fits),
        (Kind::Say { .. }, _) => unreachable!("a room is said something by `say`"),
    }
}
