//! A rendezvous server inside a server of one's own: beside other handlers, in memory, with
//! sessions kept elsewhere.

use std::sync::Arc;

use protocol_core::{Client, PeerId, RequestError, Server, ignore};
use rendezvous::events::{LogOut, LoginError};
use rendezvous::{Config, LoginExt, Rendezvous, SessionNews};
use serde_json::json;

use crate::house::{Greet, Guest, House, Knock, Leaflet, Porter, open};
use crate::log::run;
use crate::peer::Peer;
use crate::store::{Pace, Store};

async fn serves(server: &Server<House>) {
    let connect =
        || Client::<House>::connect(server.address()).handle((ignore::<SessionNews>(), Guest));
    let (alice, bob) = (connect().await.unwrap(), connect().await.unwrap());
    let error = alice.request(Knock {}).await.unwrap_err();
    assert_eq!(crate::house::code(error), "not_logged_in");
    alice.login("alice").await.unwrap();
    let bob_id = bob.login("bob").await.unwrap().id;
    let opened = alice.request(Knock {}).await.unwrap();
    assert_eq!(opened.to, PeerId::new("alice").ok());
    alice.confirm(Leaflet {}).await.unwrap();
    let greeting = alice.to(&bob_id).request(Greet {}).await.unwrap();
    assert_eq!(greeting.text, "hello, alice");
}

#[test]
fn it_stands_beside_other_handlers_in_any_place() {
    run(async {
        let rendezvous = Rendezvous::default();
        let bind = || rendezvous.bind::<House>("127.0.0.1:0");
        let last = bind().handle((Porter, rendezvous.clone())).await.unwrap();
        serves(&last).await;
        assert!(last.shutdown(std::time::Duration::from_secs(5)).await);
        assert_eq!(rendezvous.sessions(), 0);
        // The same value serves a server after another.
        let first = bind().handle((Arc::new(rendezvous.clone()), Porter));
        serves(&first.await.unwrap()).await;
    });
}

#[test]
fn it_works_in_memory_as_over_sockets() {
    run(async {
        let mut config = Config::default();
        config.sessions = 2;
        // A pipe has no address, so no rate of logins.
        config.login_burst = 1;
        config.login_interval = std::time::Duration::from_hours(1);
        let rendezvous = Rendezvous::new(config);
        let bind = rendezvous.attach(Server::<House>::in_memory());
        let server = bind.handle((Porter, rendezvous.clone())).await.unwrap();
        let connect =
            || Client::connect_in_memory(&server).handle((ignore::<SessionNews>(), Guest));
        let (alice, bob, carol) = (
            connect().await.unwrap(),
            connect().await.unwrap(),
            connect().await.unwrap(),
        );
        let error = alice.request(Knock {}).await.unwrap_err();
        assert_eq!(crate::house::code(error), "not_logged_in");
        alice.login("alice").await.unwrap();
        let bob_id = bob.login("bob").await.unwrap().id;
        let refused = carol.login("carol").await.unwrap_err();
        assert!(matches!(
            refused,
            RequestError::Refused(LoginError::ServerFull { max: 2 })
        ));
        let greeting = alice.to(&bob_id).request(Greet {}).await.unwrap();
        assert_eq!(greeting.text, "hello, alice");
        alice.request(LogOut {}).await.unwrap();
        carol.login("carol").await.unwrap();
        let deadline = std::time::Duration::from_secs(5);
        assert!(rendezvous.shutdown(&server, deadline).await);
        assert_eq!(rendezvous.sessions(), 0);
    });
}

#[test]
fn a_name_that_the_servers_own_handler_gave_away_is_taken() {
    run(async {
        let rendezvous = Rendezvous::default();
        // Without the gate, strangers reach the handlers.
        let bind = Server::<House>::bind("127.0.0.1:0").relay(rendezvous.clone());
        let server = bind.handle((Porter, rendezvous.clone())).await.unwrap();
        let mut alice = Peer::connect(server.address()).await;
        let claimed = alice.request("claim", json!({"id": "alice"})).await;
        assert_eq!(claimed["data"]["to"], "alice");

        let mut bob = Peer::connect(server.address()).await;
        let answer = bob.request("login", json!({"id": "alice"})).await;
        assert_eq!(answer["error"]["code"], "not_set_up");
        // Now it serves with its gate too, elsewhere; here strangers get in by its author's will.
        drop(rendezvous.attach(Server::<House>::in_memory()));
        let answer = bob.request("login", json!({"id": "alice"})).await;
        assert_eq!(answer["error"]["code"], "id_taken");
        assert_eq!(rendezvous.sessions(), 0);
        let answer = bob.request("login", json!({"id": "bob"})).await;
        assert_eq!(answer["data"]["id"], "bob");
        // And who has a name does not get another.
        let answer = alice.request("login", json!({"id": "carol"})).await;
        assert_eq!(answer["error"]["code"], "already_logged_in");
        assert_eq!(rendezvous.sessions(), 1);
    });
}

/// A house whose directory takes its time to open a session.
struct SlowHouse {
    server: Server<House>,
    rendezvous: Rendezvous<Store>,
    logins: Pace,
}

async fn slow_house() -> SlowHouse {
    let config = Config::default();
    let store = Store::new(&config, 0, 0);
    let logins = store.logins.clone();
    let rendezvous = Rendezvous::with_directory(config, store);
    let bind = rendezvous.bind::<House>("127.0.0.1:0");
    let server = bind.handle((Porter, rendezvous.clone())).await.unwrap();
    SlowHouse {
        server,
        rendezvous,
        logins,
    }
}

fn login(id: &str) -> serde_json::Value {
    json!({"type": "request", "name": "login", "data": {"id": id}, "request_id": "1"})
}

#[test]
fn a_slow_login_holds_up_nobody_else() {
    run(async {
        let house = slow_house().await;
        let mut alice = Peer::connect(house.server.address()).await;
        alice.send(&login("alice")).await;
        house.logins.has_begun(1).await;
        let mut bob = Peer::connect(house.server.address()).await;
        assert!(bob.request("ping", json!({})).await["error"].is_null());
        bob.send(&login("bob")).await;
        house.logins.has_begun(2).await;
        assert_eq!(house.rendezvous.sessions(), 0);
        house.logins.allow(2);
        assert_eq!(alice.json().await["data"]["id"], "alice");
        assert_eq!(bob.json().await["data"]["id"], "bob");
        assert_eq!(house.rendezvous.sessions(), 2);
    });
}

#[test]
fn what_comes_while_a_login_is_slow_waits_for_it() {
    run(async {
        let house = slow_house().await;
        let mut alice = Peer::connect(house.server.address()).await;
        alice.send(&login("alice")).await;
        let knock = json!({"type": "request", "name": "knock", "request_id": "2"});
        alice.send(&knock).await;
        house.logins.has_begun(1).await;
        house.logins.allow(1);
        assert_eq!(alice.json().await["data"]["id"], "alice");
        assert_eq!(alice.json().await["data"]["to"], "alice");
    });
}

#[test]
fn a_link_that_ends_while_its_login_is_slow_leaves_no_session() {
    run(async {
        let house = slow_house().await;
        for way in 0..3 {
            let mut alice = Peer::connect(house.server.address()).await;
            alice.send(&login("alice")).await;
            house.logins.has_begun(way + 1).await;
            match way {
                0 => drop(alice),
                1 => alice.reset(),
                _ => {
                    alice.end().await;
                    house.logins.allow(1);
                    // It hears the answer, since it may still read; then its session ends.
                    assert_eq!(alice.json().await["data"]["id"], "alice");
                    assert_eq!(alice.line().await, None);
                }
            }
            if way < 2 {
                house.logins.allow(1);
            }
            while house.server.connections() != 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(house.rendezvous.sessions(), 0, "way {way}");
        }
        house.logins.allow(1);
        Peer::log_in(house.server.address(), "alice").await;
    });
}

#[test]
fn claims_are_for_who_has_logged_in() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        let answer = alice.request("claim", json!({"id": "bob"})).await;
        assert_eq!(answer["error"]["code"], "not_logged_in");
        alice.request("login", json!({"id": "alice"})).await;
        // A connection keeps its first name.
        let answer = alice.request("claim", json!({"id": "bob"})).await;
        assert!(answer["data"]["to"].is_null(), "{answer}");
        Peer::log_in(house.address(), "bob").await;
    });
}

#[test]
fn two_servers_at_once_share_who_is_there() {
    run(async {
        let rendezvous = Rendezvous::default();
        let bind = || rendezvous.bind::<House>("127.0.0.1:0");
        let first = bind().handle((Porter, rendezvous.clone())).await.unwrap();
        let second = bind().handle((Porter, rendezvous.clone())).await.unwrap();
        let mut alice = Peer::connect(first.address()).await;
        let mut bob = Peer::connect(second.address()).await;
        let login = |id: &str| json!({ "id": id });
        assert_eq!(
            alice.request("login", login("alice")).await["data"]["id"],
            "alice"
        );
        let taken = bob.request("login", login("Alice")).await;
        assert_eq!(taken["error"]["code"], "id_taken");
        assert_eq!(
            bob.request("login", login("bob")).await["data"]["id"],
            "bob"
        );
        assert_eq!(rendezvous.sessions(), 2);
        // Whoever leaves the one takes nobody's session at the other along.
        bob.request("logout", json!({})).await;
        assert_eq!(rendezvous.sessions(), 1);
        let mut carol = Peer::connect(second.address()).await;
        let taken = carol.request("login", login("alice")).await;
        assert_eq!(taken["error"]["code"], "id_taken");
    });
}
