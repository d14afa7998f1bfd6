//! How a client opens an encrypted link: whom it trusts, and by which key it is known itself.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_blocking;

use super::connect::ConnectError;
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

/// A server's key that is pinned, or is to be.
struct Pin {
    hosts: KnownHosts,
    name: String,
    pinned: Option<PinnedKey>,
}

impl Security {
    /// Whether anything was asked for that only encrypted links have.
    pub(super) fn is_meant(&self) -> bool {
        self.identity.is_some() || self.known_hosts.is_some() || self.suite.is_some()
    }

    /// Shakes hands with the server that is known as `name`; one without a name is never pinned.
    pub(super) async fn open<IO>(
        self,
        io: &mut IO,
        trust: Trust,
        name: Option<String>,
    ) -> Result<Opened, ConnectError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let suite = self.suite.unwrap_or_else(Suite::fastest);
        let (identity, pin) = in_files(move || {
            let identity = match self.identity {
                Some(identity) => identity,
                None => SecretKey::from_file_or_new(client_key_file()?)?.0,
            };
            let pin = match (trust, name) {
                (Trust::FirstUse, Some(name)) => Some(Pin::find(self.known_hosts, name)?),
                _ => None,
            };
            Ok((identity, pin))
        })
        .await?;
        let expected = match trust {
            Trust::Key(key) => Some(key),
            Trust::FirstUse => pin.as_ref().and_then(Pin::key),
        };
        let codec = Noise::client(suite, &identity, expected).map_err(ConnectError::Codec)?;
        match (open(io, Box::new(codec), BytesMut::new()).await, pin) {
            (Ok(opened), Some(pin)) => {
                if let (None, Some(key)) = (pin.pinned, opened.codec.peer().key()) {
                    in_files(move || pin.hosts.pin(&pin.name, key)).await?;
                }
                Ok(opened)
            }
            (Ok(opened), None) => Ok(opened),
            (Err(Unopened::Codec(CodecError::WrongKey { found, .. })), Some(pin)) => {
                Err(pin.changed(found))
            }
            (Err(unopened), _) => Err(unopened.into()),
        }
    }
}

impl Pin {
    fn find(hosts: Option<KnownHosts>, name: String) -> Result<Self, KeyFileError> {
        let hosts = match hosts {
            Some(hosts) => hosts,
            None => KnownHosts::of_user()?,
        };
        let pinned = hosts.find(&name)?;
        Ok(Self {
            hosts,
            name,
            pinned,
        })
    }

    fn key(&self) -> Option<PublicKey> {
        self.pinned.map(|pinned| pinned.key)
    }

    fn changed(self, found: PublicKey) -> ConnectError {
        match self.pinned {
            Some(PinnedKey { key, line }) => ConnectError::KeyChanged {
                server: self.name,
                pinned: key,
                found,
                file: self.hosts.path().to_owned(),
                line,
            },
            None => ConnectError::Codec(CodecError::WrongKey {
                expected: found,
                found,
            }),
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
