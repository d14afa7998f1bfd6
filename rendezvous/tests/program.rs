//! The program as its users meet it: a process with flags, variables, streams, signals and codes.

#[path = "program/configuring.rs"]
mod configuring;
#[path = "program/encrypting.rs"]
mod encrypting;
#[path = "program/keys.rs"]
mod keys;
#[path = "program/printing.rs"]
mod printing;
#[path = "support/process.rs"]
mod process;
// Windows has no signals that one process sends another without further ado.
#[cfg(unix)]
#[path = "program/stopping.rs"]
mod stopping;
#[path = "program/tokens.rs"]
mod tokens;

use std::net::{TcpListener, TcpStream};

use process::{Client, program, run, serve};
use protocol_tests::Process;
use serde_json::Value;

#[test]
fn without_arguments_it_shows_help_as_an_error() {
    let ended = run(program(&[]));
    assert_eq!(ended.code, 2);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("Usage: rendezvous <COMMAND>"));
}

#[test]
fn help_and_version_are_results() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["help", "serve"],
        &["serve", "-h"],
        &["--version"],
        &["serve", "--version"],
    ] {
        let ended = run(program(args));
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{args:?}");
        assert!(!ended.stdout.is_empty(), "{args:?}");
    }
    for args in [
        &["--version"][..],
        &["-V"],
        &["serve", "--version"],
        &["man", "-V"],
    ] {
        let version = run(program(args)).stdout;
        let expected = concat!("rendezvous ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(version, expected, "{args:?}");
    }
}

#[test]
fn help_names_each_variable_and_each_exit_code() {
    let help = run(program(&["serve", "--help"])).stdout;
    for flag in [
        "config",
        "listen",
        "max-connections",
        "max-connections-per-address",
        "encryption",
        "key-file",
        "handshake-timeout",
        "max-handshakes",
        "max-handshakes-per-address",
        "max-sessions",
        "login-timeout",
        "login-interval",
        "login-burst",
        "login-failures",
        "auth-token-file",
        "max-bindings",
        "binding-interval",
        "binding-burst",
        "max-rooms",
        "max-rooms-per-peer",
        "relay",
        "events-per-second",
        "bytes-per-second",
        "deliveries-per-second",
        "max-frame",
        "queue-events",
        "queue-bytes",
        "max-open-calls",
        "shutdown-deadline",
        "log",
        "log-format",
    ] {
        assert!(help.contains(&format!("--{flag} <")), "{flag}");
        let variable = flag.replace('-', "_").to_uppercase();
        assert!(
            help.contains(&format!("[env: RENDEZVOUS_{variable}=]")),
            "{flag}"
        );
    }
    for help in [help, run(program(&["--help"])).stdout] {
        for code in 0..=8 {
            assert!(help.contains(&format!("\n  {code}  ")), "{code}");
        }
        assert!(help.contains("Examples:\n  rendezvous serve "));
    }
}

#[test]
fn a_value_that_is_none_is_refused_by_name() {
    for (flag, value, fix) in [
        ("--listen", "localhost:7766", "127.0.0.1:7766"),
        ("--max-connections", "0", "from 1 to"),
        ("--max-connections-per-address", "-1", "from 0 to"),
        ("--encryption", "none", "plain, encrypted, both"),
        ("--handshake-timeout", "0s", "such as 5s"),
        ("--max-handshakes", "0", "from 1 to"),
        ("--max-handshakes-per-address", "0", "from 1 to"),
        ("--max-bindings", "-1", "from 0 to"),
        ("--binding-interval", "10", "such as 5s"),
        ("--binding-burst", "0", "from 1 to"),
        ("--max-sessions", "many", "from 1 to"),
        ("--login-timeout", "0s", "such as 5s"),
        ("--login-interval", "1", "such as 5s"),
        ("--login-burst", "0", "from 1 to"),
        ("--login-failures", "1.5", "from 0 to"),
        ("--events-per-second", "fast", "from 0 to"),
        ("--bytes-per-second", "1MB", "1MiB"),
        ("--deliveries-per-second", "-1", "from 0 to"),
        ("--max-rooms", "0", "from 1 to"),
        ("--max-rooms-per-peer", "0", "from 1 to"),
        ("--relay", "some", "all, rooms"),
        ("--max-frame", "1MiB", "from 4KiB to 512KiB"),
        ("--queue-events", "0", "from 1 to"),
        ("--queue-bytes", "1KiB", "64KiB or more"),
        ("--max-open-calls", "0", "from 1 to"),
        ("--shutdown-deadline", "soon", "such as 5s"),
        ("--log", "rendezvous=loud", "warn,rendezvous=debug"),
        ("--log-format", "xml", "text, json"),
    ] {
        let ended = run(program(&["serve", &format!("{flag}={value}")]));
        let message = ended.stderr;
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{message}");
        assert!(
            message.contains(&format!("'{value}' for '{flag} <")),
            "{message}"
        );
        assert!(message.contains(fix), "{message}");
        assert!(!message.contains("environment"), "{message}");
    }
}

#[test]
fn a_wrong_variable_is_named_where_it_counts() {
    let mut command = program(&["serve"]);
    command.env("RENDEZVOUS_LISTEN", "nowhere");
    let ended = run(command);
    assert_eq!(ended.code, 2);
    for part in ["'nowhere' for '--listen <", "RENDEZVOUS_LISTEN"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    let mut command = program(&["serve", "--listen", "elsewhere"]);
    command.env("RENDEZVOUS_LISTEN", "127.0.0.1:0");
    let message = run(command).stderr;
    assert!(message.contains("'elsewhere'"), "{message}");
    assert!(!message.contains("RENDEZVOUS_LISTEN"), "{message}");
}

#[test]
fn flags_that_cannot_hold_together_are_refused() {
    let ended = run(program(&["serve", "--bytes-per-second=8191"]));
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    for part in ["--bytes-per-second 8191", "--max-frame 65536", "write 8192"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn a_variable_counts_and_its_flag_counts_more() {
    let mut command = program(&["serve"]);
    command.env("RENDEZVOUS_LISTEN", "127.0.0.1:0");
    command.env("RENDEZVOUS_LOG_FORMAT", "json");
    let server = Process::start(command);
    assert_ne!(server.address().port(), 0);
    assert!(server.stderr.until("listening").starts_with('{'));

    let mut command = program(&["serve", "--listen=127.0.0.1:0", "--log-format=text"]);
    command.env("RENDEZVOUS_LISTEN", "nowhere");
    command.env("RENDEZVOUS_LOG_FORMAT", "json");
    let server = Process::start(command);
    assert_ne!(server.address().port(), 0);
    assert!(!server.stderr.until("listening").starts_with('{'));
}

#[test]
fn an_address_that_is_taken_is_named_with_the_fix() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let message = format!(
        "cannot listen on {address}: address already in use: stop the other program or choose \
         another port with --listen"
    );

    let ended = run(program(&["serve", "--listen", &address]));
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""));
    assert_eq!(ended.stderr, format!("error: {message}\n"));

    let ended = run(program(&[
        "serve",
        "--listen",
        &address,
        "--log-format=json",
    ]));
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""));
    let line: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(line["message"], message);
}

#[test]
fn a_ping_is_answered() {
    let server = serve(&[]);
    let answer = Client::connect(&server).ask("ping", "{}");
    assert_eq!(answer["request_id"], "1");
    assert!(answer["data"]["server_ms"].is_u64(), "{answer}");
}

#[test]
fn whoever_is_too_many_is_told_so() {
    let server = serve(&["--max-connections=1"]);
    let address = server.address();
    let _first = TcpStream::connect(address).unwrap();
    let word = Client::at(address).read().unwrap();
    assert!(word.contains("the server is full: 1 connections"), "{word}");
}

#[test]
fn whoever_does_not_log_in_is_closed() {
    let server = serve(&["--login-timeout=50ms"]);
    let mut stranger = Client::connect(&server);
    let word = stranger.read().unwrap();
    assert!(word.contains("\"timeout\""), "{word}");
    assert_eq!(stranger.read(), None);
}

#[test]
fn the_longest_frame_is_what_the_flag_says() {
    let long = format!(r#"{{"more":"{}"}}"#, "x".repeat(100_000));
    for (flag, answer) in [
        ("--max-frame=64KiB", "too_large"),
        ("--max-frame=128KiB", "server_ms"),
    ] {
        let server = serve(&[flag]);
        let mut client = Client::connect(&server);
        client.ask("login", r#"{"id":"alice"}"#);
        let word = client.ask("ping", &long).to_string();
        assert!(word.contains(answer), "{flag}: {word}");
    }
}
