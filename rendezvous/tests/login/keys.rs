//! Ids that are bound to keys: who is let in under which, and when an id becomes somebody's.

use std::pin::pin;
use std::time::Duration;

use protocol_core::{Client, ClientState, PeerId, Received, Server, ignore};
use protocol_tests::still_waits;
use rendezvous::events::{LogIn, LogOut, LoginError, ProtocolInfo, Secret, SessionEnd};
use rendezvous::{Config, LoginExt, Rendezvous, SessionNews};
use serde_json::json;

use crate::house::{Claim, Guest, House, Porter};
use crate::keyed::{ALICES, BOBS, CAROLS, keyed, log_in, log_in_with, secret, tokens};
use crate::log::{self, run, run_logged};
use crate::refusals::outer_address;

#[test]
fn the_first_encrypted_login_binds_the_id_to_its_key() {
    run(async {
        let house = keyed(|_| {}).await;
        let (alice, bob) = (secret(), secret());
        assert_eq!(house.key_of("alice"), None);
        house.lets_in("alice", Some(&alice)).await;
        for _ in 0..2 {
            assert_eq!(house.key_of("alice"), Some(alice.public()));
            house.keeps_out("alice", Some(&bob)).await;
            house.keeps_out("alice", None).await;
            house.lets_in("alice", Some(&alice)).await;
        }
        // One key may have several ids.
        house.lets_in("carol", Some(&alice)).await;
        house.lets_in("bob", Some(&bob)).await;
        assert_eq!(house.key_of("carol"), Some(alice.public()));
    });
}

#[test]
fn ids_that_look_the_same_belong_to_the_same_key() {
    run(async {
        let house = keyed(|_| {}).await;
        let (alice, bob) = (secret(), secret());
        house.lets_in("Alice", Some(&alice)).await;
        for twin in [
            "alice",
            "ALICE",
            "\u{ff21}lice",
            "Ali\u{200b}ce",
            "\u{1d400}lice",
        ] {
            assert_eq!(house.key_of(twin), Some(alice.public()), "{twin:?}");
            house.keeps_out(twin, Some(&bob)).await;
            house.keeps_out(twin, None).await;
            let logged_in = house.visit(LogIn::new(twin), Some(&alice)).await.unwrap();
            assert_eq!(logged_in.id.as_str(), twin);
        }
        house.lets_in("al1ce", Some(&bob)).await;
    });
}

#[test]
fn a_plain_login_binds_nothing() {
    run(async {
        let house = keyed(|_| {}).await;
        house.lets_in("alice", None).await;
        house.lets_in("alice", None).await;
        assert_eq!(house.key_of("alice"), None);
        house.lets_in("alice", Some(&secret())).await;
        house.keeps_out("alice", None).await;
    });
}

#[test]
fn whoever_is_kept_out_hears_it_in_any_language() {
    run(async {
        let house = keyed(|_| {}).await;
        house.lets_in("alice", Some(&secret())).await;
        let mut peer = house.peer().await;
        let error = &peer.request("login", json!({"id": "Alice"})).await["error"];
        assert_eq!(error["code"], "id_taken", "{error}");
        assert!(error["data"].is_null(), "{error}");
        assert_eq!(house.rendezvous().sessions(), 0);
        let answer = peer.request("login", json!({"id": "bob"})).await;
        assert_eq!(answer["data"]["id"], "bob");
    });
}

#[test]
fn an_id_that_is_online_goes_to_the_next_login_with_its_own_key_and_to_no_other() {
    run(async {
        let house = keyed(|_| {}).await;
        let key = secret();
        let (mut first, mut news) = house.listener(&key).await;
        log_in(&first, "alice").await.unwrap();
        for id in ["alice", "ALICE", "Alice", "alice"] {
            house.keeps_out(id, Some(&secret())).await;
            house.keeps_out(id, None).await;
            assert!(still_waits(&mut pin!(first.closed())).await);
            let (second, heard) = house.listener(&key).await;
            let logged_in = log_in(&second, id).await.unwrap();
            assert_eq!(logged_in.id.as_str(), id);
            assert!(!logged_in.resumed);
            let Some(Received {
                event: SessionNews::SessionEnded(ended),
                ..
            }) = news.next().await
            else {
                panic!("nothing was heard");
            };
            assert_eq!(
                (ended.reason, ended.may_resume),
                (SessionEnd::Replaced, false)
            );
            // It does not come back for the id.
            first.closed().await;
            assert!(matches!(first.state(), ClientState::Lost(_)));
            assert!(news.next().await.is_none());
            assert_eq!(house.rendezvous().sessions(), 1);
            (first, news) = (second, heard);
        }
        first.request(LogOut {}).await.unwrap();
    });
}

#[test]
fn an_id_that_is_online_without_a_key_is_taken_for_all() {
    run(async {
        let house = keyed(|_| {}).await;
        let first = house.plain_guest().await;
        log_in(&first, "alice").await.unwrap();
        house.keeps_out("ALICE", Some(&secret())).await;
        house.keeps_out("ALICE", None).await;
        assert_eq!(house.key_of("alice"), None);
        first.request(LogOut {}).await.unwrap();
        house.lets_in("ALICE", None).await;
    });
}

#[test]
fn a_refused_login_binds_nothing() {
    run(async {
        let house = keyed(|config| config.sessions = 1).await;
        let (alice, bob) = (secret(), secret());
        let mut spoken = LogIn::new("bob");
        spoken.protocol = Some(ProtocolInfo {
            name: "house".to_owned(),
            version: "6".to_owned(),
        });
        let refused = house.visit(spoken, Some(&bob)).await.unwrap_err();
        assert!(matches!(refused, LoginError::VersionMismatch { .. }));
        let mut resuming = LogIn::new("bob");
        resuming.resume = Some(Secret::new("0193"));
        let refused = house.visit(resuming, Some(&bob)).await.unwrap_err();
        assert_eq!(refused, LoginError::ResumeFailed);

        let online = house.plain_guest().await;
        log_in(&online, "alice").await.unwrap();
        house.keeps_out("alice", Some(&bob)).await;
        let refused = house.visit(LogIn::new("bob"), Some(&bob)).await;
        assert_eq!(refused.unwrap_err(), LoginError::ServerFull { max: 1 });
        online.request(LogOut {}).await.unwrap();

        let guest = house.guest(&alice).await;
        log_in(&guest, "alice").await.unwrap();
        let refused = log_in(&guest, "bob").await.unwrap_err();
        assert_eq!(refused, LoginError::AlreadyLoggedIn);
        assert_eq!(house.key_of("bob"), None);
        assert_eq!(house.key_of("alice"), Some(alice.public()));
    });
}

#[test]
fn a_login_as_a_name_that_was_given_away_binds_nothing() {
    run(async {
        let rendezvous = Rendezvous::default();
        drop(rendezvous.attach(Server::<House>::in_memory()));
        // Without the gate, strangers reach the handler that gives names away.
        let server = Server::<House>::in_memory()
            .encrypted(secret())
            .relay(rendezvous.clone())
            .handle((Porter, rendezvous.clone()))
            .await
            .unwrap();
        let (alice, id) = (secret(), PeerId::new("alice").unwrap());
        let connect = || {
            Client::connect_in_memory(&server)
                .encrypted(server.public_key().unwrap())
                .identity(alice.clone())
                .handle((ignore::<SessionNews>(), Guest))
        };
        let (claims, guest) = (connect().await.unwrap(), connect().await.unwrap());
        let claimed = claims.request(Claim { id: id.clone() }).await.unwrap();
        assert_eq!(claimed.to, Some(id.clone()));
        let refused = log_in(&guest, "alice").await.unwrap_err();
        assert_eq!(refused, LoginError::IdTaken);
        assert_eq!(rendezvous.key_of(&id), None);
        assert_eq!(rendezvous.sessions(), 0);
        guest.login("bob").await.unwrap();
    });
}

#[test]
fn the_operator_may_forget_a_key() {
    run(async {
        let house = keyed(|_| {}).await;
        let (alice, new) = (secret(), secret());
        let forget = async |id: &str| {
            let id = PeerId::new(id).unwrap();
            house.rendezvous().forget_key(&id).await.unwrap()
        };
        assert!(!forget("alice").await);
        house.lets_in("alice", Some(&alice)).await;
        let online = house.guest(&alice).await;
        log_in(&online, "alice").await.unwrap();
        assert!(forget("ALICE").await, "by any name that looks the same");
        assert!(!forget("alice").await);
        assert!(!forget("a\u{2028}").await, "no name at all");
        // Its session goes on.
        assert_eq!(house.rendezvous().sessions(), 1);
        house.keeps_out("alice", Some(&new)).await;
        online.request(LogOut {}).await.unwrap();
        house.lets_in("alice", Some(&new)).await;
        house.keeps_out("alice", Some(&alice)).await;
        assert_eq!(house.key_of("alice"), Some(new.public()));
    });
}

#[test]
fn as_many_ids_are_bound_as_the_server_wants() {
    run_logged(async {
        let house = keyed(|config| config.bindings = 2).await;
        let keys = [secret(), secret(), secret()];
        house.lets_in("alice", Some(&keys[0])).await;
        house.lets_in("bob", Some(&keys[1])).await;
        assert!(!log::text().contains("did not bind"), "{}", log::text());
        // A newcomer is let in all the same, as one of an unbound id.
        house.lets_in("carol", Some(&keys[2])).await;
        assert_eq!(house.key_of("carol"), None);
        let line = log::line("did not bind");
        assert!(line.contains("WARN") && line.contains("carol"), "{line}");
        house.lets_in("carol", Some(&keys[0])).await;
        house.lets_in("carol", None).await;
        house.keeps_out("alice", Some(&keys[2])).await;

        let id = PeerId::new("bob").unwrap();
        house.rendezvous().forget_key(&id).await.unwrap();
        house.lets_in("carol", Some(&keys[2])).await;
        house.keeps_out("carol", None).await;
    });
}

#[test]
fn an_id_that_folds_to_more_than_1024_bytes_is_not_bound() {
    run_logged(async {
        let house = keyed(|_| {}).await;
        let key = secret();
        // One character, which folds to 33 bytes.
        let (bound, too_long) = ("\u{fdfa}".repeat(31), "\u{fdfa}".repeat(32));
        house.lets_in(&bound, Some(&key)).await;
        assert_eq!(house.key_of(&bound), Some(key.public()));
        house.lets_in(&too_long, Some(&key)).await;
        assert_eq!(house.key_of(&too_long), None);
        let line = log::line("its folded form is too long");
        assert!(line.contains("WARN"), "{line}");
        house.lets_in(&too_long, Some(&secret())).await;
    });
}

#[test]
fn a_server_may_bind_no_id() {
    run_logged(async {
        let house = keyed(|config| config.bindings = 0).await;
        for key in [Some(&secret()), Some(&secret()), None] {
            house.lets_in("alice", key).await;
        }
        assert_eq!(house.key_of("alice"), None);
        assert!(!log::text().contains("WARN"), "{}", log::text());
    });
}

#[test]
fn the_log_names_the_key_of_each_login() {
    run_logged(async {
        let house = keyed(|_| {}).await;
        let (alice, bob) = (secret(), secret());
        house.lets_in("alice", Some(&alice)).await;
        let key = format!("key={}", alice.public());
        for word in [": logged in", "bound an id"] {
            assert!(log::line(word).contains(&key), "{}", log::text());
        }
        house.keeps_out("alice", Some(&bob)).await;
        let line = log::line("refused a login");
        assert!(line.contains(&format!("key={}", bob.public())), "{line}");
        house.lets_in("bob", None).await;
        let text = log::text();
        let plain = text
            .lines()
            .find(|line| line.contains(": logged in") && line.contains("bob"));
        assert!(!plain.unwrap().contains("key="), "{text}");
        assert!(!text.contains("secret-"), "{text}");
    });
}

#[test]
fn one_address_binds_so_many_ids_at_once() {
    run(async {
        let Some(address) = outer_address() else {
            println!("skipped: this machine has no address but loopback");
            return;
        };
        for with_tokens in [false, true] {
            let mut config = Config::default();
            config.binding_burst = 2;
            config.tokens = with_tokens.then(tokens);
            let rendezvous = Rendezvous::new(config);
            let bind = rendezvous.bind::<House>((address, 0)).encrypted(secret());
            let server = bind.handle((Porter, rendezvous.clone())).await.unwrap();
            let key = secret();
            let ids = if with_tokens {
                [("alice", ALICES), ("bob", BOBS), ("carol", CAROLS)]
            } else {
                [("alice", ""), ("bob", ""), ("carol", "")]
            };
            // An id that is bound already takes nothing of it.
            for (id, token) in [ids[0], ids[0], ids[0], ids[1], ids[2]] {
                let connect = Client::connect(server.address())
                    .encrypted(server.public_key().unwrap())
                    .identity(key.clone())
                    .handle((ignore::<SessionNews>(), Guest));
                let client = connect.await.unwrap();
                let login = LogIn::new(id).token(token);
                log_in_with(&client, login).await.unwrap();
                client.request(LogOut {}).await.unwrap();
            }
            let bound = |id: &str| rendezvous.key_of(&PeerId::new(id).unwrap()).is_some();
            assert!(bound("alice") && bound("bob"));
            assert_eq!(bound("carol"), with_tokens);
        }
    });
}

#[test]
fn loopback_binds_as_many_ids_as_it_likes() {
    run(async {
        let house = keyed(|config| {
            config.binding_interval = Duration::from_hours(1);
            config.binding_burst = 1;
        })
        .await;
        for number in 0..20 {
            let (id, key) = (format!("alice {number}"), secret());
            house.lets_in(&id, Some(&key)).await;
            assert_eq!(house.key_of(&id), Some(key.public()));
        }
    });
}
