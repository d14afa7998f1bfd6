//! A handler that blocks its thread holds nobody back to whom it has sent before.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use protocol_core::{Context, Event, EventSet, Protocol, Server};
use protocol_tests::{PlainOrEncrypted, Raw, both::run};
use tokio::task::block_in_place;

/// How long the handler blocks where nothing arrives.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Event)]
#[event(pass)]
struct Listen;

#[derive(Debug, Event)]
#[event(request, response = Rung)]
struct Ring;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Rung {
    heard: bool,
}

#[derive(Debug, EventSet)]
enum ToTower {
    Listen(Listen),
    Ring(Ring),
}

#[derive(Debug, Event)]
#[event(pass)]
struct Bell;

#[derive(Debug, EventSet)]
enum FromTower {
    Bell(Bell),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToTower, to_client = FromTower)]
struct Village;

struct Tower {
    listener: OnceLock<Context<Village>>,
    told: Mutex<Receiver<()>>,
}

impl ToTowerHandler<Village> for Tower {
    async fn on_listen(&self, cx: &Context<Village>, _event: Listen) {
        assert!(self.listener.set(cx.clone()).is_ok());
    }

    async fn on_ring(&self, _cx: &Context<Village>, _event: Ring) -> Rung {
        let listener = self.listener.get().unwrap();
        listener.send(Bell).await.unwrap();
        let heard = block_in_place(|| self.told.lock().unwrap().recv_timeout(PATIENCE));
        Rung {
            heard: heard.is_ok(),
        }
    }
}

async fn hear(mut listener: Raw, tell: Sender<()>) {
    assert_eq!(listener.json().await["name"], "bell");
    tell.send(()).unwrap();
}

#[test]
fn what_it_sent_arrives_while_it_blocks() {
    run(|| async {
        let (tell, told) = channel();
        let tower = Tower {
            listener: OnceLock::new(),
            told: Mutex::new(told),
        };
        let server = Server::<Village>::bind("127.0.0.1:0").plain_or_encrypted();
        let server = server.handle(tower).await.unwrap();
        let mut listener = Raw::connect(server.address()).await;
        let listens = r#"{"type":"confirm_pass","name":"listen","pass_id":"1"}"#;
        assert_eq!(listener.ask(listens).await["pass_id"], "1");
        let hearing = tokio::spawn(hear(listener, tell));
        let mut ringer = Raw::connect(server.address()).await;
        let rung = ringer
            .ask(r#"{"type":"request","name":"ring","request_id":"1"}"#)
            .await;
        assert_eq!(rung["data"]["heard"], true, "{rung}");
        hearing.await.unwrap();
    });
}
