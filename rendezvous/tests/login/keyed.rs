//! A house that takes plain and encrypted links, its guests with keys, and files of bindings.

use std::fs;
use std::path::{Path, PathBuf};

use protocol_core::{Client, Encryption, Inbox, PublicKey, RequestError, SecretKey, ignore, inbox};
use rendezvous::events::{LogIn, LogOut, LoggedIn, LoginError};
use rendezvous::{Bindings, Config, LoginExt, Rendezvous, SessionNews, Tokens};

use crate::house::{Guest, House, Open, Porter};
use crate::peer::Peer;

pub(crate) struct Keyed {
    pub(crate) open: Open,
    key: PublicKey,
}

/// A house that keeps its bindings in memory.
pub(crate) async fn keyed(change: impl FnOnce(&mut Config)) -> Keyed {
    keyed_with(Bindings::in_memory(), change).await
}

pub(crate) async fn keyed_with(bindings: Bindings, change: impl FnOnce(&mut Config)) -> Keyed {
    let mut config = Config::default();
    config.login_failures = 0;
    change(&mut config);
    let rendezvous = Rendezvous::with_bindings(config, bindings);
    let (observer, notices) = protocol_tests::notices();
    let secret = secret();
    let key = secret.public();
    let server = rendezvous
        .bind("127.0.0.1:0")
        .encryption(Encryption::Both(secret))
        .observe(observer)
        .handle((Porter, rendezvous.clone()))
        .await
        .unwrap();
    let open = Open {
        server,
        rendezvous,
        notices,
    };
    Keyed { open, key }
}

pub(crate) fn secret() -> SecretKey {
    SecretKey::generate().unwrap()
}

pub(crate) type Outcome = Result<LoggedIn, LoginError>;

impl Keyed {
    pub(crate) fn rendezvous(&self) -> &Rendezvous {
        &self.open.rendezvous
    }

    /// A client on an encrypted link.
    pub(crate) async fn guest(&self, key: &SecretKey) -> Client<House> {
        Client::connect(self.open.address())
            .encrypted(self.key)
            .identity(key.clone())
            .handle((ignore::<SessionNews>(), Guest))
            .await
            .unwrap()
    }

    /// A client on an encrypted link, and what the server tells it of its session.
    pub(crate) async fn listener(&self, key: &SecretKey) -> (Client<House>, Inbox<SessionNews>) {
        let (news, heard) = inbox(16);
        let connect = Client::connect(self.open.address())
            .encrypted(self.key)
            .identity(key.clone());
        (connect.handle((Guest, news)).await.unwrap(), heard)
    }

    /// A client on a plain link.
    pub(crate) async fn plain_guest(&self) -> Client<House> {
        let connect = Client::connect(self.open.address());
        let handlers = (ignore::<SessionNews>(), Guest);
        connect.handle(handlers).await.unwrap()
    }

    /// Logs in by an encrypted link, or a plain one, and out again.
    pub(crate) async fn visit(&self, login: LogIn, key: Option<&SecretKey>) -> Outcome {
        let client = match key {
            Some(key) => self.guest(key).await,
            None => self.plain_guest().await,
        };
        let outcome = log_in_with(&client, login).await;
        if outcome.is_ok() {
            client.request(LogOut {}).await.unwrap();
        }
        outcome
    }

    /// Expects a [`visit`](Self::visit) to be let in.
    pub(crate) async fn lets_in(&self, id: &str, key: Option<&SecretKey>) {
        let outcome = self.visit(LogIn::new(id), key).await;
        assert!(outcome.is_ok(), "{id:?}: {outcome:?}");
    }

    /// Expects a [`visit`](Self::visit) to be refused since the id is taken.
    pub(crate) async fn keeps_out(&self, id: &str, key: Option<&SecretKey>) {
        let outcome = self.visit(LogIn::new(id), key).await;
        assert_eq!(outcome.unwrap_err(), LoginError::IdTaken, "{id:?}");
    }

    /// The key that an id is bound to.
    pub(crate) fn key_of(&self, id: &str) -> Option<PublicKey> {
        let id = protocol_core::PeerId::new(id).unwrap();
        self.rendezvous().key_of(&id)
    }

    /// A bare link without encryption.
    pub(crate) async fn peer(&self) -> Peer {
        Peer::connect(self.open.address()).await
    }

    /// Stops, so that the file of bindings is free.
    pub(crate) async fn stop(self) {
        assert!(self.open.shut_down().await);
    }
}

/// Logs in and stays.
pub(crate) async fn log_in(client: &Client<House>, id: &str) -> Outcome {
    log_in_with(client, LogIn::new(id)).await
}

pub(crate) async fn log_in_with(client: &Client<House>, login: LogIn) -> Outcome {
    let outcome = client.login_with(login).await;
    outcome.map_err(|error| match error {
        RequestError::Refused(error) => error,
        error => panic!("{error:?}"),
    })
}

/// What `alice` was given by the operator.
pub(crate) const ALICES: &str = "alice-0123456789";
/// What `bob` was given.
pub(crate) const BOBS: &str = "bob-0123456789ab";

/// What `carol` was given.
pub(crate) const CAROLS: &str = "carol-0123456789";

pub(crate) fn tokens() -> Tokens {
    Tokens::new([("Alice", ALICES), ("bob", BOBS), ("carol", CAROLS)]).unwrap()
}

/// A file of bindings in an empty folder of the test's own.
pub(crate) fn file(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bindings-{test}"));
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => fs::create_dir_all(&folder).unwrap(),
    }
    folder.join("server.bindings")
}

/// The lines of a file behind its first.
pub(crate) fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.ends_with('\n'), "{text:?}");
    let mut lines = text.lines().map(str::to_owned);
    assert_eq!(lines.next().unwrap(), HEADER);
    lines.collect()
}

pub(crate) const HEADER: &str = "rendezvous bindings 1";

/// Today, counted as in the file.
pub(crate) fn today() -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    since.as_secs() / 86_400
}
