//! Handlers that panic or never end, and data whose decoding panics: one event's failure only.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use protocol_core::wire::ErrorCode;
use protocol_core::{
    AtClient, Client, Context, Event, EventSet, Limits, PeerId, Protocol, RequestError, Server,
    ServerLimits,
};
use protocol_tests::{Notices, PlainOrEncrypted, Raw, Seen, both::run, notices};

/// When a handler fails.
const AT_ONCE: u8 = 0;
const AFTER_AN_AWAIT: u8 = 1;
const NEVER_ENDING: u8 = 2;
/// Never ends, and panics when it is dropped for that.
const AND_NEVER_GONE: u8 = 3;

#[derive(Debug, Event)]
#[event(request, response = Fine)]
struct Try(u8);

#[derive(Debug, Event)]
#[event(request, response = Fine, concurrent)]
struct TryBeside(u8);

#[derive(Debug, Event)]
#[event(pass)]
struct Poke(u8);

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Fine;

/// Is written without its field, and reading that panics.
#[derive(Debug, Event)]
#[event(request, response = Fine)]
struct Cursed {
    #[serde(skip_serializing, default = "cursed")]
    fate: u8,
}

#[derive(Debug, Event)]
#[event(pass)]
struct CursedPass {
    #[serde(skip_serializing, default = "cursed")]
    fate: u8,
}

fn cursed() -> u8 {
    panic!("what a fate")
}

#[derive(Debug, Event)]
#[event(request, response = CursedAnswer)]
struct Tempt;

#[derive(Debug, Event)]
#[event(response)]
struct CursedAnswer {
    #[serde(skip_serializing, default = "cursed")]
    fate: u8,
}

#[derive(Debug, Event)]
#[event(pass)]
struct Name(String);

#[derive(Debug, EventSet)]
enum ToFate {
    Name(Name),
    Try(Try),
    TryBeside(TryBeside),
    Poke(Poke),
    Cursed(Cursed),
    CursedPass(CursedPass),
    Tempt(Tempt),
}

#[derive(Debug, Event)]
#[event(request, response = Fine)]
struct TryClient(u8);

#[derive(Debug, EventSet)]
enum FromFate {
    TryClient(TryClient),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToFate, to_client = FromFate)]
struct Fates;

#[derive(Default)]
struct Mortal {
    dropped: Arc<AtomicBool>,
}

/// Says that a handler's future is gone.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Panics when it is dropped.
struct Spite;

impl Drop for Spite {
    fn drop(&mut self) {
        panic!("an await was cut off")
    }
}

async fn attempt(when: u8) -> Fine {
    match when {
        AT_ONCE => panic!("at once"),
        AFTER_AN_AWAIT => {
            tokio::task::yield_now().await;
            panic!("after an await")
        }
        NEVER_ENDING => std::future::pending().await,
        AND_NEVER_GONE => {
            let _spite = Spite;
            std::future::pending().await
        }
        _ => Fine,
    }
}

impl ToFateHandler<Fates> for Mortal {
    async fn on_try(&self, _cx: &Context<Fates>, event: Try) -> Fine {
        let _gone = Gone(Arc::clone(&self.dropped));
        attempt(event.0).await
    }

    async fn on_try_beside(&self, _cx: &Context<Fates>, event: TryBeside) -> Fine {
        let _gone = Gone(Arc::clone(&self.dropped));
        attempt(event.0).await
    }

    async fn on_poke(&self, _cx: &Context<Fates>, event: Poke) {
        attempt(event.0).await;
    }

    async fn on_cursed(&self, _cx: &Context<Fates>, event: Cursed) -> Fine {
        attempt(event.fate).await
    }

    async fn on_cursed_pass(&self, _cx: &Context<Fates>, event: CursedPass) {
        attempt(event.fate).await;
    }

    async fn on_name(&self, cx: &Context<Fates>, event: Name) {
        assert!(cx.identify(PeerId::new(event.0).unwrap()));
    }

    async fn on_tempt(&self, _cx: &Context<Fates>, _event: Tempt) -> CursedAnswer {
        CursedAnswer { fate: 9 }
    }
}

struct Mirror;

impl FromFateHandler<Fates, AtClient> for Mirror {
    async fn on_try_client(&self, _cx: &Context<Fates, AtClient>, event: TryClient) -> Fine {
        attempt(event.0).await
    }
}

struct Open {
    server: Server<Fates>,
    client: Client<Fates>,
    dropped: Arc<AtomicBool>,
    at_server: Notices,
    at_client: Notices,
}

async fn open(change: impl Fn(&mut Limits)) -> Open {
    let mut of_server = ServerLimits::default();
    change(&mut of_server.connection);
    let mut of_client = Limits::client();
    change(&mut of_client);
    let mortal = Mortal::default();
    let dropped = Arc::clone(&mortal.dropped);
    let (observer, at_server) = notices();
    let server = Server::<Fates>::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .limits(of_server)
        .observe(observer)
        .handle(mortal)
        .await
        .unwrap();
    let (observer, at_client) = notices();
    let client = Client::<Fates>::connect(server.address())
        .plain_or_encrypted()
        .limits(of_client)
        .observe(observer)
        .handle(Mirror)
        .await
        .unwrap();
    client.confirm(Name("mortal".into())).await.unwrap();
    Open {
        server,
        client,
        dropped,
        at_server,
        at_client,
    }
}

impl Open {
    async fn ask_client(&self, when: u8) -> Result<Fine, RequestError<Infallible>> {
        let client = PeerId::new("mortal").unwrap();
        self.server.to(&client).request(TryClient(when)).await
    }
}

fn internal<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, RequestError<E>>) {
    let Err(RequestError::Rejected(error)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(error.standard(), Some(ErrorCode::Internal));
    assert!(!error.message.contains("an await"), "{error}");
}

#[test]
fn a_panicking_handler_gives_internal_to_its_caller_and_nothing_else() {
    run(|| async {
        let mut open = open(|_| {}).await;
        for when in [AT_ONCE, AFTER_AN_AWAIT] {
            let client = &open.client;
            let (failed, fine) = tokio::join!(client.request(Try(when)), client.request(Try(9)));
            internal(failed);
            assert_eq!(fine, Ok(Fine), "later events of the same connection go on");
            let told = Seen::HandlerPanicked("try".into());
            assert_eq!(open.at_server.next().await, told);
        }
        assert_eq!(open.at_server.try_next(), None);
        assert_eq!(open.client.close_reason(), None);
    });
}

#[test]
fn a_panicking_concurrent_handler_gives_internal_to_its_caller() {
    run(|| async {
        let mut open = open(|_| {}).await;
        for when in [AT_ONCE, AFTER_AN_AWAIT] {
            internal(open.client.request(TryBeside(when)).await);
            let told = Seen::HandlerPanicked("try_beside".into());
            assert_eq!(open.at_server.next().await, told);
            assert_eq!(open.client.request(TryBeside(9)).await, Ok(Fine));
        }
        assert_eq!(open.at_server.try_next(), None);
    });
}

#[test]
fn a_panic_fails_a_confirmed_pass_and_is_counted_for_a_plain_one() {
    run(|| async {
        let mut open = open(|_| {}).await;
        let told = Seen::HandlerPanicked("poke".into());
        for when in [AT_ONCE, AFTER_AN_AWAIT] {
            internal(open.client.confirm(Poke(when)).await);
            assert_eq!(open.at_server.next().await, told);
            open.client.send(Poke(when)).await.unwrap();
            assert_eq!(open.at_server.next().await, told);
            let refused = Seen::refused("poke", "internal");
            assert_eq!(open.at_server.next().await, refused);
        }
        open.client.confirm(Poke(9)).await.unwrap();
    });
}

#[test]
fn a_panicking_handler_at_the_client_gives_internal_to_the_server() {
    run(|| async {
        let mut open = open(|_| {}).await;
        for when in [AT_ONCE, AFTER_AN_AWAIT] {
            internal(open.ask_client(when).await);
            let told = Seen::HandlerPanicked("try_client".into());
            assert_eq!(open.at_client.next().await, told);
        }
        assert_eq!(open.ask_client(9).await, Ok(Fine));
        assert_eq!(open.client.close_reason(), None);
    });
}

#[test]
fn a_handler_over_its_time_gives_internal_and_is_dropped() {
    run(|| async {
        let open = open(|limits| limits.handler_timeout = Duration::from_millis(50)).await;
        internal(open.client.request(Try(NEVER_ENDING)).await);
        assert!(open.dropped.swap(false, Ordering::SeqCst));
        internal(open.client.request(TryBeside(NEVER_ENDING)).await);
        assert!(open.dropped.swap(false, Ordering::SeqCst));
        internal(open.client.confirm(Poke(NEVER_ENDING)).await);
        internal(open.ask_client(NEVER_ENDING).await);
        assert_eq!(open.client.request(Try(9)).await, Ok(Fine));
    });
}

#[test]
fn a_handler_over_its_time_that_panics_when_dropped_gives_internal_and_nothing_else() {
    run(|| async {
        let open = open(|limits| limits.handler_timeout = Duration::from_millis(50)).await;
        internal(open.client.request(Try(AND_NEVER_GONE)).await);
        internal(open.client.request(TryBeside(AND_NEVER_GONE)).await);
        internal(open.client.confirm(Poke(AND_NEVER_GONE)).await);
        open.client.send(Poke(AND_NEVER_GONE)).await.unwrap();
        internal(open.ask_client(AND_NEVER_GONE).await);
        assert_eq!(open.client.request(Try(9)).await, Ok(Fine));
        assert_eq!(open.ask_client(9).await, Ok(Fine));
        assert_eq!(open.client.close_reason(), None);
        assert!(open.server.shutdown(Duration::from_secs(20)).await);
    });
}

#[test]
fn an_observer_that_panics_costs_nothing_but_itself() {
    run(|| async {
        let told = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&told);
        let server = Server::<Fates>::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .observe(move |_| {
                counts.fetch_add(1, Ordering::SeqCst);
                panic!("the observer is broken")
            })
            .handle(Mortal::default())
            .await
            .unwrap();
        let mut raw = Raw::connect(server.address()).await;
        for (n, (line, code)) in [
            (r#"{"type":"pass","name":"nope"}"#, None),
            (r#"{"type":"later","name":"nope"}"#, None),
            (r#"{"type":"response","name":"try","request_id":"1"}"#, None),
            (r#"{"type":"pass","name":"poke","data":0}"#, None),
            (
                r#"{"type":"request","name":"try","data":0,"request_id":"1"}"#,
                Some("internal"),
            ),
            (
                r#"{"type":"request","name":"try_beside","data":1,"request_id":"1"}"#,
                Some("internal"),
            ),
        ]
        .into_iter()
        .enumerate()
        {
            raw.send(line).await;
            if let Some(code) = code {
                assert_eq!(raw.json().await["error"]["code"], code, "{line}");
            }
            let fine = r#"{"type":"request","name":"try","data":9,"request_id":"2"}"#;
            let answer = raw.ask(fine).await;
            assert_eq!(answer["request_id"], "2", "{line}");
            assert!(answer["error"].is_null(), "{line}: {answer}");
            assert!(told.load(Ordering::SeqCst) > n, "{line}");
        }
    });
}

#[test]
fn data_whose_decoding_panics_gives_internal() {
    run(|| async {
        let mut open = open(|_| {}).await;
        internal(open.client.request(Cursed { fate: 9 }).await);
        internal(open.client.confirm(CursedPass { fate: 9 }).await);
        open.client.send(CursedPass { fate: 9 }).await.unwrap();
        let refused = Seen::refused("cursed_pass", "internal");
        assert_eq!(open.at_server.next().await, refused);
        assert_eq!(open.client.request(Try(9)).await, Ok(Fine));
    });
}

#[test]
fn an_answer_whose_decoding_panics_is_its_callers_panic_only() {
    run(|| async {
        let open = open(|_| {}).await;
        let client = open.client.clone();
        let caller = tokio::spawn(async move { client.request(Tempt).await.map(|a| a.fate) });
        let panic = caller.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"what a fate"));
        assert_eq!(open.client.request(Try(9)).await, Ok(Fine));
    });
}
