//! From an address to a link that stands: whether it is encrypted, and to whom it may be.
//!
//! Knows keys and their files; must not know what travels on the link.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
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
    /// A variable asks for a plain link to a server whose key is known.
    PlainByVariable,
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
            Self::PlainByVariable => "usage",
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
/// be encrypted. Tells its user at once what is to be known, such as keys that are new. May be
/// cancelled.
pub(super) async fn open(
    server: &str,
    security: &Security,
    tell: &mut impl FnMut(&str),
) -> Result<Link, NoLink> {
    let known = Known::of(server, security).await?;
    let asked = &security.asked;
    let protection = protection(asked.link, &known, server);
    if let (Encryption::Plain, Known::Pinned { file, line, .. }) = (protection, &known) {
        let place = format!("line {line} of {}", file.display());
        if asked.by_variable {
            let reason = format!(
                "RENDEZVOUS_LINK asks for a plain link, which proves no key, and {place} has the \
                 server's key: unset the variable, or give --link plain to do without that key"
            );
            return Err(NoLink::new(Cause::PlainByVariable, server, reason));
        }
        tell(&format!(
            "the key of {server} in {place} is not used: on a plain link no server proves who it \
             is, and whoever sees the network can read and change all"
        ));
    }
    let stream = TcpStream::connect(server).await;
    let stream = stream.map_err(|error| NoLink::io(server, &error))?;
    match protection {
        Encryption::Encrypted => encrypted(server, security, stream, known, tell).await,
        Encryption::Plain => {
            let link = Link::open(stream, Plain).await;
            link.map_err(|error| unopened(server, &known, error))
        }
    }
}

/// Whether a link is encrypted. Without being asked for, a plain one leads to this machine alone, and
/// to no server whose key is known.
fn protection(asked: Option<Encryption>, known: &Known, server: &str) -> Encryption {
    asked.unwrap_or(if is_here(server) && *known == Known::Nothing {
        Encryption::Plain
    } else {
        Encryption::Encrypted
    })
}

/// Whether what was typed is this machine, wherever names lead: whoever answers for names must not
/// decide what is encrypted.
fn is_here(server: &str) -> bool {
    match server.parse::<SocketAddr>() {
        Ok(address) => address.ip().to_canonical().is_loopback(),
        Err(_) => server
            .rsplit_once(':')
            .is_some_and(|(host, _)| host.eq_ignore_ascii_case("localhost")),
    }
}

async fn encrypted(
    server: &str,
    security: &Security,
    stream: TcpStream,
    known: Known,
    tell: &mut impl FnMut(&str),
) -> Result<Link, NoLink> {
    let hosts = match known {
        Known::Nothing => Some(security.known_hosts().map_err(NoLink::known_hosts)?),
        Known::Told(_) | Known::Pinned { .. } => None,
    };
    let own_file = |error| NoLink::file(Unusable::key(&error, "--identity"));
    let path = security.identity().map_err(own_file)?;
    let file = path.clone();
    let own = in_files(move || SecretKey::from_file_or_new(path)).await;
    let (own, is_new) = own.map_err(own_file)?;
    if is_new {
        tell(&format!(
            "servers know you by a new key from now on: it is in {}, keep that file",
            file.display()
        ));
    }
    let failed = |error| unopened(server, &known, error);
    let codec = Noise::client(Suite::fastest(), &own, known.key());
    let codec = codec.map_err(|error| failed(error.into()))?;
    let link = Link::open(stream, codec).await.map_err(failed)?;
    if let (Some(hosts), Some(key)) = (hosts, link.server().key()) {
        let file = hosts.path().to_owned();
        let name = server.name();
        let pinned = in_files(move || hosts.pin(&name, key)).await;
        let pinned = pinned.map_err(NoLink::known_hosts)?;
        if pinned.key != key {
            // Another program was faster, and met another server.
            let known = Known::Pinned {
                key: pinned.key,
                file,
                line: pinned.line,
            };
            return Err(other_key(server, &known, pinned.key, key));
        }
        tell(&format!(
            "the key of {server} is {key}: {} remembers it, and no other is taken there from now \
             on; compare it with the one that the server prints at its start",
            file.display()
        ));
    }
    Ok(link)
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
                "it takes plain links only: --link plain makes one, which whoever sees the \
                 network can read and change"
            } else {
                "it takes plain links only, or somebody in between says so, though its key is \
                 known: ask its operator before you use --link plain"
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
        let reason = format!("{error}, and give it as --server-key");
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
    use crate::cli::client::target;

    #[test]
    fn a_link_is_plain_where_this_machine_is_typed_or_it_is_asked_for() {
        let key = PublicKey::from_bytes([1; 32]);
        let pinned = || Known::Pinned {
            key,
            file: PathBuf::new(),
            line: 1,
        };
        let wanted = |asked, known: Known, server: &str| {
            let server = target::parse(server).unwrap();
            protection(asked, &known, &server)
        };
        let (plain, encrypted) = (Encryption::Plain, Encryption::Encrypted);
        for inside in [
            "127.0.0.1",
            "127.9.9.9:1",
            "::1",
            "[::ffff:127.0.0.1]:1",
            "localhost",
            "LocalHost:1",
        ] {
            assert_eq!(wanted(None, Known::Nothing, inside), plain, "{inside}");
            assert_eq!(wanted(None, pinned(), inside), encrypted);
            assert_eq!(wanted(None, Known::Told(key), inside), encrypted);
            assert_eq!(wanted(Some(encrypted), Known::Nothing, inside), encrypted);
        }
        for outside in [
            "192.168.0.1",
            "fe80::1",
            "::ffff:192.168.0.1",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "127.1",
        ] {
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
