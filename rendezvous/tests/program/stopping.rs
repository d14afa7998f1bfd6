//! How the program stops: on one signal, on two, and with clients that do not let go.

use std::io::{ErrorKind, Write, pipe};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::process::{Client, program, serve};
use protocol_tests::Process;

/// Stops a server and returns what it wrote since.
fn stop(mut server: Process) -> (i32, String, String) {
    server.signal("TERM");
    let code = server.exit_code();
    (code, server.stdout.rest(), server.stderr.rest())
}

#[test]
fn the_address_and_the_key_are_all_that_goes_to_stdout() {
    for (links, lines) in [("plain", 0), ("both", 1)] {
        let server = serve(&["--log=trace", "--encryption", links]);
        Client::connect(&server).ask("ping", "{}");
        let (code, stdout, _) = stop(server);
        assert_eq!((code, stdout.lines().count()), (0, lines), "{stdout}");
        assert!(stdout.lines().all(|line| line.starts_with("public key ")));
    }
}

#[test]
fn the_log_says_how_it_starts_and_stops() {
    let server = serve(&["--log=trace"]);
    Client::connect(&server).ask("ping", "{}");
    let (code, _, stderr) = stop(server);
    assert_eq!(code, 0);
    for part in ["listening", "stopping", "stopped in order", "version"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    assert!(!stderr.contains('\u{1b}'), "escape codes: {stderr}");
}

#[test]
fn secrets_are_not_logged() {
    let server = serve(&["--log=trace"]);
    let mut client = Client::connect(&server);
    client.ask(
        "login",
        r#"{"id":"alice","token":"hunter2","resume":"hunter2"}"#,
    );
    client.ask("login", r#"{"id":"alice","token":"hunter2"}"#);
    let (_, _, log) = stop(server);
    assert!(log.contains("sessions=1"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn either_signal_stops_it_in_order() {
    for signal in ["TERM", "INT"] {
        let mut server = serve(&[]);
        let mut idle = Client::connect(&server);
        idle.ask("ping", "{}");
        server.signal(signal);
        while idle.read().is_some() {}
        drop(idle);
        assert_eq!(server.exit_code(), 0);
        let line = server.stderr.until("stopping");
        assert!(line.contains(&format!("SIG{signal}")), "{line}");
        assert!(line.contains("connections=1"), "{line}");
    }
}

#[test]
fn a_client_that_never_closes_does_not_keep_it() {
    let server = serve(&[]);
    let mut idle = Client::connect(&server);
    idle.ask("ping", "{}");
    let (code, _, stderr) = stop(server);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn the_deadline_cuts_connections_off() {
    let server = serve(&["--shutdown-deadline=0s"]);
    let mut idle = Client::connect(&server);
    idle.ask("ping", "{}");
    let (code, _, stderr) = stop(server);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("connections were cut off"), "{stderr}");
}

#[test]
fn a_second_signal_closes_at_once() {
    let mut server = serve(&[
        "--shutdown-deadline=1h",
        "--events-per-second=0",
        "--bytes-per-second=0",
    ]);
    let mut deaf = Client::connect(&server);
    deaf.ask("login", r#"{"id":"deaf"}"#);
    ask_and_never_listen(&mut deaf);
    server.signal("TERM");
    server.stderr.until("stopping");
    server.signal("INT");
    assert_eq!(server.exit_code(), 4);
    let line = server.stderr.until("closing at once");
    assert!(line.contains("connections=1"), "{line}");
}

/// Asks until the answers fill all buffers, so that the server has to wait for this client.
fn ask_and_never_listen(client: &mut Client) {
    let stream = client.stream.get_mut();
    stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let questions = "{\"type\":\"request\",\"name\":\"?\",\"request_id\":\"1\"}\n".repeat(1_000);
    let mut due = questions.as_bytes();
    loop {
        match stream.write(due) {
            Ok(count) if count < due.len() => due = &due[count..],
            Ok(_) => due = questions.as_bytes(),
            Err(error) => {
                let full = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
                assert!(full.contains(&error.kind()), "{error}");
                return;
            }
        }
    }
}

#[test]
fn a_closed_pipe_is_no_reason_to_fail() {
    let deaf = || {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let command = || program(&["serve", "--listen=127.0.0.1:0", "--log=trace"]);

    let mut server = Process::start_with(command(), Stdio::null(), deaf(), Stdio::piped());
    server.stderr.until("nobody reads stdout");
    server.signal("TERM");
    assert_eq!(server.exit_code(), 0);

    let mut server = Process::start_with(command(), Stdio::null(), Stdio::piped(), deaf());
    Client::connect(&server).ask("ping", "{}");
    server.signal("TERM");
    assert_eq!(server.exit_code(), 0);
}

#[test]
fn a_log_for_programs_has_an_object_a_line() {
    let server = serve(&["--log-format=json", "--log=trace"]);
    Client::connect(&server).ask("ping", "{}");
    let (_, _, log) = stop(server);
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let messages = |level: &str| -> Vec<&str> {
        let lines = lines.iter().filter(|line| line["level"] == level);
        lines.filter_map(|line| line["message"].as_str()).collect()
    };
    for message in ["listening", "stopping", "stopped in order"] {
        assert!(messages("INFO").contains(&message), "{log}");
    }
    assert!(
        lines.iter().all(|line| line["timestamp"].is_string()),
        "{log}"
    );
}
