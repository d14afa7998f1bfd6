//! A server that relays between all who have entered, and typed guests of it.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::{
    AtClient, AtPeer, Bind, Client, Context, Event, EventError, EventSet, OpenRelay, PeerId,
    Protocol, Server, ServerLimits,
};
use protocol_tests::{Notices, PlainOrEncrypted, Raw, notices};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Names the connection.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Enter {
    pub(crate) name: String,
}

/// Is answered at once.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Look;

/// Is told to the test.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Note(pub(crate) String);

/// Has the handler close the connection.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Leave;

/// Is answered once the test lets it; `rest` is told before.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Rest;

/// Is answered once the client has signed.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct AskMe;

/// Has the test told when the connection is gone.
#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Watch {
    pub(crate) panics: bool,
    /// Whether the handler closes the connection before it watches.
    pub(crate) too_late: bool,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Done(pub(crate) bool);

#[derive(Debug, EventSet)]
pub(crate) enum ToHall {
    Enter(Enter),
    Look(Look),
    Note(Note),
    Leave(Leave),
    Rest(Rest),
    AskMe(AskMe),
    Watch(Watch),
}

#[derive(Debug, Event)]
#[event(request, response = Done)]
pub(crate) struct Sign;

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct News(pub(crate) String);

#[derive(Debug, EventSet)]
pub(crate) enum FromHall {
    Sign(Sign),
    News(News),
}

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Wave(pub(crate) u32);

/// Is refused where the text is "no".
#[derive(Debug, Event)]
#[event(pass, error = Refusal)]
pub(crate) struct Knock(pub(crate) String);

/// Is answered with the text, and refused where that is "no".
#[derive(Debug, Event)]
#[event(request, response = Told, error = Refusal)]
pub(crate) struct Ask(pub(crate) String);

/// Is answered with what the asker answers to the same.
#[derive(Debug, Event)]
#[event(request, response = Told)]
pub(crate) struct AskBack(pub(crate) String);

/// Is answered once the test lets it.
#[derive(Debug, Event)]
#[event(request, response = Told, concurrent)]
pub(crate) struct Hold;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Told(pub(crate) String);

pub(crate) fn told(text: &str) -> Told {
    Told(text.into())
}

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
pub(crate) enum Refusal {
    #[error("no to {who}")]
    No { who: String },
}

#[derive(Debug, EventSet)]
pub(crate) enum Between {
    Wave(Wave),
    Knock(Knock),
    Ask(Ask),
    AskBack(AskBack),
    Hold(Hold),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToHall, to_client = FromHall, to_peer = Between)]
pub(crate) struct Meet;

/// What the server does with events for itself.
struct Host {
    tell: UnboundedSender<String>,
    gone: UnboundedSender<Gone>,
    go: Arc<Semaphore>,
}

impl Host {
    fn tell(&self, text: &str) {
        // A test that no longer listens has heard enough.
        let _ = self.tell.send(text.to_owned());
    }
}

impl ToHallHandler<Meet> for Host {
    async fn on_enter(&self, cx: &Context<Meet>, event: Enter) -> Done {
        Done(PeerId::new(event.name).is_ok_and(|name| cx.identify(name)))
    }

    async fn on_look(&self, _cx: &Context<Meet>, _event: Look) -> Done {
        Done(true)
    }

    async fn on_note(&self, _cx: &Context<Meet>, event: Note) {
        self.tell(&event.0);
    }

    async fn on_leave(&self, cx: &Context<Meet>, _event: Leave) -> Done {
        cx.close();
        Done(true)
    }

    async fn on_rest(&self, _cx: &Context<Meet>, _event: Rest) -> Done {
        self.tell("rest");
        self.go.acquire().await.expect("never closed").forget();
        Done(true)
    }

    async fn on_ask_me(&self, cx: &Context<Meet>, _event: AskMe) -> Done {
        cx.request(Sign).await.unwrap_or(Done(false))
    }

    async fn on_watch(&self, cx: &Context<Meet>, event: Watch) -> Done {
        if event.too_late {
            cx.close();
        }
        let (there, gone) = (cx.clone(), self.gone.clone());
        cx.on_leave(move || {
            let by_name = there.peer().is_some_and(|name| there.to(name).close());
            let by_id = there.to(there.connection()).close();
            // A test that no longer listens has heard enough.
            let _ = gone.send(Gone {
                name: there.peer().map(|name| name.as_str().to_owned()),
                reachable: by_name || by_id,
            });
            assert!(!event.panics, "the farewell panics, as it should");
        });
        Done(true)
    }
}

/// A connection that was watched is gone.
#[derive(Debug, PartialEq)]
pub(crate) struct Gone {
    pub(crate) name: Option<String>,
    pub(crate) reachable: bool,
}

/// The server and what it sees.
pub(crate) struct Hall {
    pub(crate) server: Server<Meet>,
    pub(crate) notices: Notices,
    pub(crate) heard: UnboundedReceiver<String>,
    pub(crate) gone: UnboundedReceiver<Gone>,
    pub(crate) go: Arc<Semaphore>,
}

/// A hall in which everybody may reach everybody.
pub(crate) async fn hall(change: impl FnOnce(&mut ServerLimits)) -> Hall {
    serve(
        Server::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .relay(OpenRelay),
        change,
    )
    .await
}

/// Time for what should not be over before the test says so.
pub(crate) fn patient(limits: &mut ServerLimits) {
    limits.connection.linger = Duration::from_mins(1);
}

pub(crate) async fn serve(bind: Bind<'_, Meet>, change: impl FnOnce(&mut ServerLimits)) -> Hall {
    let mut limits = ServerLimits::default();
    // A bare socket does not close by itself when the server has said all.
    limits.connection.linger = Duration::from_millis(50);
    change(&mut limits);
    let (observer, notices) = notices();
    let (tell, heard) = unbounded_channel();
    let (tell_gone, gone) = unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let host = Host {
        tell,
        gone: tell_gone,
        go: Arc::clone(&go),
    };
    let server = bind.limits(limits).observe(observer).handle(host);
    Hall {
        server: server.await.expect("binds"),
        notices,
        heard,
        gone,
        go,
    }
}

impl Hall {
    /// A bare socket without a name.
    pub(crate) async fn stranger(&self) -> Raw {
        Raw::connect(self.server.address()).await
    }

    /// A bare socket that has entered.
    pub(crate) async fn enter(&self, name: &str) -> Raw {
        let mut raw = self.stranger().await;
        let name = serde_json::to_string(name).expect("a string");
        let line = format!(
            r#"{{"type":"request","name":"enter","data":{{"name":{name}}},"request_id":"enter"}}"#
        );
        let entered = raw.ask(&line).await;
        assert_eq!(entered["data"], true, "{entered}");
        raw
    }

    /// A typed client that has entered.
    pub(crate) async fn guest(&self, name: &'static str) -> Guest {
        let (tell, seen) = unbounded_channel();
        let go = Arc::new(Semaphore::new(0));
        let person = Person {
            name,
            tell,
            go: Arc::clone(&go),
        };
        let client = Client::<Meet>::connect(self.server.address())
            .plain_or_encrypted()
            .handle(person);
        let client = client.await.expect("connects");
        let entered = client.request(Enter { name: name.into() }).await;
        assert_eq!(entered, Ok(Done(true)));
        Guest { client, seen, go }
    }

    /// Waits until so many are connected. The test's own watch bounds it.
    pub(crate) async fn has_connections(&self, count: usize) {
        while self.server.connections() != count {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn close(&self, name: &str) {
        assert!(self.server.to(peer(name)).close(), "{name} is here");
    }
}

pub(crate) fn peer(name: &str) -> PeerId {
    PeerId::new(name).expect("a good name")
}

/// A typed client and what its handlers see.
pub(crate) struct Guest {
    pub(crate) client: Client<Meet>,
    pub(crate) seen: UnboundedReceiver<String>,
    pub(crate) go: Arc<Semaphore>,
}

impl Guest {
    pub(crate) async fn sees(&mut self, text: &str) {
        assert_eq!(self.seen.recv().await.as_deref(), Some(text));
    }
}

struct Person {
    name: &'static str,
    tell: UnboundedSender<String>,
    go: Arc<Semaphore>,
}

impl Person {
    fn tell(&self, text: String) {
        // A test that no longer listens has seen enough.
        let _ = self.tell.send(text);
    }
}

impl FromHallHandler<Meet, AtClient> for Person {
    async fn on_sign(&self, _cx: &Context<Meet, AtClient>, _event: Sign) -> Done {
        Done(true)
    }

    async fn on_news(&self, _cx: &Context<Meet, AtClient>, event: News) {
        self.tell(format!("news: {}", event.0));
    }
}

impl BetweenHandler<Meet, AtPeer> for Person {
    async fn on_wave(&self, cx: &Context<Meet, AtPeer>, event: Wave) {
        self.tell(format!("{} waves {}", cx.from(), event.0));
    }

    async fn on_knock(&self, cx: &Context<Meet, AtPeer>, event: Knock) -> Result<(), Refusal> {
        self.tell(format!("{} knocks {}", cx.from(), event.0));
        self.judge(&event.0)
    }

    async fn on_ask(&self, cx: &Context<Meet, AtPeer>, event: Ask) -> Result<Told, Refusal> {
        self.judge(&event.0)?;
        Ok(Told(format!("{} to {}: {}", self.name, cx.from(), event.0)))
    }

    async fn on_ask_back(&self, cx: &Context<Meet, AtPeer>, event: AskBack) -> Told {
        let answer = cx.request(Ask(event.0)).timeout(Duration::from_secs(5));
        match answer.await {
            Ok(told) => Told(format!("{} heard: {}", self.name, told.0)),
            Err(error) => Told(format!("{} heard nothing: {error}", self.name)),
        }
    }

    async fn on_hold(&self, cx: &Context<Meet, AtPeer>, _event: Hold) -> Told {
        self.tell(format!("{} holds", cx.from()));
        self.go.acquire().await.expect("never closed").forget();
        Told(format!("{} lets go", self.name))
    }
}

impl Person {
    fn judge(&self, text: &str) -> Result<(), Refusal> {
        if text == "no" {
            return Err(Refusal::No {
                who: self.name.to_owned(),
            });
        }
        Ok(())
    }
}

/// A typed client without a name and a socket.
pub(crate) async fn in_memory(server: &Server<Meet>) -> Client<Meet> {
    let (tell, _) = unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let name = "";
    let client = Client::connect_in_memory(server)
        .plain_or_encrypted()
        .handle(Person { name, tell, go });
    client.await.expect("connects")
}

/// Far above what an answer takes, far below what the relay waits for one.
const SOON: Duration = Duration::from_secs(5);

/// Waits for what must not take the relay's own patience.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(SOON, future).await;
    ended.expect("it comes at once")
}
