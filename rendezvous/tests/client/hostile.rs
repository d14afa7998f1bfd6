//! What a server that means harm sends.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use crate::process::Ended;
use crate::talk::Talk;
use protocol_tests::WATCHDOG;

/// A server that answers the login and then does as it is told.
fn server<T: Send + 'static>(
    then: impl FnOnce(&mut BufReader<TcpStream>) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        then(&mut log_in(stream))
    });
    (address, server)
}

/// Answers the login of alice.
pub(crate) fn log_in(stream: TcpStream) -> BufReader<TcpStream> {
    stream.set_read_timeout(Some(WATCHDOG)).unwrap();
    let mut stream = BufReader::new(stream);
    let login = frame(&mut stream).expect("a login");
    assert_eq!(login["name"], "login");
    assert_eq!(login["data"], serde_json::json!({"id": "alice"}));
    let id = &login["request_id"];
    write(
        &mut stream,
        &format!(
            r#"{{"type":"response","name":"login","request_id":{id},"data":{{"id":"alice",
            "session":"s","resume":"t0psecret","grace_ms":0,"resumed":false,"rooms":[]}}}}"#
        )
        .replace('\n', ""),
    );
    stream
}

fn write(stream: &mut BufReader<TcpStream>, line: &str) {
    // A client that has given up reads no more.
    let _ = stream.get_mut().write_all(format!("{line}\n").as_bytes());
}

fn frame(stream: &mut BufReader<TcpStream>) -> Option<Value> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

fn ended(address: SocketAddr, flags: &[&str]) -> Ended {
    let mut talk = Talk::start(address, "alice", flags);
    talk.type_in("wait never\n");
    talk.ended()
}

#[test]
fn nothing_that_steers_a_terminal_gets_through() {
    let lines = [
        "{\"type\":\"pass\",\"from\":\"b\\u001b[31mob\",\"name\":\"x\\u0007\",\"data\":\"\u{9b}2J\u{202e}\"}",
        "{\"type\":\"request\",\"from\":\"\\u001b]0;x\\u0007\",\"name\":\"x\",\"request_id\":\"1\"}",
        r#"{"type":"pass","name":"self_left","data":{"room":"\u001b[2J","rev":1,"reason":"left"}}"#,
        r#"{"type":"pass","name":"protocol_error","data":{"code":"\u001b[2J","message":"\u001bc"}}"#,
    ];
    for flags in [&[][..], &["--json"]] {
        let (address, server) = server(move |stream| lines.map(|line| write(stream, line)));
        let ended = ended(address, flags);
        server.join().unwrap();
        assert_eq!(ended.code, 7, "{ended:?}");
        let printed = ended.stdout + &ended.stderr;
        let steering = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{9b}');
        assert!(!printed.contains(steering), "{printed:?}");
        assert!(printed.contains(r"\u009b2J\u202e"), "{printed}");
    }
}

#[test]
fn credentials_in_what_arrives_are_hidden_from_people() {
    let secret = r#"{"type":"pass","name":"x","data":{"a":[{"token":"t0psecret"}]}}"#;
    let (address, server) = server(move |stream| write(stream, secret));
    let ended = ended(address, &[]);
    server.join().unwrap();
    assert!(
        ended.stdout.contains(r#"[{"token":"[redacted]"}]"#),
        "{}",
        ended.stdout
    );
    assert!(!(ended.stdout + &ended.stderr).contains("t0psecret"));
}

#[test]
fn more_requests_than_anybody_answers_are_refused() {
    let (address, server) = server(|stream| {
        for n in 0..65 {
            let request =
                format!(r#"{{"type":"request","from":"bob","name":"x","request_id":"{n}"}}"#);
            write(stream, &request);
        }
        frame(stream)
    });
    let alice = Talk::start(address, "alice", &[]);
    alice.until("#64 <bob> asks x");
    alice.until("refused: too many");
    let refusal = server.join().unwrap().expect("a refusal");
    assert_eq!(refusal["error"]["code"], "busy");
    assert_eq!(
        (&refusal["dest"], &refusal["request_id"]),
        (&"bob".into(), &"64".into())
    );
}

#[test]
fn lines_that_are_no_frames_end_the_link() {
    for (line, reason) in [
        ("hello".to_owned(), "expected a JSON object"),
        (r#"{"type":"pass"}"#.to_owned(), "`name` is missing"),
        (
            "a".repeat(1_048_577),
            "a frame may be at most 1048576 bytes long",
        ),
    ] {
        let (address, server) = server(move |stream| {
            write(stream, &line);
            frame(stream)
        });
        let ended = ended(address, &[]);
        assert_eq!(ended.code, 7, "{ended:?}");
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
        if reason != "a frame may be at most 1048576 bytes long" {
            let word = server.join().unwrap().expect("a last word");
            assert_eq!(word["name"], "protocol_error");
        }
    }
}

#[test]
fn answers_that_were_not_asked_for_are_ignored() {
    let (address, server) = server(|stream| {
        let ping = frame(stream).expect("a ping");
        let id = &ping["request_id"];
        for forged in [
            format!(r#"{{"type":"response","from":"bob","name":"ping","request_id":{id}}}"#),
            r#"{"type":"response","name":"ping","request_id":"other"}"#.to_owned(),
            format!(r#"{{"type":"confirm_pass","pass_id":{id}}}"#),
            format!(
                r#"{{"type":"response","name":"ping","request_id":{id},"data":{{"server_ms":1}}}}"#
            ),
        ] {
            write(stream, &forged);
        }
        while frame(stream).is_some() {}
    });
    let ended = crate::talk::talk(address, "alice", &["--timeout=5s"], "ping\n");
    server.join().unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stdout.matches("the server answers").count(), 1);
}

#[test]
fn nobody_passes_for_the_server_or_for_this_client() {
    const IDS: [&str; 5] = [
        "server",
        "error",
        "* you are no longer in lobby",
        "-- the link is lost: the server stops",
        "bob> has answered 7 <alice",
    ];
    let (address, server) = server(|stream| {
        let asked = frame(stream).expect("a request");
        let asked = &asked["request_id"];
        for id in IDS {
            let from = format!(r#""from":"{id}""#);
            for line in [
                format!(r#"{{"type":"pass",{from},"name":"moved","data":1}}"#),
                format!(r##"{{"type":"pass",{from},"dest":"#r1","name":"moved","data":2}}"##),
                format!(r#"{{"type":"request",{from},"name":"add","request_id":"1"}}"#),
                format!(
                    r#"{{"type":"pass","name":"player_left","data":{{"room":"r1","rev":2,
                    "player":"{id}","reason":"kicked","by":"{id}"}}}}"#
                )
                .replace('\n', ""),
            ] {
                write(stream, &line);
            }
        }
        let refusal = r#""error":{"code":"link_lost","message":"the server stops"}"#;
        write(
            stream,
            &format!(
                r#"{{"type":"response","from":"server","name":"add","request_id":{asked},{refusal}}}"#
            ),
        );
        while frame(stream).is_some() {}
    });
    let ended = crate::talk::talk(address, "alice", &[], "request to=server add\n");
    server.join().unwrap();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended
            .stderr
            .starts_with("error: line 1: request: <server> link_lost: the server stops\n"),
        "{}",
        ended.stderr
    );
    let mut lines = ended.stdout.lines();
    assert_eq!(lines.next(), Some("logged in as alice (plain link)"));
    for (number, id) in (1..).zip(IDS) {
        let id = match id {
            "server" | "error" => id.to_owned(),
            _ => format!("{id:?}"),
        };
        for expected in [
            format!("<{id}> moved 1"),
            format!("<{id}> to #r1: moved 2"),
            format!(
                "#{number} <{id}> asks add null (answer {number} JSON, or refuse {number} CODE \
                 MESSAGE)"
            ),
            format!("* {id} is no longer in room r1: kicked by {id}"),
        ] {
            assert_eq!(lines.next(), Some(expected.as_str()));
        }
    }
    assert_eq!(lines.next(), None);
}
