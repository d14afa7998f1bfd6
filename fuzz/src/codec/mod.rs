//! The codec's two ends against a hostile one and a hostile network (`PROTOCOL.md` §1).
//!
//! An input's first byte is the setting: two bits choose the server's policy or the key that the
//! client expects, one the suite, one whether the other end is genuine, four the size of the pieces
//! that the bytes arrive in. What follows are the hostile end's own bytes, or [`steps`] of a network
//! in front of a genuine end.

mod ends;
mod link;
pub mod seeds;
pub mod steps;

use std::sync::LazyLock;

use protocol_core::SecretKey;
use protocol_core::codec::{Accept, Codec, CodecError, Encryption, Noise, Suite};

use crate::script::Script;
use link::{Kind, Link};

static SERVER: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_bytes([1; 32]));
static CLIENT: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_bytes([2; 32]));
static STRANGER: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_bytes([3; 32]));

/// Bytes that arrive at once: around the lengths of preamble, handshake and records.
const PIECES: [usize; 16] = [
    1, 2, 3, 4, 5, 17, 18, 19, 33, 34, 39, 66, 98, 1_000, 65_535, 65_538,
];

/// Bytes of a client's first words: the preamble and the first message.
const FIRST_WORDS: usize = 5 + 2 + 32;

/// How a link ended, which must not depend on how its bytes were cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Why the codec gave up.
    pub error: Option<CodecError>,
    /// Whether frames can be sent.
    pub is_open: bool,
    /// Whether the stream may end here.
    pub has_ended: bool,
    /// Bytes that it put on the wire.
    pub written: usize,
    /// Bytes of the other end's plaintext that it has got.
    pub heard: usize,
}

/// The first byte of an input.
#[derive(Debug, Clone, Copy)]
struct Setting(u8);

impl Setting {
    /// The server's policy, or which key the client expects.
    fn choice(self) -> u8 {
        self.0 & 3
    }

    fn suite(self) -> Suite {
        if self.0 & 4 == 0 {
            Suite::ChaChaPoly
        } else {
            Suite::AesGcm
        }
    }

    fn is_genuine(self) -> bool {
        self.0 & 8 != 0
    }

    fn piece(self) -> usize {
        PIECES[usize::from(self.0 >> 4)]
    }
}

/// A server's end, [`Accept`], against a hostile client.
pub fn server(input: &[u8]) -> Outcome {
    let mut script = Script::new(input);
    let setting = Setting(script.byte().unwrap_or_default());
    let kind: fn(&[u8]) -> Kind = match setting.choice() {
        0 => |given| match given.first() {
            Some(1) => Kind::Refused,
            _ => Kind::Plain,
        },
        1 => |given| match given.first() {
            None | Some(1) => Kind::Encrypted,
            _ => Kind::Refused,
        },
        _ => |given| match given.first() {
            None | Some(1) => Kind::Encrypted,
            Some(b'{' | b' ' | b'\t' | b'\r' | b'\n') => Kind::Plain,
            _ => Kind::Refused,
        },
    };
    let accept = || match setting.choice() {
        0 => Accept::new(Encryption::Plain),
        1 => Accept::new(Encryption::Encrypted(SERVER.clone())),
        _ => Accept::new(Encryption::Both(SERVER.clone())),
    };
    however_it_is_cut(setting, |piece| {
        let client = Noise::client(setting.suite(), &CLIENT, Some(SERVER.public()));
        let client = client.expect("the ciphers are there");
        let link = Link::new(accept(), piece, client, CLIENT.public());
        play(link, setting, script, kind)
    })
}

/// A client's end, [`Noise::client`], against a hostile server.
pub fn client(input: &[u8]) -> Outcome {
    let mut script = Script::new(input);
    let setting = Setting(script.byte().unwrap_or_default());
    let expected = match setting.choice() {
        0 => None,
        1 => Some(STRANGER.public()),
        _ => Some(SERVER.public()),
    };
    let kind: fn(&[u8]) -> Kind = match setting.choice() {
        1 => |_| Kind::Stranger,
        _ => |_| Kind::Encrypted,
    };
    let outcome = however_it_is_cut(setting, |piece| {
        let client = Noise::client(setting.suite(), &CLIENT, expected);
        let client = client.expect("the ciphers are there");
        let accept = Accept::new(Encryption::Encrypted(SERVER.clone()));
        let link = Link::new(client, piece, accept, SERVER.public());
        play(link, setting, script, kind)
    });
    if !outcome.is_open {
        assert_eq!(outcome.written, FIRST_WORDS, "its key is told to nobody");
    }
    outcome
}

fn play<A, G>(
    mut link: Link<A, G>,
    setting: Setting,
    script: Script<'_>,
    kind: fn(&[u8]) -> Kind,
) -> Outcome
where
    A: Codec,
    G: Codec,
{
    if setting.is_genuine() {
        link.play(script, kind);
    } else {
        link.give(script.rest(), kind);
    }
    link.judge(kind)
}

/// The same bytes as they come, and in pieces.
fn however_it_is_cut(setting: Setting, run: impl Fn(Option<usize>) -> Outcome) -> Outcome {
    let piece = setting.piece();
    let (whole, mut cut) = (run(None), run(Some(piece)));
    if setting.is_genuine() && !whole.is_open {
        // Both gave up, but the ends' keys of the moment differ: bytes of one can stand where a
        // length was, or hold the end of a line.
        cut.error.clone_from(&whole.error);
    }
    assert_eq!(cut, whole, "pieces of {piece} make a difference");
    whole
}
