//! Whose implementations the handshake and the records use: ring's, and where ring has none, X25519
//! by x25519-dalek and BLAKE2s by the crate blake2.

use blake2::{Blake2s256, Digest};
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, RingResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, Error};
use x25519_dalek::{PublicKey, StaticSecret};

use super::super::{CodecError, SecretKey};
use super::{Suite, failed};

const KEY_BYTES: usize = 32;

/// A handshake of `suite` for the end that holds `key`.
pub(super) fn builder(suite: Suite, key: &SecretKey) -> Result<Builder<'_>, CodecError> {
    let pattern = suite.pattern().parse().map_err(|error| failed(&error))?;
    Builder::with_resolver(pattern, Box::new(Resolver))
        .local_private_key(key.as_bytes())
        .and_then(|builder| builder.prologue(suite.preamble()))
        .map_err(|error| failed(&error))
}

/// Random bytes for a key.
pub(in super::super) fn random() -> Result<[u8; KEY_BYTES], CodecError> {
    let mut bytes = [0; KEY_BYTES];
    let source = RingResolver.resolve_rng();
    source
        .and_then(|mut source| source.try_fill_bytes(&mut bytes).ok())
        .ok_or(CodecError::NoRandomness)?;
    Ok(bytes)
}

struct Resolver;

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        RingResolver.resolve_rng()
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        match choice {
            DHChoice::Curve25519 => Some(Box::new(X25519::default())),
            DHChoice::Curve448 => None,
        }
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        match choice {
            HashChoice::Blake2s => Some(Box::new(Blake2s::default())),
            other => RingResolver.resolve_hash(other),
        }
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        RingResolver.resolve_cipher(choice)
    }
}

/// X25519 (RFC 7748), which refuses keys of low order: with them the shared secret is known to all
/// (§6.1 there). No secret is set before snow has called `set` or `generate`.
#[derive(Default)]
struct X25519 {
    secret: Option<StaticSecret>,
    public: [u8; KEY_BYTES],
}

impl X25519 {
    fn hold(&mut self, secret: [u8; KEY_BYTES]) {
        let secret = StaticSecret::from(secret);
        self.public = PublicKey::from(&secret).to_bytes();
        self.secret = Some(secret);
    }
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        KEY_BYTES
    }

    fn priv_len(&self) -> usize {
        KEY_BYTES
    }

    fn set(&mut self, secret: &[u8]) {
        if let Ok(secret) = secret.try_into() {
            self.hold(secret);
        }
    }

    fn generate(&mut self, random: &mut dyn Random) -> Result<(), Error> {
        let mut secret = [0; KEY_BYTES];
        random.try_fill_bytes(&mut secret)?;
        self.hold(secret);
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        self.secret
            .as_ref()
            .map_or(&[][..], |secret| secret.as_bytes())
    }

    fn dh(&self, theirs: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let theirs: [u8; KEY_BYTES] = theirs
            .get(..KEY_BYTES)
            .and_then(|key| key.try_into().ok())
            .ok_or(Error::Dh)?;
        let secret = self.secret.as_ref().ok_or(Error::Dh)?;
        let shared = secret.diffie_hellman(&PublicKey::from(theirs));
        let out = out.get_mut(..KEY_BYTES).ok_or(Error::Dh)?;
        if !shared.was_contributory() {
            return Err(Error::Dh);
        }
        out.copy_from_slice(shared.as_bytes());
        Ok(())
    }
}

/// BLAKE2s (RFC 7693) with 32 bytes.
#[derive(Default)]
struct Blake2s(Blake2s256);

impl Hash for Blake2s {
    fn name(&self) -> &'static str {
        "BLAKE2s"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0 = Blake2s256::new();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        out[..32].copy_from_slice(&self.0.finalize_reset());
    }
}
