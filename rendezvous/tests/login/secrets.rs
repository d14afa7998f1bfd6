//! What no log and no answer shows: credentials, and text that would forge a line of the log.

use rendezvous::events::{LogIn, LoggedIn, Secret};
use serde_json::{Value, json};

use crate::house::open;
use crate::log::{self, run, run_logged};
use crate::peer::Peer;

const TOKEN: &str = "hunter2";

#[test]
fn credentials_print_as_redacted() {
    let mut login = LogIn::new("alice");
    login.token = Some(Secret::new(TOKEN));
    login.resume = Some(Secret::new(TOKEN));
    let logged_in = LoggedIn {
        id: protocol_core::PeerId::new("alice").unwrap(),
        session: "0193".into(),
        inc: "0193".into(),
        resume: Some(Secret::new(TOKEN)),
        grace_ms: 0,
        resumed: false,
        rooms: Vec::new(),
    };
    for text in [
        format!("{login:?}"),
        format!("{login:#?}"),
        format!("{:?}", rendezvous::Login::LogIn(login.clone())),
        format!("{logged_in:?}"),
    ] {
        assert!(text.contains("[redacted]"), "{text}");
        assert!(!text.contains(TOKEN), "{text}");
    }
    assert_eq!(login.token.unwrap().expose(), TOKEN);
}

#[test]
fn no_refusal_echoes_a_credential() {
    run(async {
        let house = open(|config| config.login_failures = 0).await;
        let mut alice = Peer::connect(house.address()).await;
        for login in [
            json!({"id": "", "token": TOKEN}),
            json!({"id": "alice", "resume": TOKEN}),
            json!({"id": "alice", "token": [TOKEN]}),
            json!({"id": "alice", "token": {(TOKEN): TOKEN}}),
            json!({"id": "alice", "client": {(TOKEN): TOKEN}}),
            json!({"id": "alice", "protocol": {"name": TOKEN, "version": TOKEN}}),
            json!({"id": "alice", "protocol": TOKEN}),
            json!(TOKEN),
        ] {
            let answer = alice.request("login", login.clone()).await;
            assert!(answer["error"].is_object(), "{login}: {answer}");
            assert!(!answer.to_string().contains(TOKEN), "{answer}");
        }
    });
}

#[test]
fn no_credential_is_logged() {
    run_logged(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        for login in [
            json!({"id": "", "token": TOKEN, "resume": TOKEN}),
            json!({"id": "alice", "resume": TOKEN}),
            json!({"id": "alice", "token": {(TOKEN): TOKEN}}),
            json!({"id": "alice", "token": TOKEN}),
        ] {
            alice.request("login", login).await;
        }
        alice.request("logout", json!({})).await;
        assert_eq!(alice.line().await, None);
        let text = log::text();
        for word in ["refused a login", "logged in", "left"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(!text.contains(TOKEN), "{text}");
    });
}

/// Would end its line and begin another, and turn and color it, if it were written as it is.
const FORGED: &str =
    "x\r\n\u{1b}[31m\0\u{85}\u{9b}\u{2028}\u{202e}INFO rendezvous: left peer=\"bob\"";

fn assert_is_escaped(line: &str) {
    assert!(line.contains("x\\r\\n\\u{1b}[31m\\0"), "{line}");
    for c in line.chars() {
        assert!(!c.is_control(), "U+{:04X} stands in {line:?}", c as u32);
        let turns = ['\u{2028}', '\u{2029}', '\u{202e}'].contains(&c);
        assert!(!turns, "U+{:04X} stands in {line:?}", c as u32);
    }
}

#[test]
fn a_clients_text_cannot_forge_a_line_of_the_log() {
    run_logged(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        let refused = json!({"id": FORGED, "client": FORGED});
        alice.request("login", refused).await;
        assert_is_escaped(&log::line("refused a login"));
        let login = json!({"id": "alice", "client": FORGED});
        alice.request("login", login).await;
        let line = log::line("logged in");
        assert_is_escaped(&line);
        assert!(line.contains("peer=\"alice\""), "{line}");
        for line in log::text().lines() {
            assert!(!line.starts_with("INFO"), "{line}");
            assert!(!line.starts_with('\u{1b}'), "{line}");
        }
    });
}

#[test]
fn a_clients_text_is_cut_in_the_log() {
    run_logged(async {
        let house = open(|config| {
            let stranger = config.server.connection.stranger.get_or_insert_default();
            stranger.frame_in = 1 << 20;
            stranger.bytes_in = 1 << 20;
        })
        .await;
        let mut alice = Peer::connect(house.address()).await;
        let long = json!({"id": "", "client": "c".repeat(10_000)});
        alice.request("login", long).await;
        let line = log::line("refused a login");
        assert!(line.contains(&"c".repeat(64)), "{line}");
        assert!(!line.contains(&"c".repeat(65)), "{line}");

        let long = json!({"id": "alice", "client": "\u{1}".repeat(10_000)});
        alice.request("login", long).await;
        let line = log::line("logged in");
        assert_eq!(line.matches("\\u{1}").count(), 64, "{line}");
        for line in log::text().lines() {
            assert!(line.len() < 1_000, "{} bytes: {line}", line.len());
        }
    });
}

#[test]
fn an_events_name_cannot_forge_a_line_of_the_log() {
    run_logged(async {
        let mut house = open(|_| {}).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        for dest in [Value::Null, json!("bob"), json!(FORGED)] {
            alice
                .send(&json!({"type": "pass", "name": FORGED, "dest": dest}))
                .await;
            house.notices.next().await;
        }
        let text = log::text();
        let dropped = text.lines().filter(|line| line.contains("dropped"));
        assert_eq!(dropped.clone().count(), 3, "{text}");
        dropped.for_each(assert_is_escaped);
    });
}
