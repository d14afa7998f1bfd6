//! From an address to a link that stands: whether it is encrypted, and to whom it may be.
//!
//! Knows keys and their files; must not know what travels on the link.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::path::PathBuf;

use protocol_core::codec::{CodecError, Noise, Plain, Suite};
use protocol_core::keys::{KeyFileError, PinnedKey};
use protocol_core::wire::ErrorCode;
use protocol_core::{ConnectError, PublicKey, SecretKey, ServerAddress};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

use super::link::{Link, LinkError};
use super::security::{Encryption, Security};
use crate::cli::key_file::Unusable;

/// A link that stands.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) link: Link,
    /// What its user should know: keys that are new.
    pub(super) news: Vec<String>,
}

/// Why there is no link, with what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoLink {
    pub(super) cause: Cause,
    pub(super) reason: String,
}

/// What stands in the way of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nobody answers, or not as a server does.
    Unreachable,
    /// The server does not hold the key that it should.
    OtherKey,
    /// The server takes plain links only.
    EncryptionRefused,
    /// A file of keys cannot be used.
    KeyFile,
}

impl Cause {
    /// As programs are told.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "cannot_connect",
            Self::OtherKey => "other_key",
            Self::EncryptionRefused => ErrorCode::EncryptionRefused.as_str(),
            Self::KeyFile => "key_file",
        }
    }
}

impl NoLink {
    pub(super) fn new(cause: Cause, server: &str, reason: impl std::fmt::Display) -> Self {
        Self {
            cause,
            reason: format!("cannot connect to {server}: {reason}"),
        }
    }

    fn io(server: &str, error: &io::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::ConnectionRefused => {
                "nobody listens there: start a server with `rendezvous serve`, or check the address"
                    .to_owned()
            }
            ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                format!("{error}: check the address and the network")
            }
            _ => format!("{error}: check the address"),
        };
        Self::new(Cause::Unreachable, server, reason)
    }

    fn file(Unusable(reason): Unusable) -> Self {
        let cause = Cause::KeyFile;
        Self { cause, reason }
    }

    fn known_hosts(error: KeyFileError) -> Self {
        let problem = match error {
            KeyFileError::NoFolder => "no folder for configuration is known: set HOME".to_owned(),
            error => format!("{error}: mend it"),
        };
        let fix = "or name another file with --known-hosts";
        Self::file(Unusable(format!("{problem}, {fix}")))
    }
}

/// What is known of the server's key before there is a link.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// Whoever calls the program says which it is.
    Told(PublicKey),
    /// The one that was met first, by a line of a file.
    Pinned {
        key: PublicKey,
        file: PathBuf,
        line: usize,
    },
    Nothing,
}

impl Known {
    async fn of(server: &str, security: &Security) -> Result<Self, NoLink> {
        if let Some(key) = security.server_key {
            return Ok(Self::Told(key));
        }
        if security.encryption == Some(Encryption::Plain) {
            return Ok(Self::Nothing);
        }
        let hosts = match security.known_hosts() {
            // Without a folder nothing can have been remembered.
            Err(KeyFileError::NoFolder) => return Ok(Self::Nothing),
            hosts => hosts.map_err(NoLink::known_hosts)?,
        };
        let (name, file) = (server.name(), hosts.path().to_owned());
        let pinned = in_files(move || hosts.find(&name)).await;
        let pinned = pinned.map_err(NoLink::known_hosts)?;
        Ok(
            pinned.map_or(Self::Nothing, |PinnedKey { key, line, .. }| Self::Pinned {
                key,
                file,
                line,
            }),
        )
    }

    fn key(&self) -> Option<PublicKey> {
        match self {
            Self::Told(key) | Self::Pinned { key, .. } => Some(*key),
            Self::Nothing => None,
        }
    }
}

/// Connects to `server`, a host and a port as they were typed, and shakes hands where the link is to
/// be encrypted. May be cancelled.
pub(super) async fn open(server: &str, security: &Security) -> Result<Opened, NoLink> {
    let known = Known::of(server, security).await?;
    let io = |error| NoLink::io(server, &error);
    let stream = TcpStream::connect(server).await.map_err(io)?;
    let address = stream.peer_addr().map_err(io)?.ip();
    if protection(security.encryption, &known, address) == Encryption::Encrypted {
        return encrypted(server, security, stream, known).await;
    }
    let link = Link::open(stream, Plain).await;
    Ok(Opened {
        link: link.map_err(|error| unopened(server, &known, error))?,
        news: Vec::new(),
    })
}

/// Whether a link is encrypted. One to a server whose key is known is not plain by itself, wherever
/// the server's name leads.
fn protection(asked: Option<Encryption>, known: &Known, address: IpAddr) -> Encryption {
    let is_here = address.to_canonical().is_loopback();
    asked.unwrap_or(if is_here && *known == Known::Nothing {
        Encryption::Plain
    } else {
        Encryption::Encrypted
    })
}

async fn encrypted(
    server: &str,
    security: &Security,
    stream: TcpStream,
    known: Known,
) -> Result<Opened, NoLink> {
    let hosts = match known {
        Known::Nothing => Some(security.known_hosts().map_err(NoLink::known_hosts)?),
        Known::Told(_) | Known::Pinned { .. } => None,
    };
    let own_file = |error: KeyFileError| NoLink::file(error.into());
    let path = security.key_file().map_err(own_file)?;
    let file = path.clone();
    let own = in_files(move || SecretKey::from_file_or_new(path)).await;
    let (own, is_new) = own.map_err(own_file)?;
    let failed = |error| unopened(server, &known, error);
    let codec = Noise::client(Suite::fastest(), &own, known.key());
    let codec = codec.map_err(|error| failed(error.into()))?;
    let link = Link::open(stream, codec).await.map_err(failed)?;
    let mut news = Vec::new();
    if is_new {
        news.push(format!(
            "servers know you by a new key from now on: it is in {}, keep that file",
            file.display()
        ));
    }
    if let (Some(hosts), Some(key)) = (hosts, link.server().key()) {
        let file = hosts.path().to_owned();
        let name = server.name();
        let pinned = in_files(move || hosts.pin(&name, key)).await;
        pinned.map_err(NoLink::known_hosts)?;
        news.push(format!(
            "the key of {server} is {key}: {} remembers it, and no other is taken there from now \
             on; compare it with the one that the server prints at its start",
            file.display()
        ));
    }
    Ok(Opened { link, news })
}

/// Works with files on a thread of its own, so that a slow disk holds up no signal.
async fn in_files<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyFileError> + Send + 'static,
) -> Result<T, KeyFileError> {
    let done = spawn_blocking(work).await;
    // Nobody cancels it.
    done.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
}

/// Why a connected socket became no link.
fn unopened(server: &str, known: &Known, error: LinkError) -> NoLink {
    let unreachable = |reason: String| NoLink::new(Cause::Unreachable, server, reason);
    match error {
        LinkError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => unreachable(
            "the link ended in the middle of the handshake: check that a server listens there that \
             takes encrypted links"
                .to_owned(),
        ),
        LinkError::Io(error) => NoLink::io(server, &error),
        LinkError::Codec(CodecError::WrongKey { expected, found }) => {
            other_key(server, known, expected, found)
        }
        LinkError::Refused(word) if word.standard() == Some(ErrorCode::EncryptionRefused) => {
            let reason = if *known == Known::Nothing {
                "it takes plain links only: --encryption plain makes one, which whoever sees the \
                 network can read and change"
            } else {
                "it takes plain links only, or somebody in between says so, though its key is \
                 known: ask its operator before you use --encryption plain"
            };
            NoLink::new(Cause::EncryptionRefused, server, reason)
        }
        error => unreachable(error.to_string()),
    }
}

/// The server holds another key than the one that is known of it.
fn other_key(server: &str, known: &Known, expected: PublicKey, found: PublicKey) -> NoLink {
    let Known::Pinned { line, file, .. } = known else {
        let error = CodecError::WrongKey { expected, found };
        let reason = format!("{error}; ask its operator which to give as --server-key");
        return NoLink::new(Cause::OtherKey, server, reason);
    };
    let changed = ConnectError::KeyChanged {
        server: server.to_owned(),
        pinned: expected,
        found,
        file: file.clone(),
        line: *line,
    };
    NoLink {
        cause: Cause::OtherKey,
        reason: changed.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_plain_on_loopback_or_by_name() {
        let key = PublicKey::from_bytes([1; 32]);
        let pinned = || Known::Pinned {
            key,
            file: PathBuf::new(),
            line: 1,
        };
        let wanted = |asked, known: Known, address: &str| {
            let address = address.parse().unwrap();
            protection(asked, &known, address)
        };
        let (plain, encrypted) = (Encryption::Plain, Encryption::Encrypted);
        for inside in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(wanted(None, Known::Nothing, inside), plain, "{inside}");
            assert_eq!(wanted(None, pinned(), inside), encrypted);
            assert_eq!(wanted(None, Known::Told(key), inside), encrypted);
            assert_eq!(wanted(Some(encrypted), Known::Nothing, inside), encrypted);
        }
        for outside in ["192.168.0.1", "fe80::1", "::ffff:192.168.0.1"] {
            assert_eq!(wanted(None, Known::Nothing, outside), encrypted);
            assert_eq!(wanted(Some(plain), Known::Nothing, outside), plain);
        }
    }

    #[test]
    fn nobody_who_listens_is_a_reason_with_a_fix() {
        let refused = NoLink::io("127.0.0.1:1", &ErrorKind::ConnectionRefused.into());
        let expected = "cannot connect to 127.0.0.1:1: nobody listens there";
        assert!(refused.reason.starts_with(expected), "{}", refused.reason);
        assert!(refused.reason.contains("`rendezvous serve`"));
    }
}
