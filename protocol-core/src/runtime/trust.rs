//! How a client opens an encrypted link: whom it trusts, and by which key it is known itself.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_blocking;

use super::connect_error::ConnectError;
use super::keys::{KeyFileError, KnownHosts, PinnedKey, client_key_file};
use super::opening::{Opened, Unopened, open};
use crate::codec::{CodecError, Noise, PublicKey, SecretKey, Suite};

/// Which server a client takes for the one that it means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trust {
    /// The one that holds this key.
    Key(PublicKey),
    /// The one that holds the pinned key, or, where none is pinned, the first one.
    FirstUse,
}

/// What a client asked for; what it left open is this user's own.
#[derive(Debug, Clone, Default)]
pub(super) struct Security {
    pub(super) trust: Option<Trust>,
    pub(super) identity: Option<SecretKey>,
    pub(super) known_hosts: Option<KnownHosts>,
    pub(super) suite: Option<Suite>,
}

/// All that a handshake needs.
pub(super) struct Prepared {
    suite: Suite,
    identity: SecretKey,
    server: Server,
}

/// What is known of the server.
enum Server {
    Known(PublicKey),
    Pinned(Host, PinnedKey),
    /// Its key is to be pinned.
    New(Host),
    /// It has no name to pin a key under.
    Nameless,
}

/// A place for a server's key.
struct Host {
    hosts: KnownHosts,
    name: String,
}

impl Security {
    /// Reads what is needed for a link to the server that is known as `name`; none where the link is
    /// to be plain.
    pub(super) async fn prepare(
        self,
        name: Option<String>,
    ) -> Result<Option<Prepared>, ConnectError> {
        let Some(trust) = self.trust else {
            let is_meant =
                self.identity.is_some() || self.known_hosts.is_some() || self.suite.is_some();
            return if is_meant {
                Err(ConnectError::NotEncrypted)
            } else {
                Ok(None)
            };
        };
        let prepared = in_files(move || {
            let identity = match self.identity {
                Some(identity) => identity,
                None => own_key()?,
            };
            let server = match (trust, name) {
                (Trust::Key(key), _) => Server::Known(key),
                (Trust::FirstUse, None) => Server::Nameless,
                (Trust::FirstUse, Some(name)) => find(self.known_hosts, name)?,
            };
            Ok(Prepared {
                suite: self.suite.unwrap_or_else(Suite::fastest),
                identity,
                server,
            })
        });
        prepared.await.map(Some)
    }
}

impl Prepared {
    /// Shakes hands with the server.
    pub(super) async fn open<IO>(self, io: &mut IO) -> Result<Opened, ConnectError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let expected = match &self.server {
            Server::Known(key) => Some(*key),
            Server::Pinned(_, pinned) => Some(pinned.key),
            Server::New(_) | Server::Nameless => None,
        };
        let codec = Noise::client(self.suite, &self.identity, expected);
        let codec = Box::new(codec.map_err(ConnectError::Codec)?);
        let opened = match (open(io, codec, None).await, &self.server) {
            (
                Err(Unopened::Codec(CodecError::WrongKey { found, .. })),
                Server::Pinned(host, pinned),
            ) => {
                return Err(host.changed(*pinned, found));
            }
            (opened, _) => opened?,
        };
        if let (Server::New(host), Some(found)) = (self.server, opened.codec.peer().key()) {
            in_files(move || {
                host.hosts
                    .pin(&host.name, found)
                    .map(|pinned| (host, pinned))
            })
            .await
            .and_then(|(host, pinned)| {
                // Another program may have met another server meanwhile.
                if pinned.key == found {
                    Ok(())
                } else {
                    Err(host.changed(pinned, found))
                }
            })?;
        }
        Ok(opened)
    }
}

/// This user's own key, made the first time.
fn own_key() -> Result<SecretKey, KeyFileError> {
    let file = client_key_file()?;
    let (key, is_new) = SecretKey::from_file_or_new(&file)?;
    if is_new {
        tracing::info!(?file, public_key = %key.public(), "made a key for this user");
    }
    Ok(key)
}

fn find(hosts: Option<KnownHosts>, name: String) -> Result<Server, KeyFileError> {
    let hosts = match hosts {
        Some(hosts) => hosts,
        None => KnownHosts::of_user()?,
    };
    let pinned = hosts.find(&name)?;
    let host = Host { hosts, name };
    Ok(match pinned {
        Some(pinned) => Server::Pinned(host, pinned),
        None => Server::New(host),
    })
}

impl Host {
    fn changed(&self, pinned: PinnedKey, found: PublicKey) -> ConnectError {
        ConnectError::KeyChanged {
            server: self.name.clone(),
            pinned: pinned.key,
            found,
            file: self.hosts.path().to_owned(),
            line: pinned.line,
        }
    }
}

/// Works with files off the threads that serve connections.
async fn in_files<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyFileError> + Send + 'static,
) -> Result<T, ConnectError> {
    match spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(ended) => Err(std::io::Error::other(ended).into()),
    }
}

impl From<Unopened> for ConnectError {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::Io(error) => Self::Io(error),
            Unopened::Codec(error) => Self::Codec(error),
            Unopened::Refused(word) => Self::Refused(word),
        }
    }
}
