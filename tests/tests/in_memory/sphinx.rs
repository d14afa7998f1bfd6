//! A server in memory that knows riddles, and a client that solves them.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::{
    AtClient, Client, Context, Event, EventError, EventSet, Limits, PeerId, Protocol, Server,
    ServerLimits,
};
use protocol_tests::PlainOrEncrypted;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Say {
    pub(crate) text: String,
}

#[derive(Debug, Event)]
#[event(request, response = Guess, error = NoIdea, timeout = "90s")]
pub(crate) struct Riddle {
    pub(crate) text: String,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Guess(pub(crate) String);

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
pub(crate) enum NoIdea {
    #[error("after {tries} tries I give up")]
    GaveUp { tries: u8 },
}

/// Is answered after the handler slept.
#[derive(Debug, Event)]
#[event(request, response = Guess)]
pub(crate) struct Ponder {
    pub(crate) seconds: u64,
}

#[derive(Debug, Event)]
#[event(request, response = Guess, concurrent)]
pub(crate) struct PonderBeside {
    pub(crate) seconds: u64,
}

#[derive(Debug, EventSet)]
pub(crate) enum ToSphinx {
    Say(Say),
    Riddle(Riddle),
    Ponder(Ponder),
    PonderBeside(PonderBeside),
}

#[derive(Debug, Event)]
#[event(request, response = Guess)]
pub(crate) struct Hint {
    pub(crate) letter: char,
}

#[derive(Debug, EventSet)]
pub(crate) enum FromSphinx {
    Hint(Hint),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToSphinx, to_client = FromSphinx)]
pub(crate) struct Thebes;

struct Sphinx {
    heard: UnboundedSender<String>,
}

impl ToSphinxHandler<Thebes> for Sphinx {
    async fn on_say(&self, cx: &Context<Thebes>, event: Say) {
        assert_eq!(cx.address(), None);
        if let Some(name) = event.text.strip_prefix("I am ") {
            assert!(cx.identify(PeerId::new(name).unwrap()));
        }
        self.heard.send(event.text).unwrap();
    }

    async fn on_riddle(&self, cx: &Context<Thebes>, event: Riddle) -> Result<Guess, NoIdea> {
        let letter = event
            .text
            .chars()
            .next()
            .ok_or(NoIdea::GaveUp { tries: 3 })?;
        Ok(cx.request(Hint { letter }).await.unwrap())
    }

    async fn on_ponder(&self, _cx: &Context<Thebes>, event: Ponder) -> Guess {
        sleep(Duration::from_secs(event.seconds)).await;
        Guess("at last".into())
    }

    async fn on_ponder_beside(&self, _cx: &Context<Thebes>, event: PonderBeside) -> Guess {
        sleep(Duration::from_secs(event.seconds)).await;
        Guess("at last".into())
    }
}

/// Gives hints, as many as there are permits.
pub(crate) struct Oedipus {
    pub(crate) hints: Arc<Semaphore>,
}

impl FromSphinxHandler<Thebes, AtClient> for Oedipus {
    async fn on_hint(&self, _cx: &Context<Thebes, AtClient>, event: Hint) -> Guess {
        self.hints.acquire().await.unwrap().forget();
        Guess(format!("starts with {}", event.letter))
    }
}

pub(crate) struct Met {
    pub(crate) server: Server<Thebes>,
    pub(crate) client: Client<Thebes>,
    pub(crate) heard: UnboundedReceiver<String>,
    pub(crate) hints: Arc<Semaphore>,
}

pub(crate) async fn meet() -> Met {
    meet_with(ServerLimits::default(), Limits::client()).await
}

pub(crate) async fn meet_with(of_server: ServerLimits, of_client: Limits) -> Met {
    let (tell, heard) = unbounded_channel();
    let server = Server::<Thebes>::in_memory()
        .plain_or_encrypted()
        .limits(of_server)
        .handle(Sphinx { heard: tell })
        .await
        .unwrap();
    let hints = Arc::new(Semaphore::new(1_000));
    let client = Client::connect_in_memory(&server)
        .plain_or_encrypted()
        .limits(of_client)
        .handle(Oedipus {
            hints: Arc::clone(&hints),
        })
        .await
        .unwrap();
    Met {
        server,
        client,
        heard,
        hints,
    }
}

pub(crate) fn say(text: &str) -> Say {
    Say { text: text.into() }
}

pub(crate) fn riddle(text: &str) -> Riddle {
    Riddle { text: text.into() }
}
