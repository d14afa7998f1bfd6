//! How encrypted links end: in order, cut off, and altered on their way.

use std::io::Write;

use serde_json::json;

use crate::process::Ended;
use crate::sealed::{Sealed, server};
use crate::talk::Talk;

/// What alice sees of a server that does so.
fn ended<T: Send + 'static>(then: impl FnOnce(Sealed) -> T + Send + 'static) -> (Ended, T) {
    let (address, key, server) = server(then);
    let mut alice = Talk::start(address, "alice", &["--server-key", &key.to_string()]);
    alice.type_in("wait never\n");
    let ended = alice.ended();
    (ended, server.join().unwrap())
}

#[test]
fn an_end_in_order_is_told_from_one_that_was_cut_off() {
    let moved = json!({"type": "pass", "name": "moved", "data": 1});
    for (finishes, reason) in [
        (true, "the server ended it"),
        (
            false,
            "it was cut off: the server had not said that it sends no more",
        ),
    ] {
        let frame = moved.clone();
        let (ended, ()) = ended(move |mut server| {
            server.send(&frame);
            if finishes {
                server.finish();
            }
        });
        assert_eq!(ended.code, 7, "{ended:?}");
        assert!(ended.stdout.contains("* moved 1\n"), "{ended:?}");
        let expected = format!("error: the link is lost: {reason}\n");
        assert!(ended.stderr.ends_with(&expected), "{}", ended.stderr);
    }
}

#[test]
fn a_record_that_was_cut_in_two_is_a_link_that_was_cut_off() {
    let (ended, ()) = ended(|mut server| {
        let record = server.record(&json!({"type": "pass", "name": "moved"}));
        server
            .stream
            .write_all(&record[..record.len() - 1])
            .unwrap();
    });
    assert_eq!(ended.code, 7, "{ended:?}");
    assert!(ended.stderr.contains("it was cut off"), "{}", ended.stderr);
    assert!(!ended.stdout.contains("moved"), "{}", ended.stdout);
}

#[test]
fn what_was_altered_ends_the_link_behind_what_was_not() {
    let (ended, word) = ended(|mut server| {
        let mut records = server.record(&json!({"type": "pass", "name": "moved", "data": 1}));
        let mut altered = server.record(&json!({"type": "pass", "name": "moved", "data": 2}));
        altered[10] ^= 1;
        records.extend_from_slice(&altered);
        server.stream.write_all(&records).unwrap();
        server.frame()
    });
    assert_eq!(ended.code, 7, "{ended:?}");
    assert!(ended.stdout.contains("* moved 1\n"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("moved 2"), "{}", ended.stdout);
    let reason = "a record was altered, dropped, repeated or moved on its way";
    assert!(ended.stderr.contains(reason), "{}", ended.stderr);
    let word = word.expect("a last word");
    assert_eq!(word["name"], "protocol_error");
    assert_eq!(word["data"]["code"], "bad_frame");
}

#[test]
fn the_client_says_that_it_sends_no_more() {
    for script in ["", "xyzzy\n", "logout\n"] {
        let (address, key, server) = server(|mut server| {
            while let Some(frame) = server.frame() {
                if frame["name"] == "logout" {
                    server.send(&json!({
                        "type": "response", "name": "logout", "request_id": frame["request_id"],
                        "data": {},
                    }));
                }
            }
            server.may_end()
        });
        let mut alice = Talk::start(address, "alice", &["--server-key", &key.to_string()]);
        alice.type_in(script);
        alice.end();
        assert!(server.join().unwrap(), "{script:?}");
    }
}
