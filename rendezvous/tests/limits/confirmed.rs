//! How confirmed passes of a session end, and what is counted of that.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use protocol_core::metrics::{CONFIRMED_PASSES, RESEND_ROUNDS};
use protocol_core::{
    Client, Context, Event, EventError, EventSet, Protocol, RequestError, Server, ignore,
};
use protocol_tests::{meter, run_paused};
use rendezvous::{Login, LoginExt, Rendezvous, SessionNews};
use tokio::sync::Semaphore;

#[derive(Debug, thiserror::Error, EventError)]
enum Refusal {
    #[error("nobody lives there")]
    NoSuchDoor,
}

#[derive(Debug, Event)]
#[event(pass, error = Refusal)]
struct Letter {
    door: u32,
}

#[derive(Debug, EventSet)]
enum ToPost {
    Letter(Letter),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Login, ToPost), to_client = SessionNews)]
struct Post;

/// Delivers to door 1 at once, to door 2 when it is let.
struct Carrier(Arc<Semaphore>);

impl ToPostHandler<Post> for Carrier {
    async fn on_letter(&self, _cx: &Context<Post>, event: Letter) -> Result<(), Refusal> {
        match event.door {
            1 => Ok(()),
            2 => {
                self.0.acquire().await.expect("it stays open").forget();
                Ok(())
            }
            _ => Err(Refusal::NoSuchDoor),
        }
    }
}

#[test]
fn each_end_is_counted_once() {
    run_paused(async {
        let mut meter = meter();
        let (rendezvous, let_go) = (Rendezvous::default(), Arc::new(Semaphore::new(0)));
        let bind = rendezvous.attach(Server::in_memory());
        let carrier = Carrier(Arc::clone(&let_go));
        let server = bind.handle((carrier, rendezvous.clone())).await.unwrap();
        let connect = Client::<Post>::connect_in_memory(&server);
        let alice = connect.handle(ignore::<SessionNews>()).await.unwrap();
        alice.login("alice").await.unwrap();
        for confirmed in 1..=3 {
            alice.confirm(Letter { door: 1 }).await.unwrap();
            assert_eq!(meter.count_of(CONFIRMED_PASSES, "confirmed"), confirmed);
        }
        let refused = alice.confirm(Letter { door: 3 }).await;
        assert!(
            matches!(refused, Err(RequestError::Refused(_))),
            "{refused:?}"
        );
        assert_eq!(meter.count_of(CONFIRMED_PASSES, "refused"), 1);
        assert_eq!(meter.count(RESEND_ROUNDS), 0);
        let second = Duration::from_secs(1);
        let late = alice.confirm(Letter { door: 2 }).timeout(second).await;
        assert!(
            matches!(late, Err(RequestError::Timeout { .. })),
            "{late:?}"
        );
        assert_eq!(meter.count_of(CONFIRMED_PASSES, "timed_out"), 1);
        assert_eq!(meter.count(CONFIRMED_PASSES), 5);
        // It keeps its place, and is sent again until somebody says what became of it.
        tokio::time::sleep(5 * second).await;
        assert_eq!(meter.count(RESEND_ROUNDS), 1);
        let_go.add_permits(1);
        alice.confirm(Letter { door: 1 }).await.unwrap();
        assert_eq!(meter.count(CONFIRMED_PASSES), 6);
    });
}

#[test]
fn each_metric_has_a_name_of_its_own_and_the_readme_names_no_other() {
    let core = protocol_core::metrics::ALL;
    let all: HashSet<&str> = core
        .iter()
        .chain(rendezvous::metrics::ALL)
        .copied()
        .collect();
    assert_eq!(all.len(), core.len() + rendezvous::metrics::ALL.len());
    for name in &all {
        let is_gauge = name.ends_with("_open");
        assert!(is_gauge || name.ends_with("_total"), "{name}");
    }
    let readme = include_str!("../../../README.md");
    let words = readme.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named = words.filter(|word| word.ends_with("_total"));
    let named: HashSet<&str> = named.collect();
    assert!(named.len() > 20, "{named:?}");
    assert!(named.is_subset(&all), "{:?}", named.difference(&all));
    rendezvous::metrics::describe();
}
