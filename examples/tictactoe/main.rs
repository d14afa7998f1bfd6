//! Tic-tac-toe: a game that adds its own events to the stock login and the stock rooms.
//!
//! `cargo run --example tictactoe -- --auto` plays a game by a script, over TCP and in one process.
//! `-- --help` says how to play by hand.
//!
//! The room's host has the referee. Moves are requests to the host, refused with a typed error where
//! they are illegal; the host shows each new board to the room. The server passes all of this on and
//! knows nothing of the game.
//!
//! | file | holds | must not know |
//! | --- | --- | --- |
//! | `events.rs` | the event sets and the protocol | what is done with them |
//! | `game.rs` | the rules, with their tests | the network |
//! | `referee.rs` | the handler of moves | the terminal, and who is told |
//! | `player.rs` | what a client does with what it hears and what is typed | the rules |

mod events;
mod game;
mod player;
mod referee;

use std::collections::BTreeMap;
use std::future::{pending, ready};
use std::time::Duration;

use rendezvous::Rendezvous;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use events::TicTacToe;
use player::{Failure, Player, Role};

const ADDRESS: &str = "127.0.0.1:7766";

const HELP: &str = "\
Tic-tac-toe for two, and any number who watch. Each command in a terminal of its own:

  cargo run -p rendezvous -- serve                        the server, on 127.0.0.1:7766
  cargo run --example tictactoe -- host NAME [ADDRESS]    somebody, such as alice, opens a game
  cargo run --example tictactoe -- join NAME [ADDRESS]    the first who joins plays against her
  cargo run --example tictactoe -- watch NAME [ADDRESS]   somebody watches
  cargo run --example tictactoe -- --auto                 a game by a script, and its server

A player types the number of a cell, from 1 to 9. `/quit` leaves, as does Ctrl-D.";

async fn by_hand(role: &str, name: &str, address: &str) -> Result<(), Failure> {
    let role = Role::named(role).ok_or(HELP)?;
    let mut player = Player::enter(role, name, address, String::new()).await?;
    let mut lines = BufReader::new(stdin()).lines();
    while !player.is_over() {
        player.turn(lines.next_line()).await?;
    }
    player.log_out().await;
    Ok(())
}

/// Who types what, and whose turns follow: one name for each thing that there is to do or hear.
const SCRIPT: [(&str, &str, &str); 13] = [
    ("alice", "host", "alice"),
    ("bob", "join", "alice alice bob bob"),
    ("carol", "watch", "alice alice bob bob carol carol"),
    ("carol", "1", ""),
    ("alice", "5", "alice bob carol"),
    ("bob", "5", ""),
    ("bob", "1", "alice bob carol"),
    ("alice", "3", "alice bob carol"),
    ("bob", "10", ""),
    ("bob", "2", "alice bob carol"),
    ("alice", "7", "alice bob carol"),
    ("bob", "9", ""),
    ("alice", "/quit", "alice bob carol"),
];

/// A whole game. Each step waits for all that it leads to, so the transcript is always the same.
async fn auto() -> Result<(), Failure> {
    let rendezvous = Rendezvous::default();
    let bind = rendezvous.bind::<TicTacToe>("127.0.0.1:0");
    let server = bind.handle(rendezvous.clone()).await?;
    let address = server.address().to_string();
    let mut players = BTreeMap::new();
    for (name, line, turns) in SCRIPT {
        println!("{name:<5} > {line}");
        if let Some(role) = Role::named(line) {
            let margin = format!("{name:<5} | ");
            let player = Player::enter(role, name, &address, margin).await?;
            players.insert(name, player);
        } else {
            let player = players.get_mut(name).ok_or(name)?;
            player.turn(ready(Ok(Some(line.to_owned())))).await?;
        }
        for name in turns.split_whitespace() {
            players.get_mut(name).ok_or(name)?.turn(pending()).await?;
        }
    }
    rendezvous.shutdown(&server, Duration::from_secs(5)).await;
    Ok(())
}

#[tokio::main]
async fn main() {
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
    if let Err(error) = &done {
        eprintln!("{error}");
    }
    // Unlike a return, this does not wait for another line to be typed.
    std::process::exit(i32::from(done.is_err()));
}
