//! What is numbered and goes through the server: to whom it may go, and what those get who take no
//! numbers.

use std::net::SocketAddr;

use protocol_core::PeerId;
use rendezvous::LoginExt;
use serde_json::{Value, json};

use crate::house::{Greet, Nod, open};
use crate::log::run;
use crate::peer::Peer;

/// A bare peer of some life, or of none.
async fn of_life(address: SocketAddr, id: &str, inc: Option<&str>) -> Peer {
    let mut peer = Peer::connect(address).await;
    let login = json!({"id": id, "inc": inc});
    let answer = peer.request("login", login).await;
    assert_eq!(answer["data"]["id"], id);
    peer
}

/// A call to bob with a number, for the life that it names.
fn numbered(kind: &str, dest_inc: Option<&str>) -> Value {
    let id = if kind == "request" {
        "request_id"
    } else {
        "pass_id"
    };
    let mut frame =
        json!({"type": kind, "name": "greet", "dest": "bob", "seq": 1, "base": 1, id: "7"});
    if let Some(inc) = dest_inc {
        frame["dest_inc"] = inc.into();
    }
    frame
}

#[test]
fn what_is_numbered_goes_to_the_life_that_it_names_and_to_no_other() {
    run(async {
        for kind in ["confirm_pass", "request"] {
            for bobs in [None, Some("b0b5a1")] {
                let house = open(|_| {}).await;
                let mut alice = of_life(house.address(), "alice", Some("a11ce0")).await;
                let mut bob = of_life(house.address(), "bob", bobs).await;
                for named in [None, Some("b0b5a0")] {
                    let answer = alice.ask(&numbered(kind, named)).await;
                    let error = &answer["error"];
                    assert_eq!(error["code"], "stale_dest", "{kind}, {bobs:?}, {named:?}");
                    assert_eq!(error["data"], json!({"dest_inc": bobs}));
                    assert!(answer.get("from").is_none(), "{answer}");
                }
                // Of that nothing has reached him.
                assert_eq!(bob.request("ping", json!({})).await["name"], "ping");
                if bobs.is_some() {
                    alice.send(&numbered(kind, bobs)).await;
                    let heard = bob.json().await;
                    assert_eq!(
                        (&heard["from"], &heard["seq"]),
                        (&"alice".into(), &1.into())
                    );
                    assert_eq!(heard["from_inc"], "a11ce0");
                }
            }
        }
    });
}

#[test]
fn a_pass_has_no_number_whatever_it_holds() {
    run(async {
        for bobs in [None, Some("b0b5a1")] {
            let house = open(|_| {}).await;
            let mut alice = of_life(house.address(), "alice", Some("a11ce0")).await;
            let mut bob = of_life(house.address(), "bob", bobs).await;
            let pass = json!({"type": "pass", "name": "greet", "dest": "bob", "seq": 1});
            alice.send(&pass).await;
            assert_eq!(bob.json().await["from"], "alice");
        }
    });
}

#[test]
fn one_who_has_declared_no_life_gets_no_numbers_of_a_typed_client() {
    run(async {
        let house = open(|_| {}).await;
        let (alice, _news) = house.guest().await;
        alice.login("alice").await.unwrap();
        let mut bob = of_life(house.address(), "bob", None).await;
        let bob_id = PeerId::new("bob").unwrap();
        for _ in 0..3 {
            let call = alice.to(&bob_id).request(Greet {});
            let answers = async {
                let asked = bob.json().await;
                assert_eq!(asked.get("seq"), None, "{asked}");
                assert_eq!(asked["name"], "greet");
                bob.send(&json!({
                    "type": "response", "name": "greet", "data": {"text": "hello"},
                    "dest": "alice", "request_id": asked["request_id"],
                }))
                .await;
            };
            let (answer, ()) = tokio::join!(call, answers);
            assert_eq!(answer.unwrap().text, "hello");
            let call = alice.to(&bob_id).confirm(Nod {});
            let confirms = async {
                let asked = bob.json().await;
                assert_eq!(asked.get("seq"), None, "{asked}");
                assert_eq!(asked["name"], "nod");
                bob.send(&json!({
                    "type": "confirm_pass", "dest": "alice", "pass_id": asked["pass_id"],
                }))
                .await;
            };
            let (confirmed, ()) = tokio::join!(call, confirms);
            confirmed.unwrap();
        }
    });
}
