//! The server that is attacked: an event of each behaviour.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::{Bind, Client, Context, Event, EventSet, Protocol, Server, ServerLimits};
use protocol_tests::{Notices, notices};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Note {
    pub(crate) text: String,
}

#[derive(Debug, Event)]
#[event(pass, max_size = "16B")]
pub(crate) struct Label(pub(crate) String);

#[derive(Debug, Event)]
#[event(request, response = Sum)]
pub(crate) struct Add {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Sum {
    pub(crate) sum: i64,
}

/// Is answered with so many bytes.
#[derive(Debug, Event)]
#[event(request, response = Filled)]
pub(crate) struct Fill {
    pub(crate) bytes: usize,
}

/// Likewise, beside later events; says so when it begins.
#[derive(Debug, Event)]
#[event(request, response = Filled, concurrent)]
pub(crate) struct FillBeside {
    pub(crate) bytes: usize,
}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Filled(pub(crate) String);

/// Is answered once the test lets it.
#[derive(Debug, Event)]
#[event(request, response = Released)]
pub(crate) struct Hold;

/// Likewise, beside later events.
#[derive(Debug, Event)]
#[event(request, response = Released, concurrent)]
pub(crate) struct HoldBeside;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Released;

#[derive(Debug, Event)]
#[event(request, response = Released)]
pub(crate) struct Panic {
    pub(crate) text: String,
}

/// Is answered with what the client answers.
#[derive(Debug, Event)]
#[event(request, response = Sum)]
pub(crate) struct AskBack;

/// Is answered once the link has ended, beside later events.
#[derive(Debug, Event)]
#[event(request, response = Released, concurrent)]
pub(crate) struct Watch;

#[derive(Debug, EventSet)]
pub(crate) enum ToDesk {
    Note(Note),
    Label(Label),
    Add(Add),
    Fill(Fill),
    FillBeside(FillBeside),
    Hold(Hold),
    HoldBeside(HoldBeside),
    Panic(Panic),
    AskBack(AskBack),
    Watch(Watch),
}

#[derive(Debug, Event)]
#[event(request, response = Sum)]
pub(crate) struct Back;

#[derive(Debug, EventSet)]
pub(crate) enum FromDesk {
    Back(Back),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToDesk, to_client = FromDesk)]
pub(crate) struct Hostile;

pub(crate) struct Desk {
    pub(crate) release: Arc<Semaphore>,
    heard: UnboundedSender<String>,
}

impl Desk {
    async fn held(&self, name: &str) -> Released {
        self.tell(name);
        self.release.acquire().await.unwrap().forget();
        Released
    }

    fn tell(&self, text: &str) {
        // A test that no longer listens has heard enough.
        let _ = self.heard.send(text.to_owned());
    }
}

impl ToDeskHandler<Hostile> for Desk {
    async fn on_note(&self, _cx: &Context<Hostile>, event: Note) {
        self.tell(&event.text);
    }

    async fn on_label(&self, _cx: &Context<Hostile>, event: Label) {
        self.tell(&event.0);
    }

    async fn on_add(&self, _cx: &Context<Hostile>, event: Add) -> Sum {
        Sum {
            sum: event.a.wrapping_add(event.b),
        }
    }

    async fn on_fill(&self, _cx: &Context<Hostile>, event: Fill) -> Filled {
        Filled("x".repeat(event.bytes))
    }

    async fn on_fill_beside(&self, _cx: &Context<Hostile>, event: FillBeside) -> Filled {
        self.tell("fill_beside");
        tokio::task::yield_now().await;
        Filled("x".repeat(event.bytes))
    }

    async fn on_hold(&self, _cx: &Context<Hostile>, _event: Hold) -> Released {
        self.held("hold").await
    }

    async fn on_hold_beside(&self, _cx: &Context<Hostile>, _event: HoldBeside) -> Released {
        self.held("hold_beside").await
    }

    async fn on_panic(&self, _cx: &Context<Hostile>, event: Panic) -> Released {
        panic!("{}", event.text)
    }

    async fn on_ask_back(&self, cx: &Context<Hostile>, _event: AskBack) -> Sum {
        let answer = cx.request(Back).await;
        self.tell(&format!("{answer:?}"));
        answer.unwrap_or(Sum { sum: -1 })
    }

    async fn on_watch(&self, cx: &Context<Hostile>, _event: Watch) -> Released {
        self.tell("watch");
        self.tell(&cx.closed().await.to_string());
        Released
    }
}

/// A server under attack, and what it sees.
pub(crate) struct Attacked {
    pub(crate) server: Server<Hostile>,
    pub(crate) release: Arc<Semaphore>,
    pub(crate) heard: UnboundedReceiver<String>,
    pub(crate) notices: Notices,
}

pub(crate) async fn attacked(change: impl FnOnce(&mut ServerLimits)) -> Attacked {
    let mut limits = ServerLimits::default();
    limits.connection.linger = Duration::from_millis(50);
    change(&mut limits);
    serve(Server::bind("127.0.0.1:0").limits(limits)).await
}

pub(crate) async fn serve(bind: Bind<'_, Hostile>) -> Attacked {
    let release = Arc::new(Semaphore::new(0));
    let (tell, heard) = unbounded_channel();
    let (observer, notices) = notices();
    let desk = Desk {
        release: Arc::clone(&release),
        heard: tell,
    };
    Attacked {
        server: bind.observe(observer).handle(desk).await.unwrap(),
        release,
        heard,
        notices,
    }
}

impl Attacked {
    /// Waits until a handler or a note said so.
    pub(crate) async fn hears(&mut self, text: &str) {
        assert_eq!(self.heard.recv().await.as_deref(), Some(text));
    }

    /// Waits until so many are connected. The test's own watch bounds it.
    pub(crate) async fn has_connections(&self, count: usize) {
        while self.server.connections() != count {
            tokio::task::yield_now().await;
        }
    }

    /// A well-behaved client is served.
    pub(crate) async fn serves_others(&self) {
        let client = Client::<Hostile>::connect(self.server.address())
            .handle(Answering)
            .await
            .unwrap();
        let sum = client.request(Add { a: 20, b: 22 }).await.unwrap().sum;
        assert_eq!(sum, 42);
        client.close().await;
    }
}

/// Answers what the desk asks.
pub(crate) struct Answering;

impl FromDeskHandler<Hostile, protocol_core::AtClient> for Answering {
    async fn on_back(&self, _cx: &Context<Hostile, protocol_core::AtClient>, _event: Back) -> Sum {
        Sum { sum: 7 }
    }
}
