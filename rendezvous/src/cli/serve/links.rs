//! The flags of `serve` about encryption: which links are taken, and the key that proves the server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use protocol_core::{Encryption, PublicKey, SecretKey, ServerLimits};

use crate::cli::key_file::{Unusable, bindings_beside, of_server};
use crate::cli::values;

#[derive(Debug, Args)]
pub(super) struct Links {
    /// Which links are taken [default: both on loopback addresses, encrypted on others]
    #[arg(
        long,
        env = "RENDEZVOUS_ENCRYPTION",
        value_name = "LINKS",
        help_heading = "Encryption"
    )]
    encryption: Option<Taken>,

    /// The file of the server's secret key, made at the first start. Which client's key an id belongs
    /// to is kept beside it, in FILE.bindings. With --encryption plain neither is used [default:
    /// server.key in the user's folder for configuration, such as ~/.config/rendezvous]
    #[arg(
        long,
        env = "RENDEZVOUS_KEY_FILE",
        value_name = "FILE",
        help_heading = "Encryption"
    )]
    key_file: Option<PathBuf>,

    /// How long a connection may take to show what it is and, if it is encrypted, to shake hands; no
    /// longer than --login-timeout
    #[arg(
        long,
        env = "RENDEZVOUS_HANDSHAKE_TIMEOUT",
        value_name = "TIME",
        default_value = "5s",
        value_parser = values::time_above_zero,
        help_heading = "Encryption"
    )]
    handshake_timeout: Duration,

    /// Handshakes whose keys are computed at once, so that open connections have the other cores;
    /// further ones wait [default: half of the cores]
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_HANDSHAKES",
        value_name = "N",
        value_parser = values::count_above_zero,
        help_heading = "Encryption"
    )]
    max_handshakes: Option<u32>,

    /// Those of one IP address that are computed or wait among all; further ones wait behind their
    /// own. Loopback has no limit
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_HANDSHAKES_PER_ADDRESS",
        value_name = "N",
        default_value = "8",
        value_parser = values::count_above_zero,
        help_heading = "Encryption"
    )]
    max_handshakes_per_address: u32,
}

/// Which links are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Taken {
    /// Plain ones only: whoever sees the network reads them, and ids are claims.
    Plain,
    /// Encrypted ones only: ids are bound to the keys of their clients.
    Encrypted,
    /// Both, on one port.
    Both,
}

/// The key that a server proves itself by.
#[derive(Debug)]
pub(super) struct ServerKey {
    pub(super) path: PathBuf,
    pub(super) public: PublicKey,
    /// Whether it was made just now.
    pub(super) is_new: bool,
}

impl ServerKey {
    /// Where it is kept which id belongs to which client's key.
    pub(super) fn bindings(&self) -> PathBuf {
        bindings_beside(&self.path)
    }
}

impl Links {
    /// Which links are taken on `address`.
    pub(super) fn taken(&self, address: SocketAddr) -> Taken {
        self.encryption.unwrap_or(if is_exposed(address) {
            Taken::Encrypted
        } else {
            Taken::Both
        })
    }

    /// What a server on `address` needs for the links that it takes: its key, which is read or made,
    /// unless they are all plain.
    pub(super) fn open(
        &self,
        address: SocketAddr,
    ) -> Result<(Encryption, Option<ServerKey>), Unusable> {
        let of = match self.taken(address) {
            Taken::Plain => return Ok((Encryption::Plain, None)),
            Taken::Encrypted => Encryption::Encrypted,
            Taken::Both => Encryption::Both,
        };
        let path = of_server(self.key_file.as_ref())?;
        let (secret, is_new) = SecretKey::from_file_or_new(&path)?;
        let key = ServerKey {
            path,
            public: secret.public(),
            is_new,
        };
        Ok((of(secret), Some(key)))
    }

    /// Sets the limits that the flags ask for, of which login has set some.
    pub(super) fn limit(&self, limits: &mut ServerLimits, login_timeout: Duration) {
        if let Some(handshakes) = self.max_handshakes {
            limits.handshakes = handshakes as usize;
        }
        limits.handshakes_an_address = self.max_handshakes_per_address as usize;
        limits.connection.handshake_timeout = self.handshake_timeout.min(login_timeout);
    }
}

/// Whether other machines may reach `address`.
pub(super) fn is_exposed(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        links: Links,
    }

    fn links(flags: &[&str]) -> Links {
        let args = ["serve"].iter().chain(flags);
        Program::try_parse_from(args).unwrap().links
    }

    const INSIDE: [&str; 4] = [
        "127.0.0.1:1",
        "127.9.9.9:1",
        "[::1]:1",
        "[::ffff:127.0.0.1]:1",
    ];
    const OUTSIDE: [&str; 4] = ["0.0.0.0:1", "[::]:1", "192.168.0.1:1", "[fe80::1]:1"];

    #[test]
    fn plain_links_are_taken_on_loopback_or_by_name() {
        let taken = |flags: &[&str], address: &str| links(flags).taken(address.parse().unwrap());
        for inside in INSIDE {
            assert_eq!(taken(&[], inside), Taken::Both, "{inside}");
        }
        for outside in OUTSIDE {
            assert_eq!(taken(&[], outside), Taken::Encrypted, "{outside}");
        }
        for address in INSIDE.into_iter().chain(OUTSIDE) {
            for (name, expected) in [
                ("plain", Taken::Plain),
                ("encrypted", Taken::Encrypted),
                ("both", Taken::Both),
            ] {
                assert_eq!(taken(&["--encryption", name], address), expected);
            }
        }
    }

    #[test]
    fn plain_links_need_no_key() {
        let flags = ["--encryption=plain", "--key-file=/nowhere/at/all"];
        let (encryption, key) = links(&flags).open("0.0.0.0:1".parse().unwrap()).unwrap();
        assert!(matches!(encryption, Encryption::Plain));
        assert!(key.is_none());
    }

    #[test]
    fn bindings_are_beside_the_key_whatever_its_name_is() {
        for (key, bindings) in [
            ("keys/server.key", "keys/server.key.bindings"),
            ("x.bindings", "x.bindings.bindings"),
        ] {
            let key = ServerKey {
                path: key.into(),
                public: PublicKey::from_bytes([1; 32]),
                is_new: false,
            };
            assert_eq!(key.bindings(), Path::new(bindings));
        }
    }
}
