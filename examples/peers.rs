//! Two clients find each other at a rendezvous server and talk through it, over TCP.
//!
//! `cargo run --example peers` starts a server of its own; with an address, as in
//! `cargo run --example peers -- 127.0.0.1:7766`, it uses one that runs: `rendezvous serve`.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use protocol_core::{
    AtPeer, Client, Context, Event, EventError, EventSet, PeerId, Protocol, RequestError, ignore,
};
use rendezvous::{Login, LoginExt, Rendezvous, SessionNews};

#[derive(Debug, Event)]
#[event(pass)]
struct Wave;

#[derive(Debug, Event)]
#[event(pass, error = Missed)]
struct Throw {
    meters: u32,
}

#[derive(Debug, thiserror::Error, EventError)]
enum Missed {
    #[error("{reach} meters is as far as I reach")]
    TooFar { reach: u32 },
}

#[derive(Debug, Event)]
#[event(request, response = Guess)]
struct Higher {
    than: u32,
}

#[derive(Debug, Event)]
#[event(response)]
struct Guess {
    number: u32,
}

#[derive(Debug, EventSet)]
enum BetweenPlayers {
    Wave(Wave),
    Throw(Throw),
    Higher(Higher),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Login, to_client = SessionNews, to_peer = BetweenPlayers)]
struct Playground;

/// What a player does when others turn to it.
struct Player(&'static str);

impl BetweenPlayersHandler<Playground, AtPeer> for Player {
    async fn on_wave(&self, cx: &Context<Playground, AtPeer>, _: Wave) {
        say(self.0, format!("sees {} wave", cx.from()));
    }

    async fn on_throw(&self, cx: &Context<Playground, AtPeer>, ball: Throw) -> Result<(), Missed> {
        let reach = 20;
        if ball.meters > reach {
            return Err(Missed::TooFar { reach });
        }
        say(self.0, format!("catches the ball of {}", cx.from()));
        Ok(())
    }

    async fn on_higher(&self, cx: &Context<Playground, AtPeer>, event: Higher) -> Guess {
        let number = event.than + 1;
        say(self.0, format!("says {number} to {}", cx.from()));
        Guess { number }
    }
}

fn say(who: &str, what: impl Display) {
    println!("{who:<5} | {what}");
}

async fn join(
    name: &'static str,
    address: &str,
) -> Result<(Client<Playground>, PeerId), Box<dyn Error>> {
    let handlers = (ignore::<SessionNews>(), Player(name));
    let client = Client::<Playground>::connect(address)
        .handle(handlers)
        .await?;
    let id = client.login(name).await?.id;
    say(name, "is logged in");
    Ok((client, id))
}

async fn play(address: &str) -> Result<(), Box<dyn Error>> {
    let (alice, alice_id) = join("alice", address).await?;
    let (bob, bob_id) = join("bob", address).await?;

    for meters in [5, 50] {
        say(
            "alice",
            format!("waves to bob and throws him a ball, {meters} meters"),
        );
        // A pass: she will not learn whether it was seen. But it comes before the ball.
        alice.to(&bob_id).send(Wave).await?;
        match alice.to(&bob_id).confirm(Throw { meters }).await {
            Ok(()) => say("alice", "confirmed: he has caught it"),
            Err(RequestError::Refused(Missed::TooFar { reach })) => {
                say("alice", format!("refused: he reaches {reach} meters"));
            }
            Err(error) => return Err(error.into()),
        }
    }

    say("bob", "asks alice for a number higher than 41");
    let guess = bob.to(&alice_id).request(Higher { than: 41 }).await?;
    say("bob", format!("answered: {}", guess.number));

    bob.request(rendezvous::events::LogOut {}).await?;
    say("bob", "is logged out");
    match alice.to(&bob_id).confirm(Wave).await {
        Err(error) => say("alice", format!("waves to bob: {error}")),
        Ok(()) => say("alice", "is seen by somebody who is not there"),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Some(address) = std::env::args().nth(1) {
        let played = play(&address).await;
        return played.map_err(|error| format!("{address}: {error}").into());
    }
    let rendezvous = Rendezvous::default();
    let server = rendezvous
        .bind::<Playground>("127.0.0.1:0")
        .handle(rendezvous.clone())
        .await?;
    play(&server.address().to_string()).await?;
    rendezvous.shutdown(&server, Duration::from_secs(5)).await;
    Ok(())
}
