//! `rendezvous demo` as its users meet it.

#[path = "support/process.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod process;

use std::process::Stdio;
use std::time::{Duration, Instant};

use process::{program, run};

#[test]
fn the_demo_shows_who_does_what_and_who_hears_it() {
    let started = Instant::now();
    let ended = run(program(&["demo"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(started.elapsed() < Duration::from_secs(10));

    let mut lines = ended.stdout.lines();
    for line in [
        "Everybody logs in",
        "  alice  > login          as alice",
        "  carol  < login          done, others reach you as carol",
        "A room for two, then for three",
        "  alice  > create_room    lobby, for 2 players",
        "  alice  < self_joined    you are in lobby now: you made it",
        "  alice  < create_room    done, lobby is at revision 1",
        "  bob    > join_room      lobby",
        "  bob    < self_joined    you are in lobby now",
        "  alice  < player_joined  bob is in lobby now",
        "  carol  < join_room      refused: room_full: the room is full: 2 players",
        "  bob    < room_updated   lobby has changed: for 3 players",
        "  carol  < self_joined    you are in lobby now",
        "They talk, through the server",
        "  alice  < say            bob: \"hello\"",
        "  carol  < say            bob: \"hello\"",
        "  bob    < challenge      carol: a game of chess? Answers yes",
        "  carol  < challenge      bob answers: yes",
        "  bob    < move           carol: pawn to e4",
        "  carol  < move           confirmed",
        "The host leaves, another takes over",
        "  carol  < kick_player    refused: not_host: you are not the host of such a room",
        "  alice  < self_left      you are no longer in lobby: left",
        "  bob    < host_changed   bob is the host of lobby now, after alice",
        "  carol  < self_left      you are no longer in lobby: kicked by bob (\"come back later\")",
        "The room ends",
        "  bob    < self_left      you are no longer in lobby: the room was deleted by bob",
        "  carol  < self_left      you are no longer in lobby: the room was deleted by bob",
        "Everybody goes",
        "  bob    < logout         done, the server closes the link",
        "  alice  < challenge      refused: peer_not_found: no such peer is logged in",
        "  carol  < server_closing the server stops within 2000 ms",
    ] {
        let found = lines.any(|found| found == line);
        assert!(
            found,
            "`{line}` is missing, or too early:\n{}",
            ended.stdout
        );
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn the_transcript_is_the_same_each_time_and_has_no_color_in_a_pipe() {
    let first = run(program(&["demo"])).stdout;
    let second = run(program(&["demo", "--fast"])).stdout;
    assert_eq!(first, second);
    assert!(!first.contains('\x1b'), "{first}");
}

#[test]
fn whoever_has_seen_enough_may_go() {
    let mut child = program(&["demo"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}
