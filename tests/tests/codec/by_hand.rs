//! One end of an encrypted link written out from the protocol's page, with snow and its ciphers in
//! Rust: other ones than the codec's. It can break each rule.

use protocol_core::codec::Suite;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{BoxedCryptoResolver, CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, HandshakeState, StatelessTransportState};

use crate::end::End;
use crate::kinds::{self, CLIENT_SECRET, SERVER_SECRET};

/// One of the two ends of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

pub(crate) const SIDES: [Side; 2] = [Side::Client, Side::Server];

/// The first bytes of a link (`PROTOCOL.md` §1).
pub(crate) fn preamble(suite: Suite) -> [u8; 5] {
    let number = match suite {
        Suite::ChaChaPoly => 1,
        Suite::AesGcm => 2,
        other => unreachable!("{other:?} is tested nowhere"),
    };
    [0x01, b'T', b'P', 1, number]
}

/// A message or a record with its length before it.
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&length.to_be_bytes(), body].concat()
}

/// An end that has not ended its handshake.
pub(crate) struct ByHand(HandshakeState);

impl ByHand {
    /// The client's end, with the client's key.
    pub(crate) fn client(suite: Suite) -> Self {
        let resolver = Box::new(DefaultResolver);
        Self(handshake(suite, Side::Client, &CLIENT_SECRET, resolver))
    }

    /// A server's end with this key.
    pub(crate) fn server(suite: Suite, secret: &[u8; 32]) -> Self {
        let resolver = Box::new(DefaultResolver);
        Self(handshake(suite, Side::Server, secret, resolver))
    }

    /// An end that says that `point` is its static key.
    pub(crate) fn with_point(suite: Suite, by_hand: Side, point: [u8; 32]) -> Self {
        let resolver = Box::new(Weak { point });
        Self(handshake(suite, by_hand, &[7; 32], resolver))
    }

    /// Its next message, with the length before it; the preamble is the caller's.
    pub(crate) fn say(&mut self) -> Vec<u8> {
        let mut message = [0; 200];
        let length = self.0.write_message(&[], &mut message).unwrap();
        framed(&message[..length])
    }

    /// Takes the other end's next message, with the length before it.
    pub(crate) fn hear(&mut self, message: &[u8]) {
        self.0.read_message(&message[2..], &mut [0; 200]).unwrap();
    }

    /// The other end's key.
    pub(crate) fn peer(&self) -> Option<&[u8]> {
        self.0.get_remote_static()
    }

    pub(crate) fn records(self) -> Records {
        Records {
            state: self.0.into_stateless_transport_mode().unwrap(),
            sent: 0,
            received: 0,
        }
    }
}

fn handshake(
    suite: Suite,
    by_hand: Side,
    secret: &[u8; 32],
    resolver: BoxedCryptoResolver,
) -> HandshakeState {
    let pattern = match suite {
        Suite::ChaChaPoly => "Noise_XX_25519_ChaChaPoly_BLAKE2s",
        Suite::AesGcm => "Noise_XX_25519_AESGCM_SHA256",
        other => unreachable!("{other:?} is tested nowhere"),
    };
    let preamble = preamble(suite);
    let builder = Builder::with_resolver(pattern.parse().unwrap(), resolver)
        .prologue(&preamble)
        .and_then(|builder| builder.local_private_key(secret));
    match by_hand {
        Side::Client => builder.unwrap().build_initiator().unwrap(),
        Side::Server => builder.unwrap().build_responder().unwrap(),
    }
}

/// The records of an open link; each rekey is the caller's.
pub(crate) struct Records {
    state: StatelessTransportState,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Records {
    /// The next record, with the length before it.
    pub(crate) fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut record = vec![0; plain.len() + 16];
        self.state
            .write_message(self.sent, plain, &mut record)
            .unwrap();
        self.sent += 1;
        framed(&record)
    }

    /// What the next record holds; none where it is not the next one under this key.
    pub(crate) fn open(&mut self, record: &[u8]) -> Option<Vec<u8>> {
        let (length, body) = record.split_first_chunk().unwrap();
        assert_eq!(usize::from(u16::from_be_bytes(*length)), body.len());
        let mut plain = vec![0; body.len()];
        let count = self
            .state
            .read_message(self.received, body, &mut plain)
            .ok()?;
        self.received += 1;
        plain.truncate(count);
        Some(plain)
    }

    pub(crate) fn rekey_sending(&mut self) {
        self.state.rekey_outgoing();
    }

    pub(crate) fn rekey_receiving(&mut self) {
        self.state.rekey_incoming();
    }
}

/// An open link: the codec under test on this side, the other one by hand.
pub(crate) fn open(suite: Suite, side: Side) -> (End, Records) {
    let (end, by_hand) = match side {
        Side::Client => {
            let mut end = kinds::client(suite);
            let mut by_hand = ByHand::server(suite, &SERVER_SECRET);
            by_hand.hear(&end.written()[5..]);
            end.receive(&by_hand.say()).unwrap();
            by_hand.hear(&end.written());
            (end, by_hand)
        }
        Side::Server => {
            let mut end = kinds::server();
            let mut by_hand = ByHand::client(suite);
            end.receive(&preamble(suite)).unwrap();
            end.receive(&by_hand.say()).unwrap();
            by_hand.hear(&end.written());
            end.receive(&by_hand.say()).unwrap();
            (end, by_hand)
        }
    };
    assert!(end.open && end.out.is_empty());
    (end, by_hand.records())
}

/// A resolver whose static key says that it is `point`, which is of low order: the secret that such
/// a key shares with any other is zero.
struct Weak {
    point: [u8; 32],
}

impl CryptoResolver for Weak {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        DefaultResolver.resolve_rng()
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        Some(Box::new(WeakDh {
            genuine: DefaultResolver.resolve_dh(choice)?,
            point: self.point,
            is_static: false,
        }))
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

struct WeakDh {
    genuine: Box<dyn Dh>,
    point: [u8; 32],
    /// Whether a key was set, as snow does with static ones; ephemeral ones it generates.
    is_static: bool,
}

impl Dh for WeakDh {
    fn name(&self) -> &'static str {
        self.genuine.name()
    }

    fn pub_len(&self) -> usize {
        self.genuine.pub_len()
    }

    fn priv_len(&self) -> usize {
        self.genuine.priv_len()
    }

    fn set(&mut self, secret: &[u8]) {
        self.is_static = true;
        self.genuine.set(secret);
    }

    fn generate(&mut self, random: &mut dyn Random) -> Result<(), snow::Error> {
        self.genuine.generate(random)
    }

    fn pubkey(&self) -> &[u8] {
        if self.is_static {
            &self.point
        } else {
            self.genuine.pubkey()
        }
    }

    fn privkey(&self) -> &[u8] {
        self.genuine.privkey()
    }

    fn dh(&self, theirs: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        if self.is_static {
            out[..32].fill(0);
            return Ok(());
        }
        self.genuine.dh(theirs, out)
    }
}
