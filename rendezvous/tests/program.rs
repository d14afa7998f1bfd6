//! The program as its users meet it: a process with flags, variables, streams, signals and codes.

#[path = "support/process.rs"]
mod process;
// Windows has no signals that one process sends another without further ado.
#[cfg(unix)]
#[path = "program/stopping.rs"]
mod stopping;

use std::net::{TcpListener, TcpStream};

use process::{Client, Process, program, run, serve};
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
    let version = run(program(&["--version"])).stdout;
    assert_eq!(
        version,
        concat!("rendezvous ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn help_names_each_variable_and_each_exit_code() {
    let help = run(program(&["serve", "--help"])).stdout;
    for flag in [
        "listen",
        "max-connections",
        "max-connections-per-address",
        "max-sessions",
        "login-timeout",
        "login-interval",
        "login-burst",
        "login-failures",
        "events-per-second",
        "bytes-per-second",
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
        for code in 0..=4 {
            assert!(help.contains(&format!("\n  {code}  ")), "{code}");
        }
        assert!(help.contains("Example:\n  rendezvous serve "));
    }
}

#[test]
fn a_value_that_is_none_is_refused_by_name() {
    for (flag, value, fix) in [
        ("--listen", "localhost:7766", "127.0.0.1:7766"),
        ("--max-connections", "0", "from 1 to"),
        ("--max-connections-per-address", "-1", "from 0 to"),
        ("--max-sessions", "many", "from 1 to"),
        ("--login-timeout", "0s", "such as 5s"),
        ("--login-interval", "1", "such as 5s"),
        ("--login-burst", "0", "from 1 to"),
        ("--login-failures", "1.5", "from 0 to"),
        ("--events-per-second", "fast", "from 0 to"),
        ("--bytes-per-second", "1MB", "1MiB"),
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
