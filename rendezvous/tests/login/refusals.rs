//! Logins that are refused for other reasons than their id, and what becomes of who is refused.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use protocol_core::{Client, Encryption, Protocol, RequestError, ignore};
use rendezvous::events::{LogIn, LoginError};
use rendezvous::{Config, Login, LoginExt, Rendezvous, SessionNews, Speaks};
use serde_json::{Value, json};

use crate::house::{House, Porter, open};
use crate::log::run;
use crate::peer::Peer;

#[test]
fn a_connection_logs_in_once() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        for id in ["alice", "bob", ""] {
            let error = &alice.request("login", json!({"id": id})).await["error"];
            assert_eq!(error["code"], "already_logged_in", "{error}");
        }
        assert_eq!(
            alice.request("knock", json!({})).await["data"]["to"],
            "alice"
        );
        assert_eq!(house.rendezvous.sessions(), 1);
        Peer::log_in(house.address(), "bob").await;
    });
}

#[test]
fn no_session_can_be_resumed() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        let login = json!({"id": "alice", "resume": "0193"});
        let error = &alice.request("login", login).await["error"];
        assert_eq!(error["code"], "resume_failed", "{error}");
        assert!(error["data"].is_null(), "{error}");
        assert_eq!(house.rendezvous.sessions(), 0);
        let answer = alice.request("login", json!({"id": "alice"})).await;
        assert_eq!(answer["data"]["resumed"], false);
    });
}

#[test]
fn a_full_server_says_how_many_sessions_it_takes_until_one_is_free() {
    run(async {
        let house = open(|config| config.sessions = 2).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        let _bob = Peer::log_in(house.address(), "bob").await;
        let mut carol = Peer::connect(house.address()).await;
        let error = &carol.request("login", json!({"id": "carol"})).await["error"];
        assert_eq!(error["code"], "server_full");
        assert_eq!(error["message"], "the server is full: 2 sessions");
        assert_eq!(error["data"], json!({"max": 2}));
        // Whose id is taken hears that, since room would not help.
        let error = &carol.request("login", json!({"id": "bob"})).await["error"];
        assert_eq!(error["code"], "id_taken");
        // A ping takes no session.
        assert!(carol.request("ping", json!({})).await["data"]["server_ms"].is_u64());

        alice.request("logout", json!({})).await;
        let answer = carol.request("login", json!({"id": "carol"})).await;
        assert_eq!(answer["data"]["id"], "carol");
        assert_eq!(house.rendezvous.sessions(), 2);
    });
}

#[test]
fn another_protocol_or_version_is_refused_with_the_servers_own() {
    run(async {
        let house = open(|_| {}).await;
        for (name, version) in [
            ("house", "6"),
            ("garden", "7"),
            ("house", ""),
            ("House", "7"),
        ] {
            let mut alice = Peer::connect(house.address()).await;
            let spoken = json!({"name": name, "version": version});
            let login = json!({"id": "alice", "protocol": spoken});
            let error = &alice.request("login", login).await["error"];
            assert_eq!(error["code"], "version_mismatch", "{error}");
            let message = "the server speaks house 7: update the older side";
            assert_eq!(error["message"], message);
            assert_eq!(error["data"], json!({"name": "house", "version": "7"}));
        }
        house.has_sessions(0).await;
        for login in [
            json!({"id": "alice"}),
            json!({"id": "bob", "protocol": {"name": "house", "version": "7"}}),
        ] {
            let mut peer = Peer::connect(house.address()).await;
            let answer = peer.request("login", login).await;
            assert!(answer["error"].is_null(), "{answer}");
        }
    });
}

#[derive(Debug, Protocol)]
#[protocol(name = "house", version = "8", to_server = Login, to_client = SessionNews)]
struct NewHouse;

#[test]
fn a_typed_client_says_what_it_speaks() {
    run(async {
        let house = open(|_| {}).await;
        let new = Client::<NewHouse>::connect(house.address()).handle(ignore::<SessionNews>());
        let new = new.await.unwrap();
        for login in [new.login("alice"), new.login_with(LogIn::new("alice"))] {
            let refused = login.await.unwrap_err();
            let RequestError::Refused(LoginError::VersionMismatch { name, version }) = refused
            else {
                panic!("{refused:?}");
            };
            assert_eq!((&*name, &*version), ("house", "7"));
        }
    });
}

#[test]
fn a_server_that_only_relays_takes_any_protocol() {
    run(async {
        let house = open(|config| config.speaks = Speaks::Any).await;
        let mut alice = Peer::connect(house.address()).await;
        let spoken = json!({"name": "garden", "version": "1"});
        let login = json!({"id": "alice", "protocol": spoken});
        let answer = alice.request("login", login).await;
        assert_eq!(answer["data"]["id"], "alice", "{answer}");
        let bob = Client::<NewHouse>::connect(house.address()).handle(ignore::<SessionNews>());
        bob.await.unwrap().login("bob").await.unwrap();
    });
}

/// Logins that are refused, one for each reason that a connection can repeat.
fn refused() -> [(Value, &'static str); 5] {
    [
        (json!({"id": ""}), "id_invalid"),
        (json!({"id": "alice"}), "id_taken"),
        (json!({"id": "bob", "resume": "0193"}), "resume_failed"),
        (
            json!({"id": "bob", "protocol": {"name": "house", "version": "6"}}),
            "version_mismatch",
        ),
        (json!({"id": "carol"}), "server_full"),
    ]
}

#[test]
fn the_fifth_refused_login_is_answered_and_ends_the_link() {
    run(async {
        let house = open(|config| config.sessions = 1).await;
        let _alice = Peer::log_in(house.address(), "alice").await;
        let mut bob = Peer::connect(house.address()).await;
        for (login, code) in refused() {
            let error = &bob.request("login", login).await["error"];
            assert_eq!(error["code"], code);
        }
        assert_eq!(bob.line().await, None);
        drop(bob);
        house.has_connections(1).await;
        // Its failures are its own.
        let mut bob = Peer::connect(house.address()).await;
        let answer = bob.request("login", json!({"id": "bob"})).await;
        assert_eq!(answer["error"]["code"], "server_full");
        assert!(bob.request("ping", json!({})).await["error"].is_null());
    });
}

#[test]
fn what_follows_the_fifth_refused_login_is_not_handled() {
    run(async {
        let house = open(|_| {}).await;
        let mut bob = Peer::connect(house.address()).await;
        let login = |id: &str| {
            let data = json!({"id": id});
            let frame =
                json!({"type": "request", "name": "login", "data": data, "request_id": "1"});
            format!("{frame}\n")
        };
        bob.write(login("").repeat(5) + &login("bob")).await;
        for _ in 0..5 {
            assert_eq!(bob.json().await["error"]["code"], "id_invalid");
        }
        while let Some(line) = bob.line().await {
            assert!(line.contains("shutting_down"), "{line}");
        }
        assert_eq!(house.rendezvous.sessions(), 0);
    });
}

#[test]
fn refused_logins_count_on_over_one_that_is_not() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        for _ in 0..3 {
            alice.request("login", json!({"id": ""})).await;
        }
        alice.request("login", json!({"id": "alice"})).await;
        for _ in 0..2 {
            let answer = alice.request("knock", json!({})).await;
            assert_eq!(answer["data"]["to"], "alice");
            let error = &alice.request("login", json!({"id": "bob"})).await["error"];
            assert_eq!(error["code"], "already_logged_in");
        }
        assert_eq!(alice.line().await, None);
        assert_eq!(house.rendezvous.sessions(), 0);
    });
}

#[test]
fn how_many_logins_may_fail_is_the_servers_choice() {
    run(async {
        let strict = open(|config| config.login_failures = 1).await;
        let mut alice = Peer::connect(strict.address()).await;
        let error = &alice.request("login", json!({"id": ""})).await["error"];
        assert_eq!(error["code"], "id_invalid");
        assert_eq!(alice.line().await, None);

        let lenient = open(|config| config.login_failures = 0).await;
        let mut alice = Peer::connect(lenient.address()).await;
        for _ in 0..50 {
            let error = &alice.request("login", json!({"id": ""})).await["error"];
            assert_eq!(error["code"], "id_invalid");
        }
        let answer = alice.request("login", json!({"id": "alice"})).await;
        assert_eq!(answer["data"]["id"], "alice");
    });
}

#[test]
fn loopback_logs_in_as_often_as_it_likes() {
    run(async {
        let house = open(|config| {
            config.login_interval = Duration::from_hours(1);
            config.login_burst = 1;
        })
        .await;
        for _ in 0..20 {
            let mut alice = Peer::log_in(house.address(), "alice").await;
            alice.request("logout", json!({})).await;
        }
    });
}

/// An address of this machine that is not loopback: the one it would send from. Nothing is sent.
pub(crate) fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn an_address_that_logs_in_too_often_is_told_when_to_come_back() {
    run(async {
        let Some(address) = outer_address() else {
            println!("skipped: this machine has no address but loopback");
            return;
        };
        let mut config = Config::default();
        config.login_interval = Duration::from_mins(1);
        config.login_burst = 3;
        let rendezvous = Rendezvous::new(config);
        let bind = rendezvous.bind::<House>((address, 0));
        let bind = bind.encryption(Encryption::Plain);
        let server = bind.handle((Porter, rendezvous.clone())).await.unwrap();
        let mut alice = Peer::log_in(server.address(), "alice").await;
        // A refused login counts too, on whichever connection.
        let mut bob = Peer::connect(server.address()).await;
        for id in ["alice", ""] {
            assert!(bob.request("login", json!({"id": id})).await["error"].is_object());
        }
        for _ in 0..10 {
            let error = &bob.request("login", json!({"id": "bob"})).await["error"];
            assert_eq!(error["code"], "rate_limited", "{error}");
            let wait = error["data"]["retry_after_ms"].as_u64().unwrap();
            assert!((1..=60_000).contains(&wait), "{error}");
        }
        // It is no failed login, nor does it stop anything but logins.
        assert!(bob.request("ping", json!({})).await["error"].is_null());
        assert!(alice.request("knock", json!({})).await["error"].is_null());
        assert_eq!(rendezvous.sessions(), 1);
    });
}
