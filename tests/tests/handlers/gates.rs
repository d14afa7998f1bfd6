//! The gate in front of a server's handlers, and the names that connections take.

use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{
    AtClient, Client, Context, Event, EventError, EventSet, Gate, PeerId, Protocol, RequestError,
    Server,
};
use protocol_tests::{Notices, PlainOrEncrypted, Raw, Seen, both::run, notices};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[derive(Debug, Event)]
#[event(request, response = Welcome, error = LoginError)]
struct Login {
    name: String,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Welcome {
    /// Whom the connection speaks for.
    name: String,
}

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
enum LoginError {
    #[error("the name is taken or this connection has another")]
    Taken,
}

#[derive(Debug, Event)]
#[event(request, response = Read)]
struct Open {
    door: u8,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Read(String);

#[derive(Debug, Event)]
#[event(pass)]
struct Knock;

#[derive(Debug, Event)]
#[event(pass)]
struct Whisper {
    to: String,
    text: String,
}

#[derive(Debug, EventSet)]
enum ToHouse {
    Login(Login),
    Open(Open),
    Knock(Knock),
    Whisper(Whisper),
}

#[derive(Debug, Event)]
#[event(pass)]
struct Heard {
    text: String,
}

#[derive(Debug, EventSet)]
enum FromHouse {
    Heard(Heard),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToHouse, to_client = FromHouse)]
struct House;

struct Door;

impl Gate<House> for Door {
    fn admit(&self, cx: &Context<House>, name: &str) -> Result<(), WireError> {
        if name == "login" || cx.peer().is_some() {
            return Ok(());
        }
        Err(WireError::new(ErrorCode::NotLoggedIn, "log in first"))
    }
}

struct Rooms {
    knocks: UnboundedSender<Option<PeerId>>,
}

impl ToHouseHandler<House> for Rooms {
    async fn on_login(&self, cx: &Context<House>, event: Login) -> Result<Welcome, LoginError> {
        let peer = PeerId::new(event.name).expect("a good name");
        if !cx.identify(peer) {
            return Err(LoginError::Taken);
        }
        let name = cx.peer().expect("just named").as_str().to_owned();
        Ok(Welcome { name })
    }

    async fn on_open(&self, cx: &Context<House>, event: Open) -> Read {
        Read(format!(
            "{} opens {}",
            cx.peer().expect("named"),
            event.door
        ))
    }

    async fn on_knock(&self, cx: &Context<House>, _event: Knock) {
        self.knocks.send(cx.peer().cloned()).unwrap();
    }

    async fn on_whisper(&self, cx: &Context<House>, event: Whisper) {
        let to = PeerId::new(event.to).expect("a good name");
        let heard = Heard { text: event.text };
        cx.to(&to).confirm(heard).await.expect("it is heard");
    }
}

struct Ear(UnboundedSender<String>);

impl FromHouseHandler<House, AtClient> for Ear {
    async fn on_heard(&self, _cx: &Context<House, AtClient>, event: Heard) {
        self.0.send(event.text).unwrap();
    }
}

struct Built {
    server: Server<House>,
    knocks: UnboundedReceiver<Option<PeerId>>,
    notices: Notices,
}

async fn build() -> Built {
    let (tell, knocks) = unbounded_channel();
    let (observer, notices) = notices();
    let server = Server::<House>::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .gate(Door)
        .observe(observer)
        .handle(Rooms { knocks: tell })
        .await
        .unwrap();
    Built {
        server,
        knocks,
        notices,
    }
}

async fn visitor(server: &Server<House>) -> (Client<House>, UnboundedReceiver<String>) {
    let (tell, heard) = unbounded_channel();
    let client = Client::<House>::connect(server.address())
        .plain_or_encrypted()
        .handle(Ear(tell));
    (client.await.unwrap(), heard)
}

async fn login(client: &Client<House>, name: &str) -> Result<Welcome, RequestError<LoginError>> {
    let name = name.into();
    client.request(Login { name }).await
}

fn welcome(name: &str) -> Welcome {
    let name = name.into();
    Welcome { name }
}

fn not_logged_in<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, RequestError<E>>) {
    let Err(RequestError::Rejected(error)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(error.standard(), Some(ErrorCode::NotLoggedIn));
    assert_eq!(error.message, "log in first");
}

#[test]
fn a_gate_refuses_until_the_connection_has_a_name() {
    run(|| async {
        let mut house = build().await;
        let (client, _) = visitor(&house.server).await;
        not_logged_in(client.request(Open { door: 1 }).await);
        not_logged_in(client.confirm(Knock).await);
        client.send(Knock).await.unwrap();
        let refused = Seen::refused("knock", "not_logged_in");
        assert_eq!(house.notices.next().await, refused);

        assert_eq!(login(&client, "ann").await, Ok(welcome("ann")));
        let read = client.request(Open { door: 2 }).await;
        assert_eq!(read, Ok(Read("ann opens 2".into())));
        client.confirm(Knock).await.unwrap();
        client.send(Knock).await.unwrap();
        let ann = Some(PeerId::new("ann").unwrap());
        assert_eq!(house.knocks.recv().await, Some(ann.clone()));
        assert_eq!(house.knocks.recv().await, Some(ann));
        assert_eq!(house.notices.try_next(), None);
    });
}

#[test]
fn a_gate_is_asked_for_each_connection() {
    run(|| async {
        let house = build().await;
        let (ann, _) = visitor(&house.server).await;
        let (stranger, _) = visitor(&house.server).await;
        assert_eq!(login(&ann, "ann").await, Ok(welcome("ann")));
        not_logged_in(stranger.request(Open { door: 1 }).await);
        ann.request(Open { door: 1 }).await.unwrap();
    });
}

#[test]
fn a_stranger_does_not_learn_which_events_there_are() {
    run(|| async {
        let house = build().await;
        let mut raw = Raw::connect(house.server.address()).await;
        for (name, data) in [("nothing", "1"), ("open", "\"bad\""), ("knock", "{}")] {
            let line =
                format!(r#"{{"type":"request","name":"{name}","data":{data},"request_id":"1"}}"#);
            let refused = raw.ask(&line).await;
            assert_eq!(refused["error"]["code"], "not_logged_in", "{name}");
        }
    });
}

#[test]
fn a_taken_name_is_refused_and_a_connection_keeps_its_first() {
    run(|| async {
        let house = build().await;
        let (ann, _) = visitor(&house.server).await;
        let (bob, _) = visitor(&house.server).await;
        let taken = Err(RequestError::Refused(LoginError::Taken));
        assert_eq!(login(&ann, "ann").await, Ok(welcome("ann")));
        assert_eq!(login(&bob, "ann").await, taken);
        not_logged_in(bob.request(Open { door: 1 }).await);
        assert_eq!(login(&bob, "bob").await, Ok(welcome("bob")));
        assert_eq!(login(&ann, "ann").await, Ok(welcome("ann")));
        assert_eq!(login(&ann, "carol").await, taken);
    });
}

#[test]
fn of_many_that_want_one_name_at_once_one_gets_it() {
    run(|| async {
        let house = build().await;
        let mut visitors = Vec::new();
        for _ in 0..20 {
            visitors.push(visitor(&house.server).await.0);
        }
        let mut logins = tokio::task::JoinSet::new();
        for client in visitors.clone() {
            logins.spawn(async move { login(&client, "ann").await });
        }
        let results = logins.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    });
}

#[test]
fn a_name_is_free_again_once_its_connection_has_ended() {
    run(|| async {
        let house = build().await;
        let (first, _) = visitor(&house.server).await;
        assert_eq!(login(&first, "ann").await, Ok(welcome("ann")));
        let (second, _) = visitor(&house.server).await;
        let taken = Err(RequestError::Refused(LoginError::Taken));
        assert_eq!(login(&second, "ann").await, taken);
        first.close().await;
        // The server's end of the link may take a moment longer.
        while login(&second, "ann").await == taken {}
        assert_eq!(login(&second, "ann").await, Ok(welcome("ann")));
    });
}

#[test]
fn a_handler_reaches_another_client_by_name() {
    run(|| async {
        let house = build().await;
        let (ann, _) = visitor(&house.server).await;
        let (bob, mut at_bob) = visitor(&house.server).await;
        assert_eq!(login(&ann, "ann").await, Ok(welcome("ann")));
        assert_eq!(login(&bob, "bob").await, Ok(welcome("bob")));
        let (to, text) = ("bob".to_owned(), "psst".to_owned());
        ann.confirm(Whisper { to, text }).await.unwrap();
        assert_eq!(at_bob.try_recv(), Ok("psst".into()));
    });
}
