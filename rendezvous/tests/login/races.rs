//! Logins that meet: of two keys for one id one gets it, whatever changes while a login waits.

use std::collections::HashSet;

use protocol_core::{Client, Encryption, PeerId, PublicKey, SecretKey, Server, ignore};
use rendezvous::events::{LogIn, LogOut, LoginError};
use rendezvous::{Bindings, Config, Rendezvous, SessionNews};

use crate::house::{Guest, House, Porter};
use crate::keyed::{ALICES, Outcome, file, keyed, keyed_with, log_in, log_in_with, secret, tokens};
use crate::log::run;
use crate::store::{Pace, Store};

#[test]
fn of_many_first_logins_at_once_one_key_gets_the_id() {
    run(async {
        let house = keyed_with(Bindings::open(file("race")).unwrap(), |_| {}).await;
        for round in 0..10 {
            let id = format!("alice {round}");
            let mut logins = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let key = secret();
                let (client, id) = (house.guest(&key).await, id.clone());
                logins.spawn(async move {
                    let outcome = log_in(&client, &id).await;
                    // Free for the others at once.
                    if outcome.is_ok() {
                        client.request(LogOut {}).await.unwrap();
                    }
                    (key.public(), outcome)
                });
            }
            let mut owners = HashSet::new();
            for (key, outcome) in logins.join_all().await {
                match outcome {
                    Ok(_) => assert!(owners.insert(key)),
                    Err(error) => assert_eq!(error, LoginError::IdTaken),
                }
            }
            let owner = house.key_of(&id);
            assert_eq!(
                owners.into_iter().collect::<Vec<_>>(),
                Vec::from_iter(owner)
            );
        }
    });
}

/// A house whose directory takes its time to open a session.
struct Slow {
    server: Server<House>,
    rendezvous: Rendezvous<Store>,
    logins: Pace,
    key: PublicKey,
}

async fn slow(change: impl FnOnce(&mut Config)) -> Slow {
    let mut config = Config::default();
    change(&mut config);
    let store = Store::new(&config, 0, 0);
    let logins = store.logins.clone();
    let bindings = Bindings::in_memory();
    let rendezvous = Rendezvous::with_directory_and_bindings(config, store, bindings);
    let secret = secret();
    let key = secret.public();
    let bind = rendezvous.bind::<House>("127.0.0.1:0");
    let bind = bind.encryption(Encryption::Both(secret));
    let server = bind.handle((Porter, rendezvous.clone())).await.unwrap();
    Slow {
        server,
        rendezvous,
        logins,
        key,
    }
}

impl Slow {
    async fn guest(&self, key: Option<&SecretKey>) -> Client<House> {
        let connect = Client::connect(self.server.address());
        let connect = match key {
            Some(key) => connect.encrypted(self.key).identity(key.clone()),
            None => connect,
        };
        let handlers = (ignore::<SessionNews>(), Guest);
        connect.handle(handlers).await.unwrap()
    }

    /// Begins a login, which then waits for its session, as the `count`th of all.
    async fn begin(&self, login: LogIn, key: Option<&SecretKey>, count: usize) -> Begun {
        let client = self.guest(key).await;
        let begun = tokio::spawn(async move {
            let outcome = log_in_with(&client, login).await;
            (client, outcome)
        });
        self.logins.has_begun(count).await;
        Begun(begun)
    }

    async fn forgets(&self, id: &str) {
        let id = PeerId::new(id).unwrap();
        assert!(self.rendezvous.forget_key(&id).await.unwrap());
    }
}

struct Begun(tokio::task::JoinHandle<(Client<House>, Outcome)>);

impl Begun {
    /// Expects the login to be let in, and logs out.
    async fn gets_in(self) {
        let (client, outcome) = self.0.await.unwrap();
        outcome.unwrap();
        client.request(LogOut {}).await.unwrap();
    }

    async fn refusal(self) -> LoginError {
        self.0.await.unwrap().1.unwrap_err()
    }
}

#[test]
fn an_id_that_is_bound_while_a_login_waits_is_taken_for_it() {
    run(async {
        let house = slow(|_| {}).await;
        let (alice, bob) = (secret(), secret());
        let id = || LogIn::new("alice");
        let first = house.begin(id(), Some(&alice), 1).await;
        let second = house.begin(id(), Some(&bob), 2).await;
        let plain = house.begin(id(), None, 3).await;
        house.logins.allow(1);
        first.gets_in().await;
        for late in [second, plain] {
            house.logins.allow(1);
            assert_eq!(late.refusal().await, LoginError::IdTaken);
            assert_eq!(house.rendezvous.sessions(), 0);
        }
        house.logins.allow(1);
        house.begin(id(), Some(&alice), 4).await.gets_in().await;
    });
}

#[test]
fn a_key_that_is_forgotten_while_its_login_waits_proves_nothing() {
    run(async {
        let house = slow(|config| config.tokens = Some(tokens())).await;
        let alice = secret();
        let with_token = || LogIn::new("alice").token(ALICES);
        house.logins.allow(1);
        house
            .begin(with_token(), Some(&alice), 1)
            .await
            .gets_in()
            .await;
        let by_key = house.begin(LogIn::new("alice"), Some(&alice), 2).await;
        house.forgets("alice").await;
        house.logins.allow(1);
        assert_eq!(by_key.refusal().await, LoginError::AuthFailed);
        let id = PeerId::new("alice").unwrap();
        assert_eq!(house.rendezvous.key_of(&id), None);
        assert_eq!(house.rendezvous.sessions(), 0);
        // What the token has proved still stands.
        house.logins.allow(1);
        house
            .begin(with_token(), Some(&alice), 3)
            .await
            .gets_in()
            .await;
        assert_eq!(house.rendezvous.key_of(&id), Some(alice.public()));
    });
}

#[test]
fn an_unbound_id_is_bound_by_who_comes_first_after_it_was_forgotten() {
    run(async {
        let house = keyed(|_| {}).await;
        let id = PeerId::new("alice").unwrap();
        for _ in 0..20 {
            let (one, other) = (secret(), secret());
            let forget = house.rendezvous().forget_key(&id);
            let (first, second, forgotten) = tokio::join!(
                house.visit(LogIn::new("alice"), Some(&one)),
                house.visit(LogIn::new("alice"), Some(&other)),
                forget,
            );
            forgotten.unwrap();
            let owner = house.key_of("alice");
            for (key, outcome) in [(one, first), (other, second)] {
                assert!(outcome.is_ok() || owner != Some(key.public()));
            }
        }
    });
}

#[test]
fn whoever_is_kept_out_never_has_the_id() {
    run(async {
        let house = slow(|_| {}).await;
        let alice = secret();
        let id = || LogIn::new("alice");
        house.logins.allow(1);
        house.begin(id(), Some(&alice), 1).await.gets_in().await;
        // Their logins do not even wait for a session, so they cannot hold hers up.
        for key in [Some(&secret()), None] {
            let client = house.guest(key).await;
            let refused = log_in_with(&client, id()).await.unwrap_err();
            assert_eq!(refused, LoginError::IdTaken);
        }
        house.logins.has_begun(1).await;
    });
}
