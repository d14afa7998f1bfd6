//! The kinds of links that one suite of laws holds for.

use protocol_core::codec::{Accept, Codec, Encryption, Noise, PeerIdentity, Plain, Suite};
use protocol_core::{PublicKey, SecretKey};

use crate::end::{End, Link};

/// Both suites of ciphers.
pub(crate) const SUITES: [Suite; 2] = [Suite::ChaChaPoly, Suite::AesGcm];

/// The secrets of the two ends.
pub(crate) const CLIENT_SECRET: [u8; 32] = [0xc1; 32];
pub(crate) const SERVER_SECRET: [u8; 32] = [0x5e; 32];

pub(crate) fn client_key() -> SecretKey {
    SecretKey::from_bytes(CLIENT_SECRET)
}

pub(crate) fn server_key() -> SecretKey {
    SecretKey::from_bytes(SERVER_SECRET)
}

/// A client's end that goes on with the server's key only.
pub(crate) fn client(suite: Suite) -> End {
    client_expecting(suite, Some(server_key().public()))
}

/// A client's end that goes on with the expected key only.
pub(crate) fn client_expecting(suite: Suite, expected: Option<PublicKey>) -> End {
    let noise = Noise::client(suite, &client_key(), expected).unwrap();
    End::new(Box::new(noise))
}

/// A server's end.
pub(crate) fn accept(encryption: Encryption) -> End {
    End::new(Box::new(Accept::new(encryption)))
}

/// A server's end that takes encrypted links only.
pub(crate) fn server() -> End {
    accept(Encryption::Encrypted(server_key()))
}

/// How the two ends of a link are made: the client's is the left one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Plain at both ends.
    Plain,
    /// Plain at a server that takes nothing else.
    PlainAtPlain,
    /// Plain at a server that takes both.
    PlainAtBoth,
    /// Encrypted at a server that takes nothing else.
    Encrypted(Suite),
    /// Encrypted at a server that takes both.
    EncryptedAtBoth(Suite),
}

impl Kind {
    pub(crate) fn is_encrypted(self) -> bool {
        matches!(self, Self::Encrypted(_) | Self::EncryptedAtBoth(_))
    }

    fn client(self) -> Box<dyn Codec> {
        match self {
            Self::Plain | Self::PlainAtPlain | Self::PlainAtBoth => Box::new(Plain),
            Self::Encrypted(suite) | Self::EncryptedAtBoth(suite) => {
                let expected = Some(server_key().public());
                Box::new(Noise::client(suite, &client_key(), expected).unwrap())
            }
        }
    }

    fn server(self) -> Box<dyn Codec> {
        let encryption = match self {
            Self::Plain => return Box::new(Plain),
            Self::PlainAtPlain => Encryption::Plain,
            Self::Encrypted(_) => Encryption::Encrypted(server_key()),
            Self::PlainAtBoth | Self::EncryptedAtBoth(_) => Encryption::Both(server_key()),
        };
        Box::new(Accept::new(encryption))
    }

    /// What the client sends first, so that the server knows what the link is: an empty line.
    pub(crate) fn greeting(self) -> &'static [u8] {
        match self {
            Self::PlainAtBoth => b"\n",
            _ => b"",
        }
    }

    /// Two ends that have not heard of each other.
    pub(crate) fn new_link(self) -> Link {
        let mut link = Link {
            left: End::new(self.client()),
            right: End::new(self.server()),
        };
        link.left.out.extend_from_slice(self.greeting());
        link
    }

    /// Two ends that have shaken hands, in reads of `piece` bytes.
    pub(crate) fn open_in(self, piece: usize) -> Link {
        let mut link = self.new_link();
        link.settle(piece);
        assert!(link.left.open && link.right.open, "the handshake ends");
        assert!(link.left.plain.is_empty());
        assert_eq!(link.right.plain.split(), self.greeting());
        link
    }

    /// Two ends that have shaken hands.
    pub(crate) fn open(self) -> Link {
        self.open_in(usize::MAX)
    }

    /// Who the server is to the client, and the client to the server.
    pub(crate) fn peers(self) -> [PeerIdentity; 2] {
        if self.is_encrypted() {
            [server_key(), client_key()].map(|key| PeerIdentity::Key(key.public()))
        } else {
            [PeerIdentity::Anonymous; 2]
        }
    }
}
