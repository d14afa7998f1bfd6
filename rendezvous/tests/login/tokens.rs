//! Tokens: who is let in where the operator has given some out.

use protocol_core::{PeerId, SecretKey};
use rendezvous::events::{LogIn, LoginError};
use rendezvous::state::NameError;
use rendezvous::{Config, MAX_TOKEN_BYTES, TokenProblem, Tokens};
use serde_json::json;

use crate::keyed::{ALICES, BOBS, Keyed, keyed, secret, tokens};
use crate::log::{self, run, run_logged};

async fn with_tokens() -> Keyed {
    keyed(|config| config.tokens = Some(tokens())).await
}

impl Keyed {
    /// A visit with a token, or without one where it is empty; the code of the refusal.
    async fn tries(
        &self,
        id: &str,
        token: &str,
        key: Option<&SecretKey>,
    ) -> Result<(), LoginError> {
        let mut login = LogIn::new(id);
        if !token.is_empty() {
            login = login.token(token);
        }
        self.visit(login, key).await.map(drop)
    }
}

#[test]
fn a_login_proves_its_id_by_its_token_or_by_the_key_bound_to_it() {
    run(async {
        let house = with_tokens().await;
        let (alice, other) = (secret(), secret());
        let longer = format!("{ALICES}a");
        for wrong in ["", BOBS, &ALICES[..ALICES.len() - 1], &longer, "alice"] {
            for key in [Some(&alice), None] {
                let refused = house.tries("alice", wrong, key).await;
                assert_eq!(refused, Err(LoginError::AuthFailed), "{wrong:?}");
            }
        }
        assert_eq!(house.key_of("alice"), None);
        assert_eq!(house.rendezvous().sessions(), 0);

        assert_eq!(house.tries("alice", ALICES, Some(&alice)).await, Ok(()));
        assert_eq!(house.key_of("alice"), Some(alice.public()));
        // From now on the key is enough, whatever the token.
        for token in ["", "wrong", ALICES] {
            assert_eq!(house.tries("ALICE", token, Some(&alice)).await, Ok(()));
        }
        // Nobody else has the id, though they know the token; without it they do not learn that.
        for key in [Some(&other), None] {
            let refused = house.tries("alice", ALICES, key).await;
            assert_eq!(refused, Err(LoginError::IdTaken));
            for wrong in ["", BOBS] {
                let refused = house.tries("alice", wrong, key).await;
                assert_eq!(refused, Err(LoginError::AuthFailed));
            }
        }
        assert_eq!(house.key_of("alice"), Some(alice.public()));
    });
}

#[test]
fn a_plain_login_needs_its_token_each_time() {
    run(async {
        let house = with_tokens().await;
        for _ in 0..2 {
            assert_eq!(house.tries("bob", BOBS, None).await, Ok(()));
            let refused = house.tries("bob", "", None).await;
            assert_eq!(refused, Err(LoginError::AuthFailed));
        }
        assert_eq!(house.key_of("bob"), None);
        assert_eq!(house.tries("bob", BOBS, Some(&secret())).await, Ok(()));
        let refused = house.tries("bob", BOBS, None).await;
        assert_eq!(refused, Err(LoginError::IdTaken));
    });
}

#[test]
fn an_id_without_a_token_is_not_let_in() {
    run(async {
        let house = with_tokens().await;
        for token in ["", ALICES, "0123456789012345"] {
            for key in [Some(&secret()), None] {
                let refused = house.tries("al1ce", token, key).await;
                assert_eq!(refused, Err(LoginError::AuthFailed), "{token:?}");
            }
        }
        let nobody: [(&str, &str); 0] = [];
        let closed = keyed(|config| config.tokens = Tokens::new(nobody).ok()).await;
        let refused = closed.tries("alice", "", Some(&secret())).await;
        assert_eq!(refused, Err(LoginError::AuthFailed));
    });
}

#[test]
fn a_key_counts_only_while_its_id_has_a_token() {
    run(async {
        let file = crate::keyed::file("token-gone");
        let open = || rendezvous::Bindings::open(&file).unwrap();
        let alice = secret();
        // Bound while there were no tokens.
        let house = crate::keyed::keyed_with(open(), |_| {}).await;
        house.lets_in("alice", Some(&alice)).await;
        house.lets_in("al1ce", Some(&alice)).await;
        house.stop().await;
        let house = crate::keyed::keyed_with(open(), |config| config.tokens = Some(tokens())).await;
        assert_eq!(house.tries("alice", "", Some(&alice)).await, Ok(()));
        let refused = house.tries("al1ce", "", Some(&alice)).await;
        assert_eq!(refused, Err(LoginError::AuthFailed));
        assert_eq!(house.key_of("al1ce"), Some(alice.public()));
    });
}

#[test]
fn after_a_key_was_forgotten_the_token_is_needed_again() {
    run(async {
        let house = with_tokens().await;
        let (lost, new) = (secret(), secret());
        assert_eq!(house.tries("alice", ALICES, Some(&lost)).await, Ok(()));
        let id = PeerId::new("alice").unwrap();
        assert!(house.rendezvous().forget_key(&id).await.unwrap());
        for key in [&lost, &new] {
            let refused = house.tries("alice", "", Some(key)).await;
            assert_eq!(refused, Err(LoginError::AuthFailed));
        }
        assert_eq!(house.tries("alice", ALICES, Some(&new)).await, Ok(()));
        assert_eq!(house.key_of("alice"), Some(new.public()));
    });
}

#[test]
fn a_server_without_tokens_does_not_look_at_them() {
    run(async {
        let house = keyed(|_| {}).await;
        assert_eq!(house.tries("alice", "anything", None).await, Ok(()));
        assert_eq!(house.tries("alice", "x", Some(&secret())).await, Ok(()));
    });
}

#[test]
fn a_wrong_token_is_a_failed_login() {
    run(async {
        let house = keyed(|config| {
            config.tokens = Some(tokens());
            config.login_failures = 5;
        })
        .await;
        let mut peer = house.peer().await;
        for _ in 0..5 {
            let login = json!({"id": "alice", "token": BOBS});
            let error = &peer.request("login", login).await["error"];
            assert_eq!(error["code"], "auth_failed", "{error}");
            let message = "the credentials do not prove this id";
            assert_eq!(error["message"], message);
            assert!(error["data"].is_null(), "{error}");
        }
        assert_eq!(peer.line().await, None);
        let mut peer = house.peer().await;
        let login = json!({"id": "Alice", "token": ALICES});
        let answer = peer.request("login", login).await;
        assert_eq!(answer["data"]["id"], "Alice");
    });
}

#[test]
fn no_token_is_logged() {
    run_logged(async {
        let house = with_tokens().await;
        let wrong = "wrong-0123456789";
        let key = secret();
        for (id, token) in [("alice", wrong), ("al1ce", ALICES), ("alice", ALICES)] {
            let _ = house.tries(id, token, Some(&key)).await;
        }
        let _ = house.tries("bob", BOBS, None).await;
        let text = log::text();
        assert!(text.contains("refused a login"), "{text}");
        for token in [wrong, ALICES, BOBS] {
            assert!(!text.contains(token), "{text}");
        }
        let mut config = Config::default();
        config.tokens = Some(tokens());
        for text in [format!("{config:?}"), format!("{:?}", house.rendezvous())] {
            assert!(text.contains("tokens: Some([redacted])"), "{text}");
            assert!(!text.contains("0123456789"), "{text}");
        }
    });
}

#[test]
fn tokens_that_cannot_be_used_are_refused_by_their_ids() {
    let problem = |tokens: &[(&str, &str)]| {
        let error = Tokens::new(tokens.iter().copied()).unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("the token of {:?}: ", error.id)),
            "{message}"
        );
        for (_, token) in tokens {
            assert!(token.is_empty() || !message.contains(token), "{message}");
        }
        (error.id, error.problem)
    };
    let bad = |id: &str, rule| (id.to_owned(), TokenProblem::Id(rule));
    assert_eq!(problem(&[("", ALICES)]), bad("", NameError::Empty));
    assert_eq!(
        problem(&[("alice", ALICES), ("#bob", BOBS)]),
        bad("#bob", NameError::RoomMark('#'))
    );
    for twin in ["alice", "ALICE", "\u{ff41}lice"] {
        let twice = problem(&[("alice", ALICES), (twin, BOBS)]);
        assert_eq!(twice, (twin.to_owned(), TokenProblem::Twice));
    }
    for short in ["", "012345678901234", &"é".repeat(15)] {
        let characters = short.chars().count();
        let too_short = TokenProblem::TooShort { characters };
        assert_eq!(problem(&[("bob", short)]), ("bob".to_owned(), too_short));
    }
    for space in [" ", "\n", "\t", "\u{a0}", "\u{3000}"] {
        for token in [format!("{BOBS}{space}"), format!("{space}{BOBS}")] {
            let edge = problem(&[("bob", &token)]);
            assert_eq!(edge, ("bob".to_owned(), TokenProblem::EdgeSpace));
        }
    }
    let longest = "a".repeat(MAX_TOKEN_BYTES);
    let too_long = TokenProblem::TooLong { bytes: 1_025 };
    assert_eq!(
        problem(&[("bob", &format!("{longest}a"))]),
        ("bob".to_owned(), too_long)
    );
    let fine = [
        ("bob", "0123 5678 0123 5"),
        ("alice", &longest),
        ("carol", &"é".repeat(16)),
    ];
    assert_eq!(Tokens::new(fine).unwrap().len(), 3);
}

#[test]
fn the_longest_token_is_short_enough_for_a_login() {
    run(async {
        let longest = "\"".repeat(MAX_TOKEN_BYTES);
        let house = keyed(|config| config.tokens = Tokens::new([("alice", &longest)]).ok()).await;
        assert_eq!(house.tries("alice", &longest, None).await, Ok(()));
    });
}
