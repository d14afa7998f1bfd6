//! Handlers mounted as values, tuples and behind `Arc`, for several sets in each direction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use protocol_core::{
    AtClient, AtPeer, Client, Context, Event, EventSet, PeerId, Protocol, Server, inbox,
};
use protocol_tests::{PlainOrEncrypted, RawServer, both::run, still_waits};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// A request called `$event` in a set of its own, `$set`.
macro_rules! set {
    ($set:ident { $event:ident }) => {
        #[derive(Debug, Event)]
        #[event(request, response = By)]
        struct $event;

        #[derive(Debug, EventSet)]
        enum $set {
            $event($event),
        }
    };
}

/// Who answered.
#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct By(String);

fn by(name: &str) -> By {
    By(name.into())
}

set!(Reds { Red });
set!(Greens { Green });
set!(Blues { Blue });
set!(Oranges { Orange });
set!(Pinks { Pink });

#[derive(Debug, Event)]
#[event(pass)]
struct Fade(u32);

#[derive(Debug, EventSet)]
enum Fades {
    Fade(Fade),
}

#[derive(Debug, Event)]
#[event(pass)]
struct Hue(String);

#[derive(Debug, EventSet)]
enum Hues {
    Hue(Hue),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Reds, (Greens, Blues), Fades),
    to_client = (Oranges, Fades),
    to_peer = (Pinks, Hues),
)]
struct Paint;

struct OfRed;
struct OfGreen;

#[derive(Default)]
struct OfBlue {
    asked: AtomicU32,
}

/// Two sets by one value.
struct OfRedAndGreen;

impl RedsHandler<Paint> for OfRed {
    async fn on_red(&self, _cx: &Context<Paint>, _event: Red) -> By {
        by("red")
    }
}

impl GreensHandler<Paint> for OfGreen {
    async fn on_green(&self, _cx: &Context<Paint>, _event: Green) -> By {
        by("green")
    }
}

impl BluesHandler<Paint> for OfBlue {
    async fn on_blue(&self, _cx: &Context<Paint>, _event: Blue) -> By {
        self.asked.fetch_add(1, Ordering::SeqCst);
        by("blue")
    }
}

impl RedsHandler<Paint> for OfRedAndGreen {
    async fn on_red(&self, _cx: &Context<Paint>, _event: Red) -> By {
        by("red and green")
    }
}

impl GreensHandler<Paint> for OfRedAndGreen {
    async fn on_green(&self, _cx: &Context<Paint>, _event: Green) -> By {
        by("green and red")
    }
}

/// Every set of a client.
struct Canvas {
    seen: UnboundedSender<String>,
}

impl OrangesHandler<Paint, AtClient> for Canvas {
    async fn on_orange(&self, _cx: &Context<Paint, AtClient>, _event: Orange) -> By {
        by("canvas")
    }
}

impl FadesHandler<Paint, AtClient> for Canvas {
    async fn on_fade(&self, _cx: &Context<Paint, AtClient>, event: Fade) {
        self.seen.send(format!("fade {}", event.0)).unwrap();
    }
}

impl PinksHandler<Paint, AtPeer> for Canvas {
    async fn on_pink(&self, cx: &Context<Paint, AtPeer>, _event: Pink) -> By {
        By(format!("canvas for {}", cx.from()))
    }
}

impl HuesHandler<Paint, AtPeer> for Canvas {
    async fn on_hue(&self, cx: &Context<Paint, AtPeer>, event: Hue) {
        self.seen
            .send(format!("{} by {}", event.0, cx.from()))
            .unwrap();
        let thanks = Hue(format!("no longer {}", event.0));
        cx.send(thanks).await.unwrap();
    }
}

async fn client_of(server: &Server<Paint>) -> Client<Paint> {
    let seen = unbounded_channel().0;
    let client = Client::<Paint>::connect(server.address())
        .plain_or_encrypted()
        .handle(Canvas { seen });
    client.await.unwrap()
}

async fn colors(server: &Server<Paint>) -> [String; 3] {
    let client = client_of(server).await;
    [
        client.request(Red).await.unwrap().0,
        client.request(Green).await.unwrap().0,
        client.request(Blue).await.unwrap().0,
    ]
}

#[test]
fn a_tuple_of_handlers_serves_in_any_order() {
    run(|| async {
        let bind = || Server::<Paint>::bind("127.0.0.1:0").plain_or_encrypted();
        let fades = || inbox::<Fades>(8).0;
        let blue = OfBlue::default;
        let forward = bind().handle((OfRed, OfGreen, blue(), fades()));
        let forward = forward.await.unwrap();
        let backward = bind().handle((fades(), blue(), OfGreen, OfRed));
        let backward = backward.await.unwrap();
        let mixed = bind().handle((blue(), fades(), OfRed, OfGreen));
        let mixed = mixed.await.unwrap();
        for server in [forward, backward, mixed] {
            assert_eq!(colors(&server).await, ["red", "green", "blue"]);
        }
    });
}

#[test]
fn tuples_nest_and_handlers_stand_behind_arcs() {
    run(|| async {
        let blue = Arc::new(OfBlue::default());
        let kept = Arc::clone(&blue);
        let (fades, mut inbox) = inbox::<Fades>(8);
        let server = Server::<Paint>::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .handle(((OfRed, (Arc::new(fades),)), Arc::new((blue, OfGreen))))
            .await
            .unwrap();
        assert_eq!(colors(&server).await, ["red", "green", "blue"]);
        assert_eq!(kept.asked.load(Ordering::SeqCst), 1);
        let client = client_of(&server).await;
        client.confirm(Fade(7)).await.unwrap();
        let Fades::Fade(fade) = inbox.try_next().unwrap().event;
        assert_eq!(fade.0, 7);
    });
}

#[test]
fn one_value_may_handle_several_sets() {
    run(|| async {
        let server = Server::<Paint>::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .handle((inbox::<Fades>(8).0, OfRedAndGreen, OfBlue::default()))
            .await
            .unwrap();
        let colors = colors(&server).await;
        assert_eq!(colors, ["red and green", "green and red", "blue"]);
    });
}

#[test]
fn one_handler_may_serve_several_servers() {
    run(|| async {
        let handler = Arc::new((inbox::<Fades>(8).0, OfRedAndGreen, OfBlue::default()));
        let bind = || {
            Server::<Paint>::bind("127.0.0.1:0")
                .plain_or_encrypted()
                .handle(Arc::clone(&handler))
        };
        let (first, second) = tokio::join!(async { bind().await }, async { bind().await });
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_ne!(first.address(), second.address());
        assert_eq!(colors(&first).await, colors(&second).await);
        assert_eq!(handler.2.asked.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_client_handles_several_sets_of_the_server_and_of_peers() {
    run(|| async {
        let listener = RawServer::bind().await;
        let (seen, mut at_canvas) = unbounded_channel();
        let client = Client::<Paint>::connect(listener.address())
            .plain_or_encrypted()
            .handle(Canvas { seen });
        let (client, mut raw) = tokio::join!(client, listener.accept());
        let client = client.unwrap();

        let answer = raw.ask(r#"{"type":"request","name":"orange","request_id":"1"}"#);
        assert_eq!(answer.await["data"], "canvas");
        raw.send(r#"{"type":"pass","name":"fade","data":3}"#).await;
        assert_eq!(at_canvas.recv().await.unwrap(), "fade 3");
        let line = r#"{"type":"request","from":"bob","name":"pink","request_id":"2"}"#;
        let answer = raw.ask(line).await;
        assert_eq!(answer["data"], "canvas for bob");
        assert_eq!(answer["dest"], "bob");
        let line = r#"{"type":"pass","from":"bob","name":"hue","data":"pale"}"#;
        let thanks = raw.ask(line).await;
        assert_eq!(at_canvas.recv().await.unwrap(), "pale by bob");
        assert_eq!(thanks["dest"], "bob");
        assert_eq!(thanks["data"], "no longer pale");

        // A peer's answer counts only if it is the peer that was asked.
        let bob = PeerId::new("bob").unwrap();
        let mut pink = client.to(&bob).request(Pink);
        assert!(still_waits(&mut pink).await);
        let asked = raw.json().await;
        assert_eq!(asked["dest"], "bob");
        let id = asked["request_id"].as_str().unwrap();
        for (from, text) in [
            (r#""from":"eve","#, "forged"),
            ("", "forged"),
            (r#""from":"bob","#, "bob's"),
        ] {
            raw.send(&format!(
                r#"{{"type":"response",{from}"name":"pink","data":"{text}","request_id":"{id}"}}"#
            ))
            .await;
        }
        assert_eq!(pink.await, Ok(by("bob's")));
    });
}
