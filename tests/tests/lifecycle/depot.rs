//! A protocol whose handlers take as long as the tests like.

use std::sync::Arc;

use protocol_core::{
    AtClient, Client, CloseReason, ConnectionId, Context, Event, EventSet, Limits, Protocol,
    RequestError, SendError, Server, ServerLimits,
};
use protocol_tests::PlainOrEncrypted;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::coop::{consume_budget, has_budget_remaining};

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Load {
    pub(crate) n: u32,
}

#[derive(Debug, Event)]
#[event(request, response = Waited)]
pub(crate) struct Wait;

#[derive(Debug, Event)]
#[event(request, response = Waited, concurrent)]
pub(crate) struct WaitBeside;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Waited;

/// Its handler waits, then calls its client, whatever became of the link.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct CallLater;

/// Its handler waits for the link's end.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Watch;

#[derive(Debug, Event)]
#[event(request, response = Waited, concurrent)]
pub(crate) struct WatchBeside;

/// Its handler asks the client while the client waits for it.
#[derive(Debug, Event)]
#[event(request, response = Waited)]
pub(crate) struct AskBack;

/// Its handler waits, then leaves nothing of what the scheduler lets its task do at once, as one
/// that reads a full channel does.
#[derive(Debug, Event)]
#[event(request, response = Waited)]
pub(crate) struct Toil;

#[derive(Debug, EventSet)]
pub(crate) enum ToDepot {
    Load(Load),
    Wait(Wait),
    WaitBeside(WaitBeside),
    CallLater(CallLater),
    Watch(Watch),
    WatchBeside(WatchBeside),
    AskBack(AskBack),
    Toil(Toil),
}

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Unload {
    pub(crate) n: u32,
}

#[derive(Debug, Event)]
#[event(request, response = Waited)]
pub(crate) struct Sign;

#[derive(Debug, EventSet)]
pub(crate) enum FromDepot {
    Unload(Unload),
    Sign(Sign),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToDepot, to_client = FromDepot)]
pub(crate) struct Freight;

#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Load(u32),
    Unload(u32),
    Waits,
    Toils(ConnectionId),
    /// The handler ran to its end.
    Done,
    /// The handler was cut off or ran to its end.
    Gone,
    Closed(CloseReason),
    Called {
        sent: Result<(), SendError>,
        confirmed: Result<(), RequestError<std::convert::Infallible>>,
        requested: Result<Waited, RequestError<std::convert::Infallible>>,
    },
}

/// The handlers of both ends.
pub(crate) struct Depot {
    seen: UnboundedSender<Seen>,
    /// A permit ends one wait.
    go: Arc<Semaphore>,
}

/// Tells that a handler's future is gone.
struct Gone(UnboundedSender<Seen>);

impl Drop for Gone {
    fn drop(&mut self) {
        // A test that has ended no longer looks.
        let _ = self.0.send(Seen::Gone);
    }
}

impl Depot {
    pub(crate) fn new() -> (Self, UnboundedReceiver<Seen>, Arc<Semaphore>) {
        let (seen, told) = unbounded_channel();
        let go = Arc::new(Semaphore::new(0));
        let depot = Self {
            seen,
            go: Arc::clone(&go),
        };
        (depot, told, go)
    }

    fn tell(&self, seen: Seen) {
        // A test that has ended no longer looks.
        let _ = self.seen.send(seen);
    }

    async fn wait(&self) -> Waited {
        let _gone = Gone(self.seen.clone());
        self.tell(Seen::Waits);
        self.go.acquire().await.expect("never closed").forget();
        self.tell(Seen::Done);
        Waited
    }
}

impl ToDepotHandler<Freight> for Depot {
    async fn on_load(&self, _cx: &Context<Freight>, event: Load) {
        self.tell(Seen::Load(event.n));
    }

    async fn on_wait(&self, _cx: &Context<Freight>, _event: Wait) -> Waited {
        self.wait().await
    }

    async fn on_wait_beside(&self, _cx: &Context<Freight>, _event: WaitBeside) -> Waited {
        self.wait().await
    }

    async fn on_call_later(&self, cx: &Context<Freight>, _event: CallLater) {
        self.wait().await;
        let requested = cx.request(Sign).await;
        let confirmed = cx.confirm(Unload { n: 1 }).await;
        let sent = cx.send(Unload { n: 2 }).await;
        self.tell(Seen::Called {
            sent,
            confirmed,
            requested,
        });
    }

    async fn on_watch(&self, cx: &Context<Freight>, _event: Watch) {
        self.tell(Seen::Waits);
        self.tell(Seen::Closed(cx.closed().await));
    }

    async fn on_watch_beside(&self, cx: &Context<Freight>, _event: WatchBeside) -> Waited {
        self.tell(Seen::Waits);
        self.tell(Seen::Closed(cx.closed().await));
        Waited
    }

    async fn on_ask_back(&self, cx: &Context<Freight>, _event: AskBack) -> Waited {
        self.tell(Seen::Waits);
        cx.request(Sign).await.unwrap_or(Waited)
    }

    async fn on_toil(&self, cx: &Context<Freight>, _event: Toil) -> Waited {
        self.tell(Seen::Toils(cx.connection()));
        self.go.acquire().await.expect("never closed").forget();
        while has_budget_remaining() {
            consume_budget().await;
        }
        Waited
    }
}

impl FromDepotHandler<Freight, AtClient> for Depot {
    async fn on_unload(&self, _cx: &Context<Freight, AtClient>, event: Unload) {
        if event.n == 0 {
            self.wait().await;
        }
        self.tell(Seen::Unload(event.n));
    }

    async fn on_sign(&self, _cx: &Context<Freight, AtClient>, _event: Sign) -> Waited {
        self.wait().await
    }
}

/// One end of a link and what its handlers see.
pub(crate) struct Site<T> {
    pub(crate) end: T,
    pub(crate) seen: UnboundedReceiver<Seen>,
    pub(crate) go: Arc<Semaphore>,
}

impl<T> Site<T> {
    pub(crate) async fn next(&mut self) -> Seen {
        self.seen.recv().await.expect("the handlers are there")
    }
}

pub(crate) async fn serve(limits: ServerLimits) -> Site<Server<Freight>> {
    let (depot, seen, go) = Depot::new();
    let server = Server::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .limits(limits)
        .handle(depot);
    let end = server.await.expect("binds");
    Site { end, seen, go }
}

pub(crate) async fn connect(address: std::net::SocketAddr) -> Site<Client<Freight>> {
    connect_with(address, Limits::client()).await
}

pub(crate) async fn connect_with(
    address: std::net::SocketAddr,
    limits: Limits,
) -> Site<Client<Freight>> {
    let (depot, seen, go) = Depot::new();
    let client = Client::connect(address)
        .plain_or_encrypted()
        .limits(limits)
        .handle(depot);
    let end = client.await.expect("connects");
    Site { end, seen, go }
}
