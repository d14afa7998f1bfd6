//! Servers that are not there, that refuse, and that end.

use std::net::TcpListener;

use crate::process::serve;
use crate::talk::{Talk, talk};

#[test]
fn nobody_who_listens_is_named_with_the_fix() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let ended = talk(address, "alice", &[], "ping\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (5, ""));
    assert_eq!(
        ended.stderr,
        format!(
            "error: cannot connect to {address}: nobody listens there: start a server with \
             `rendezvous serve`, or check the address\n"
        )
    );
}

#[test]
fn a_server_that_says_nothing_is_not_awaited_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ended = talk(address, "alice", &["--timeout=50ms"], "ping\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (5, ""));
    assert!(
        ended
            .stderr
            .starts_with("error: login: timeout: no answer to `login` within 50ms"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_id_that_is_refused_has_a_code_of_its_own() {
    let server = serve(&[]);
    let address = server.address();
    let _alice = Talk::logged_in(address, "alice");
    for (id, code) in [("Alice", "id_taken"), ("#alice", "id_invalid")] {
        let ended = talk(address, id, &[], "ping\n");
        assert_eq!((ended.code, ended.stdout.as_str()), (6, ""), "{id}");
        let expected = format!("error: login: {code}: ");
        assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("try: choose another id"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
#[cfg(unix)]
fn a_server_that_stops_ends_the_script() {
    let server = serve(&[]);
    let address = server.address();
    let mut alice = Talk::logged_in(address, "alice");
    // Its answer shows that the script is being read.
    alice.type_in("ping\nwait never 60\nping\n");
    alice.until("the server answers");
    server.signal("TERM");
    let ended = alice.ended();
    assert_eq!(ended.code, 7, "{ended:?}");
    assert!(
        ended.stdout.contains("the server stops within 5000 ms"),
        "{}",
        ended.stdout
    );
    for part in [
        "error: line 2: wait: link_lost: the server stops",
        "error: the link is lost: the server stops",
    ] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("ping"), "nothing more was tried");
}
