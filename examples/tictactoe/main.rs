//! Tic-tac-toe: a game that adds its own events to the stock login and the stock rooms.
//!
//! `cargo run --example tictactoe -- --auto` plays a game by a script, over TCP and in one process.
//! `-- --help` says how to play by hand.
//!
//! The room's host is the referee. Moves are requests from player to host, refused with a typed
//! error where they are illegal; the host shows each new board to the room. The server passes all
//! of this on and knows nothing of the game.
//!
//! | file | holds | must not know |
//! | --- | --- | --- |
//! | `events.rs` | the event sets and the protocol | what is done with them |
//! | `board.rs`, `game.rs` | the rules, with their tests | the network |
//! | `link.rs` | handlers that queue what a client hears | the rules |
//! | `host.rs`, `player.rs` | what each does with what it hears and what is typed | each other |
//! | `screen.rs` | the terminal | |

mod board;
mod events;
mod game;
mod host;
mod link;
mod player;
mod screen;

use std::process::ExitCode;
use std::time::Duration;

use rendezvous::Rendezvous;

use events::TicTacToe;
use host::Host;
use link::{Failure, Heard, Link};
use player::Player;
use screen::{Screen, lines};

/// What all rooms of this game are called: it is how players find them.
const ROOM_NAME: &str = "tic-tac-toe";

const ADDRESS: &str = "127.0.0.1:7766";

const HELP: &str = "\
Tic-tac-toe for two, and any number who watch. Each command in a terminal of its own:

  cargo run -p rendezvous -- serve                        the server, on 127.0.0.1:7766
  cargo run --example tictactoe -- host NAME [ADDRESS]    somebody, such as alice, opens a game
  cargo run --example tictactoe -- join NAME [ADDRESS]    the first who joins plays against her
  cargo run --example tictactoe -- watch NAME [ADDRESS]   somebody watches
  cargo run --example tictactoe -- --auto                 a game by a script, and its server

A player types the number of a cell, from 1 to 9. `/quit` leaves, as does Ctrl-D.";

/// What host and player have in common.
trait Seat {
    fn link(&mut self) -> &mut Link;

    /// Whether there is nothing more to do.
    fn is_over(&self) -> bool;

    /// Makes a move that was typed.
    async fn place(&mut self, cell: u8) -> Result<(), Failure>;

    async fn take(&mut self, heard: Heard) -> Result<(), Failure>;
}

/// Plays by hand until the game is over, or `/quit`, or Ctrl-D.
async fn play(mut seat: impl Seat) -> Result<(), Failure> {
    let mut lines = lines();
    while !seat.is_over() {
        tokio::select! {
            biased;
            heard = seat.link().hear() => seat.take(heard?).await?,
            line = lines.recv() => match line.as_deref() {
                None | Some("/quit") => break,
                Some(line) => match line.parse() {
                    Ok(cell) => seat.place(cell).await?,
                    Err(_) => println!("type a cell from 1 to 9, or /quit"),
                },
            },
        }
    }
    seat.link().log_out().await
}

async fn hear(seat: &mut impl Seat) -> Result<(), Failure> {
    let heard = seat.link().hear().await?;
    seat.take(heard).await
}

async fn typed(name: &str, seat: &mut impl Seat, cell: u8) -> Result<(), Failure> {
    println!("{name:<5} > {cell}");
    seat.place(cell).await
}

/// A whole game. Each step waits for all that it leads to, so the transcript is always the same.
async fn auto() -> Result<(), Failure> {
    let rendezvous = Rendezvous::default();
    let bind = rendezvous.bind::<TicTacToe>("127.0.0.1:0");
    let server = bind.handle(rendezvous.clone()).await?;
    let address = server.address().to_string();
    let screen = |name| Screen { name: Some(name) };

    let link = Link::open("alice", &address).await?;
    let mut alice = Host::open(link, screen("alice")).await?;
    let link = Link::open("bob", &address).await?;
    let mut bob = Player::enter(link, screen("bob"), 1).await?;
    hear(&mut alice).await?;
    hear(&mut bob).await?;
    let link = Link::open("carol", &address).await?;
    let mut carol = Player::enter(link, screen("carol"), 2).await?;
    hear(&mut alice).await?;
    hear(&mut bob).await?;
    hear(&mut carol).await?;

    // A player asks the host, who has to hear it meanwhile.
    tokio::try_join!(typed("carol", &mut carol, 1), hear(&mut alice))?;
    for (x, illegal, o) in [(5, 5, 1), (3, 10, 2)] {
        typed("alice", &mut alice, x).await?;
        hear(&mut bob).await?;
        hear(&mut carol).await?;
        tokio::try_join!(typed("bob", &mut bob, illegal), hear(&mut alice))?;
        tokio::try_join!(typed("bob", &mut bob, o), hear(&mut alice))?;
        hear(&mut bob).await?;
        hear(&mut carol).await?;
    }
    typed("alice", &mut alice, 7).await?;
    hear(&mut bob).await?;
    hear(&mut carol).await?;
    tokio::try_join!(typed("bob", &mut bob, 9), hear(&mut alice))?;

    alice.link().log_out().await?;
    hear(&mut bob).await?;
    hear(&mut carol).await?;
    rendezvous.shutdown(&server, Duration::from_secs(5)).await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        [] | ["-h" | "--help"] => {
            println!("{HELP}");
            Ok(())
        }
        ["--auto"] => auto().await,
        [role, name] => by_hand(role, name, ADDRESS).await,
        [role, name, address] => by_hand(role, name, address).await,
        _ => Err(HELP.into()),
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn by_hand(role: &str, name: &str, address: &str) -> Result<(), Failure> {
    let (screen, link) = (Screen { name: None }, Link::open(name, address));
    match role {
        "host" => play(Host::open(link.await?, screen).await?).await,
        "join" => play(Player::enter(link.await?, screen, 1).await?).await,
        "watch" => play(Player::enter(link.await?, screen, 2).await?).await,
        _ => Err(HELP.into()),
    }
}
