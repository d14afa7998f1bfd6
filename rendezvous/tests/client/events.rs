//! Events between two clients that are typed by hand.

use crate::process::serve;
use crate::talk::{Talk, talk};

#[test]
fn a_request_is_answered_by_its_number_or_refused() {
    let server = serve(&[]);
    let address = server.address();
    let mut bob = Talk::logged_in(address, "bob");
    let mut alice = Talk::logged_in(address, "alice");
    alice.type_in("request to=bob add [1,2]\n");
    let asked = bob.until("<alice> asks add [1,2]");
    assert!(asked.starts_with("#1 "), "{asked}");
    bob.type_in("answer 1 {\"sum\":3}\n");
    bob.until("answered");
    assert_eq!(alice.until("<bob>"), "<bob> has answered {\"sum\":3}");

    alice.type_in("request to=bob add [1,2]\n");
    bob.until("#2 <alice> asks");
    bob.type_in("refuse 2 not_today come back tomorrow\n");
    let ended = alice.end();
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .stderr
            .contains("request: <bob> not_today: come back tomorrow"),
        "{}",
        ended.stderr
    );
    assert_eq!(bob.end().code, 0);
}

#[test]
fn a_confirmed_pass_is_acknowledged_and_shown() {
    let server = serve(&[]);
    let address = server.address();
    let mut bob = Talk::logged_in(address, "bob");
    let script = "confirm to=bob moved {\"x\":1}\n";
    let alice = talk(address, "alice", &[], script);
    assert_eq!(alice.code, 0, "{alice:?}");
    assert!(alice.stdout.contains("<bob> has acknowledged it"));
    let shown = bob.until("moved");
    assert_eq!(shown, "<alice> moved {\"x\":1} (acknowledged)");
    bob.type_in("wait from=carol moved 0\n");
    let ended = bob.end();
    assert_eq!(ended.code, 1, "it was not carol's");
    assert!(
        ended.stderr.contains("wait: not_arrived: "),
        "{}",
        ended.stderr
    );
}

#[test]
fn waiting_needs_no_sleep_on_either_side() {
    let server = serve(&[]);
    let address = server.address();
    let mut bob = Talk::logged_in(address, "bob");
    bob.type_in("wait from=alice ready\nsend to=alice go\nwait done\n");
    let script = "send to=bob ready\nwait from=bob go\nsend to=bob done\n";
    let alice = talk(address, "alice", &[], script);
    assert_eq!(alice.code, 0, "{alice:?}");
    let ended = bob.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(
        ended.stdout.contains("<alice> done null"),
        "{}",
        ended.stdout
    );
}

#[test]
fn an_answer_that_does_not_come_is_not_awaited_for_ever() {
    let server = serve(&[]);
    let address = server.address();
    let bob = Talk::logged_in(address, "bob");
    let alice = talk(
        address,
        "alice",
        &["--timeout=50ms"],
        "request to=bob add\n",
    );
    assert_eq!(alice.code, 1);
    assert!(
        alice
            .stderr
            .contains("request: timeout: no answer to `add` within 50ms"),
        "{}",
        alice.stderr
    );
    bob.until("<alice> asks add null");
}

#[test]
fn frames_are_typed_by_hand() {
    let server = serve(&[]);
    let address = server.address();
    let script = r#"raw {"type":"request","name":"ping","request_id":"mine"}
raw {"type":"pass","dest":"alice","name":"moved", "data":[1]}
wait moved
raw {"type":"later"}
"#;
    let ended = talk(address, "alice", &[], script);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.contains("the server answers in"));
    assert!(ended.stdout.contains("<alice> moved [1]"));

    let ended = talk(address, "alice", &[], "raw {}\nwait never\n");
    assert_eq!(ended.code, 7);
    assert!(
        ended.stderr.contains("the server ended it: bad_type"),
        "{}",
        ended.stderr
    );
}

#[test]
fn another_login_needs_a_logout() {
    let server = serve(&[]);
    let address = server.address();
    let script = "login bob\nlogout\nping\nlogin carol\nsend to=carol moved\nwait moved\n";
    let ended = talk(address, "alice", &["--keep-going"], script);
    assert_eq!(ended.code, 1);
    for part in [
        "line 1: login: already_logged_in: ",
        "line 3: ping: not_connected: ",
    ] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    for part in ["logged out", "logged in as carol", "<carol> moved null"] {
        assert!(ended.stdout.contains(part), "{}", ended.stdout);
    }
}
