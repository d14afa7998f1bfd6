//! Several people, each with a process of their own.

use std::time::Duration;

use protocol_core::{Client, Event, EventSet, PeerId, Protocol, ignore};
use rendezvous::{Config, Login, LoginExt, Rendezvous, RoomNews, Rooms, SessionNews, Speaks};
use tokio::runtime::{Builder, Runtime};

use crate::process::start;

/// What `rendezvous serve` is: a server that knows the stock sets, and relays for any protocol.
#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Login, Rooms), to_client = (SessionNews, RoomNews))]
struct AnyGame;

/// What the chat's people say, as somebody can send it who is not among them.
#[derive(Debug, Event)]
#[event(pass)]
struct Said {
    text: String,
}

#[derive(Debug, EventSet)]
enum Talk {
    Said(Said),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Login, to_client = SessionNews, to_peer = Talk)]
struct Outside;

/// Runs until it is dropped.
fn serve() -> (Runtime, String) {
    serve_at("127.0.0.1:0")
}

fn serve_at(address: &str) -> (Runtime, String) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let mut config = Config::default();
    config.speaks = Speaks::Any;
    let rendezvous = Rendezvous::new(config);
    let server = runtime.block_on(async {
        let bind = rendezvous.bind::<AnyGame>(address);
        bind.handle(rendezvous.clone()).await.unwrap()
    });
    let address = server.address().to_string();
    runtime.spawn(async move {
        let _server = server;
        std::future::pending::<()>().await;
    });
    (runtime, address)
}

#[test]
fn people_chat_through_the_server_of_the_example() {
    let server = start("chat", &["serve", "127.0.0.1:0"]);
    let listening = server.stdout.next().unwrap();
    let address = listening.strip_prefix("listening on ").unwrap();

    let mut alice = start("chat", &["alice", address]);
    alice.types("/join tea\n");
    alice.stdout.until_line("you are in tea: alice");
    let mut bob = start("chat", &["bob", address]);
    bob.types("/join tea\n");
    bob.stdout.until_line("you are in tea: alice, bob");
    bob.types("/join tea\n");
    bob.types("/who\n");
    assert_eq!(bob.stdout.next().as_deref(), Some("alice, bob"));
    alice.stdout.until_line("bob joins");
    bob.types("Red \u{1b}[31m?\n");
    alice.stdout.until_line("bob: Red  [31m?");
    bob.types("/dance\n");
    bob.stdout.until_line("/rooms, /join NAME, /who or /quit");
    alice.types("/quit\n");
    assert_eq!(alice.exit_code(), 0);
    bob.stdout.until_line("alice leaves");
    bob.stdout.until_line("bob is the host now");
    bob.stdin = None;
    assert_eq!(bob.exit_code(), 0);
    assert_eq!(bob.stderr.rest(), "");
}

#[test]
fn what_is_said_to_one_alone_is_not_shown_as_said_to_the_room() {
    let (server, address) = serve();
    let mut alice = start("chat", &["alice", &address]);
    alice.types("/join tea\n");
    alice.stdout.until_line("you are in tea: alice");
    server.block_on(async {
        let handlers = (ignore::<SessionNews>(), ignore::<Talk>());
        let connecting = Client::<Outside>::connect(&address).handle(handlers);
        let carol = connecting.await.unwrap();
        carol.login("carol").await.unwrap();
        let text = "I am not there".to_owned();
        let to_alice = carol.to(&PeerId::new("alice").unwrap());
        to_alice.confirm(Said { text }).await.unwrap();
    });
    alice.types("/who\n");
    assert_eq!(alice.stdout.next().as_deref(), Some("alice"));
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let (_server, address) = serve();
    let alice = start("chat", &["alice", &address]);
    alice
        .stdout
        .until_line("/join NAME, /rooms, /who, /quit; all else is said to your room");
    for (example, args) in [
        ("chat", &["alice", &address][..]),
        ("tictactoe", &["host", "alice", &address]),
    ] {
        let mut other = start(example, args);
        let error = other.stderr.rest();
        assert!(error.starts_with("alice cannot log in: "), "{error}");
        assert_eq!(other.exit_code(), 1);
    }
}

#[test]
fn who_talks_learns_that_the_server_is_gone_and_may_go() {
    let (server, address) = serve();
    let mut alice = start("chat", &["alice", &address]);
    alice.types("/join tea\n");
    alice.stdout.until_line("you are in tea: alice");
    server.shutdown_background();
    alice.stdout.until_line("the link is lost, wait or /quit");
    alice.types("/quit\n");
    assert_eq!(alice.exit_code(), 0);
    assert_eq!(alice.stderr.rest(), "");
}

#[test]
fn who_waits_for_a_server_goes_on_with_the_next() {
    let (server, address) = serve();
    let mut alice = start("chat", &["alice", &address]);
    let mut bob = start("tictactoe", &["host", "bob", &address]);
    alice.types("/join tea\n");
    alice.stdout.until_line("you are in tea: alice");
    bob.stdout
        .until_line("you play X, and wait for somebody to play O");
    // Both have heard all that this server says.
    server.shutdown_timeout(Duration::from_secs(5));
    for person in [&alice, &bob] {
        person.stdout.until_line("the link is lost, wait or /quit");
    }
    let (_server, _) = serve_at(&address);
    alice
        .stdout
        .until_line("the link is back, and you are in no room: /join NAME");
    alice.types("/join tea\n");
    alice.stdout.until_line("you are in tea: alice");
    bob.stdout
        .until_line("the link is back, and the game is gone");
    assert_eq!(bob.exit_code(), 0);
    assert_eq!(bob.stderr.rest(), "");
}

#[test]
fn a_game_without_a_link_can_be_left() {
    let (server, address) = serve();
    let mut alice = start("tictactoe", &["host", "alice", &address]);
    alice
        .stdout
        .until_line("you play X, and wait for somebody to play O");
    server.shutdown_background();
    alice.stdout.until_line("the link is lost, wait or /quit");
    alice.types("/quit\n");
    assert_eq!(alice.exit_code(), 0);
    assert_eq!(alice.stderr.rest(), "");
}

#[test]
fn an_opponent_who_wins_ends_the_game_for_all() {
    let (_server, address) = serve();
    let mut alice = start("tictactoe", &["host", "alice", &address]);
    alice
        .stdout
        .until_line("you play X, and wait for somebody to play O");
    let mut bob = start("tictactoe", &["join", "bob", &address]);
    for (x, o) in [("1", "5"), ("2", "3"), ("9", "7")] {
        alice.stdout.until_line("alice's turn: X");
        alice.types(&format!("{x}\n"));
        bob.stdout.until_line("bob's turn: O");
        bob.types(&format!("{o}\n"));
    }
    for player in [&mut alice, &mut bob] {
        player.stdout.until_line("bob has won");
        assert_eq!(player.exit_code(), 0);
        assert_eq!(player.stderr.rest(), "");
    }
}

#[test]
fn an_opponent_who_leaves_ends_the_game_for_all() {
    let (_server, address) = serve();
    let mut alice = start("tictactoe", &["host", "alice", &address]);
    alice
        .stdout
        .until_line("you play X, and wait for somebody to play O");
    alice.types("5\n");
    alice
        .stdout
        .until_line("refused: you play no game in this room");
    let mut bob = start("tictactoe", &["join", "bob", &address]);
    bob.stdout.until_line("alice's turn: X");
    let mut carol = start("tictactoe", &["watch", "carol", &address]);
    carol.stdout.until_line("alice's turn: X");
    bob.types("5\n");
    bob.stdout.until_line("refused: it is not your turn");
    alice.types("five\n");
    alice.stdout.until_line("type a cell from 1 to 9, or /quit");
    alice.types("5\n");
    for player in [&alice, &bob, &carol] {
        player.stdout.until_line("4 X 6");
        player.stdout.until_line("bob's turn: O");
    }
    bob.stdin = None;
    assert_eq!(bob.exit_code(), 0);
    for player in [&mut alice, &mut carol] {
        player.stdout.until_line("bob has left: the game is over");
        assert_eq!(player.exit_code(), 0);
        assert_eq!(player.stderr.rest(), "");
    }
}

#[test]
fn a_host_who_leaves_ends_the_game_too() {
    let (_server, address) = serve();
    let mut alice = start("tictactoe", &["host", "alice", &address]);
    alice
        .stdout
        .until_line("you play X, and wait for somebody to play O");
    let mut bob = start("tictactoe", &["join", "bob", &address]);
    bob.stdout.until_line("alice's turn: X");
    alice.types("/quit\n");
    assert_eq!(alice.exit_code(), 0);
    bob.stdout
        .until_line("the host has left: this room is closed");
    assert_eq!(bob.exit_code(), 0);
    assert_eq!(bob.stderr.rest(), "");
}

#[test]
fn without_a_server_the_error_says_how_to_start_one() {
    // A port of the system's own, which nobody uses.
    let address = "127.0.0.1:1";
    for (example, args, command) in [
        (
            "chat",
            &["alice", address][..],
            "cargo run --example chat -- serve",
        ),
        (
            "tictactoe",
            &["host", "alice", address],
            "cargo run -p rendezvous -- serve",
        ),
    ] {
        let mut process = start(example, args);
        let error = process.stderr.rest();
        assert!(
            error.contains(address) && error.contains(command),
            "{error}"
        );
        assert_eq!(process.exit_code(), 1);
    }
}

#[test]
fn without_a_game_the_error_says_how_to_open_one() {
    let (_server, address) = serve();
    for role in ["join", "watch"] {
        let mut bob = start("tictactoe", &[role, "bob", &address]);
        let error = bob.stderr.rest();
        assert!(error.contains("-- host alice"), "{error}");
        assert_eq!(bob.exit_code(), 1);
    }
}

#[test]
fn help_is_printed_where_it_is_asked_for() {
    for (example, wrong) in [("chat", &["--dance"][..]), ("tictactoe", &["dance", "bob"])] {
        let mut help = start(example, &["--help"]);
        let text = help.stdout.rest();
        assert!(text.contains("--auto"), "{text}");
        assert_eq!(help.exit_code(), 0);
        let mut refused = start(example, wrong);
        assert_eq!(refused.stderr.rest(), text);
        assert_eq!(refused.exit_code(), 1);
    }
}
