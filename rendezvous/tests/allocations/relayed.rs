//! What peers send each other.

use protocol_core::{OpenRelay, Server};
use rendezvous::Rendezvous;

use crate::peer::Peer;
use crate::server::{self, Running};
use crate::work::{Handler, Working, data, lines};
use crate::{rooms, tally};

/// A server with the open relay, and a rendezvous server.
fn both() -> [(&'static str, Running, Peer, Peer); 2] {
    let open = server::start(|| async {
        let bind = Server::<Working>::bind("127.0.0.1:0").relay(OpenRelay);
        bind.handle(Handler).await.expect("binds")
    });
    let rendezvous = rooms::start(Rendezvous::new(rooms::config()));
    let with_peers = |what, server: Running, enter_by| {
        let alice = Peer::enter(server.address, enter_by, "alice");
        let bob = Peer::enter(server.address, enter_by, "bob");
        (what, server, alice, bob)
    };
    [
        with_peers("open relay", open, "join"),
        with_peers("rendezvous", rendezvous, "login"),
    ]
}

#[test]
fn a_relayed_pass_takes_its_buffer() {
    let mut excess = Vec::new();
    for (server, running, mut alice, mut bob) in both() {
        let what = format!("pass, {server}");
        excess.extend(tally::check(&what, running.meter, 1, |numbers| {
            alice.write(&lines(&numbers, |_, data| {
                format!(r#"{{"type":"pass","dest":"bob","name":"tell","data":{data}}}"#)
            }));
            for number in numbers {
                bob.expect(&[r#""from":"alice""#, r#""type":"pass""#, &data(number)]);
            }
        }));
    }
    assert!(excess.is_empty(), "{excess:#?}");
}

#[test]
fn a_relayed_request_and_its_answer_take_a_buffer_each() {
    let mut excess = Vec::new();
    for (server, running, mut alice, mut bob) in both() {
        let what = format!("request and answer, {server}");
        excess.extend(tally::check(&what, running.meter, 2, |numbers| {
            let echoes = |kind: &str, dest: &str| {
                lines(&numbers, |number, data| {
                    format!(
                        r#"{{"type":"{kind}","dest":"{dest}","name":"echo","data":{data},"request_id":"q{number}"}}"#
                    )
                })
            };
            let id = |number| format!(r#""request_id":"q{number}""#);
            alice.write(&echoes("request", "bob"));
            for number in numbers.clone() {
                bob.expect(&[r#""type":"request""#, &data(number), &id(number)]);
            }
            bob.write(&echoes("response", "alice"));
            for number in numbers.clone() {
                let answer = r#"{"from":"bob","type":"response""#;
                alice.expect(&[answer, &data(number), &id(number)]);
            }
        }));
    }
    assert!(excess.is_empty(), "{excess:#?}");
}
