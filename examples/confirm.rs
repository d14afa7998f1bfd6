//! Passes, confirmed passes and requests: a server and two clients in one process, over TCP.
//! Run it with `cargo run --example confirm`; it prints a transcript and ends by itself.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use protocol_core::{
    Client, Context, Event, EventError, EventSet, PeerId, Protocol, RequestError, Server,
};

#[derive(Debug, Event)]
#[event(pass, error = Refusal)]
struct Enter(String);

#[derive(Debug, Event)]
#[event(pass, error = Refusal)]
struct Moved(i32, i32);

#[derive(Debug, Event)]
#[event(request, response = Seated, error = Refusal)]
struct Sit(u8);

#[derive(Debug, Event)]
#[event(response)]
struct Seated(u8);

#[derive(Debug, thiserror::Error, EventError)]
enum Refusal {
    #[error("nobody can have the name {name} now")]
    BadName { name: String },
    #[error("the board has {size} rows and columns")]
    OffBoard { size: i32 },
    #[error("{by} has that seat")]
    SeatTaken { by: String },
}

#[derive(Debug, EventSet)]
enum ToTable {
    Enter(Enter),
    Moved(Moved),
    Sit(Sit),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToTable)]
struct Game;

const BOARD: i32 = 8;

#[derive(Default)]
struct Table(Mutex<HashMap<u8, String>>);

impl ToTableHandler<Game> for Table {
    async fn on_enter(&self, cx: &Context<Game>, Enter(name): Enter) -> Result<(), Refusal> {
        if !PeerId::new(&name).is_ok_and(|peer| cx.identify(peer)) {
            return Err(Refusal::BadName { name });
        }
        say("server", format!("received: {name} enters"));
        Ok(())
    }

    async fn on_moved(&self, cx: &Context<Game>, Moved(x, y): Moved) -> Result<(), Refusal> {
        let fits = (0..BOARD).contains(&x) && (0..BOARD).contains(&y);
        let verdict = if fits { "received" } else { "refused" };
        say(
            "server",
            format!("{verdict}: {} moves to {x}, {y}", player(cx)),
        );
        fits.then_some(()).ok_or(Refusal::OffBoard { size: BOARD })
    }

    async fn on_sit(&self, cx: &Context<Game>, Sit(seat): Sit) -> Result<Seated, Refusal> {
        let name = player(cx);
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(by) = seats.get(&seat).cloned() {
            say("server", format!("refused: {name} asks for seat {seat}"));
            return Err(Refusal::SeatTaken { by });
        }
        say("server", format!("answered: {name} asks for seat {seat}"));
        seats.insert(seat, name);
        Ok(Seated(seat))
    }
}

fn player(cx: &Context<Game>) -> String {
    cx.peer().map_or("a stranger".into(), ToString::to_string)
}

fn say(who: &str, what: impl Display) {
    println!("{who:<6} | {what}");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::<Game>::bind("127.0.0.1:0")
        .handle(Table::default())
        .await?;
    let alice = Client::<Game>::connect(server.address()).await?;
    let bob = Client::<Game>::connect(server.address()).await?;
    alice.confirm(Enter("alice".into())).await?;
    bob.confirm(Enter("bob".into())).await?;

    say(
        "alice",
        "sends a pass, so she will not learn what became of it",
    );
    alice.send(Moved(1, 2)).await?;
    // Events of one client are handled in order: the answer comes after the pass was handled.
    let Seated(seat) = alice.request(Sit(1)).await?;
    say("alice", format!("answered: seat {seat} is hers"));

    for step in [Moved(3, 4), Moved(3, 9)] {
        let text = format!("{}, {}", step.0, step.1);
        match bob.confirm(step).timeout(Duration::from_secs(2)).await {
            Ok(()) => say("bob", format!("confirmed: {text} was handled")),
            Err(RequestError::Refused(Refusal::OffBoard { size })) => {
                say("bob", format!("refused: {text} is off the board of {size}"));
            }
            Err(error) => return Err(error.into()),
        }
    }

    match bob.request(Sit(1)).await {
        Err(RequestError::Refused(refusal)) => say("bob", format!("refused: {refusal}")),
        other => say("bob", format!("did not expect {other:?}")),
    }
    alice.close().await;
    bob.close().await;
    server.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
