//! A link whose network is hostile: it passes on, alters, drops, repeats, moves, cuts and invents, as
//! a script says.

use bytes::BytesMut;
use protocol_core::PublicKey;
use protocol_core::codec::{Codec, PeerIdentity, REKEY_AFTER};

use super::ends::{Attacked, Genuine, Message};
use super::{FIRST_WORDS, Outcome, steps};
use crate::script::Script;

/// Sizes of what is said at once: small, around one record, and more than one.
pub(super) const SIZES: [usize; 8] = [1, 2, 16, 150, 4_000, 8_173, 8_174, 8_175];

/// What each end says at most, and what the network carries, so that an input is judged in
/// milliseconds.
const MOST_SAID: usize = 200_000;
const MOST_CARRIED: usize = 1_000_000;

/// An attacked end, a genuine one, and the network in between.
pub(super) struct Link<A, G> {
    attacked: Attacked<A>,
    genuine: Genuine<G>,
    /// Who the attacked end should find at the other one.
    identity: PublicKey,
    /// Whether bytes are kept back until the attacked end has to have them.
    keeps_back: bool,
    kept_back: Vec<u8>,
    /// A message that can be repeated later, and the last bytes of the attacked end itself.
    copy: Vec<u8>,
    reflection: BytesMut,
    /// Whether the network did anything but pass on.
    tampered: bool,
    /// What the attacked end has to have heard, where nothing was tampered with.
    due: usize,
    was_rekeyed: bool,
    /// How much of the plaintext was compared.
    compared: usize,
}

/// What a link is, by what a reader of `PROTOCOL.md` §1 would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its bytes are the plaintext.
    Plain,
    /// Only what the genuine end sealed is plaintext.
    Encrypted,
    /// Its first byte is refused.
    Refused,
    /// Its other end is not who it should be, so that it never opens.
    Stranger,
}

impl<A: Codec, G: Codec> Link<A, G> {
    /// A link to an end that is given `piece` bytes at once; all that there are, where it is none.
    pub(super) fn new(attacked: A, piece: Option<usize>, genuine: G, identity: PublicKey) -> Self {
        Self {
            attacked: Attacked::new(attacked, piece.unwrap_or(usize::MAX)),
            genuine: Genuine::new(genuine),
            identity,
            keeps_back: piece.is_none(),
            kept_back: Vec::new(),
            copy: Vec::new(),
            reflection: BytesMut::new(),
            tampered: false,
            due: 0,
            was_rekeyed: false,
            compared: 0,
        }
    }

    /// The hostile end is on its own: `bytes` are all that it knows.
    pub(super) fn give(&mut self, bytes: &[u8], kind: fn(&[u8]) -> Kind) {
        self.tampered = true;
        self.put(bytes);
        self.deliver(kind);
    }

    /// Does what the script says.
    pub(super) fn play(&mut self, mut script: Script<'_>, kind: fn(&[u8]) -> Kind) {
        self.exchange();
        while let Some(step) = script.byte() {
            self.step(step, &mut script, kind);
            // The genuine end's next message depends on what the attacked one has got.
            if !self.keeps_back || !self.genuine.open {
                self.deliver(kind);
            }
        }
        self.deliver(kind);
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>, kind: fn(&[u8]) -> Kind) {
        if step == steps::REKEY {
            return self.approach_rekey(kind);
        }
        match step % steps::COUNT {
            steps::PASS => {
                if let Some(message) = self.genuine.queue.pop_front() {
                    self.pass(&message);
                }
            }
            steps::FLIP => {
                let (at, mask) = (script.wide_argument(), script.byte().unwrap_or_default());
                if let Some(mut message) = self.genuine.queue.pop_front() {
                    let at = at % message.bytes.len();
                    message.bytes[at] ^= mask;
                    self.tampered |= mask != 0;
                    self.pass(&message);
                }
            }
            steps::DROP => {
                self.tampered |= self.genuine.queue.pop_front().is_some();
            }
            steps::SWAP => {
                if self.genuine.queue.len() >= 2 {
                    self.genuine.queue.swap(0, 1);
                    self.tampered = true;
                }
            }
            steps::CUT => {
                let length = script.wide_argument();
                if let Some(message) = self.genuine.queue.pop_front() {
                    self.tampered = true;
                    self.put(&message.bytes[..length % message.bytes.len()]);
                }
            }
            steps::JUNK => {
                let length = script.argument();
                let junk = script.bytes(length);
                self.tampered |= !junk.is_empty();
                self.put(junk);
            }
            steps::COPY => {
                if let Some(message) = self.genuine.queue.front() {
                    self.copy.clone_from(&message.bytes);
                }
            }
            steps::REPEAT => {
                self.tampered |= !self.copy.is_empty();
                let copy = self.copy.clone();
                self.put(&copy);
            }
            steps::REFLECT => {
                self.deliver(kind);
                self.tampered |= !self.reflection.is_empty();
                let reflection = self.reflection.clone();
                self.put(&reflection);
            }
            steps::SAY => {
                let size = SIZES[script.argument() % SIZES.len()];
                if self.genuine.speech.0.len() + size <= MOST_SAID {
                    self.genuine.say(size);
                }
            }
            steps::ANSWER => {
                let size = SIZES[script.argument() % SIZES.len()];
                self.deliver(kind);
                if self.attacked.speech.0.len() + size <= MOST_SAID {
                    self.attacked.say(size);
                    self.exchange();
                }
            }
            _ => self.genuine.finish(),
        }
    }

    /// Passes so many small records that the next ones are around the change of keys.
    fn approach_rekey(&mut self, kind: fn(&[u8]) -> Kind) {
        if self.was_rekeyed || !self.genuine.queue.is_empty() {
            return;
        }
        self.was_rekeyed = self.genuine.open;
        while self.genuine.open && !self.genuine.finished && self.genuine.records < REKEY_AFTER - 2
        {
            self.genuine.say(1);
            if let Some(message) = self.genuine.queue.pop_front() {
                self.pass(&message);
            }
        }
        self.deliver(kind);
    }

    fn pass(&mut self, message: &Message) {
        self.due = message.speech;
        self.put(&message.bytes);
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.attacked.given.len() + self.kept_back.len() + bytes.len() <= MOST_CARRIED {
            self.kept_back.extend_from_slice(bytes);
        } else {
            self.tampered = true;
        }
    }

    /// Gives the attacked end what is due to it, and compares what it made of it.
    fn deliver(&mut self, kind: fn(&[u8]) -> Kind) {
        let bytes = std::mem::take(&mut self.kept_back);
        self.attacked.receive(&bytes);
        let said: &[u8] = match kind(&self.attacked.given) {
            Kind::Plain => &self.attacked.given,
            Kind::Encrypted => &self.genuine.speech.0,
            Kind::Refused | Kind::Stranger => &[],
        };
        let plain = &self.attacked.plain[..];
        assert!(
            said.get(self.compared..plain.len()) == Some(&plain[self.compared..]),
            "plaintext that the other end did not send"
        );
        self.compared = plain.len();
        self.exchange();
    }

    /// What the attacked end says reaches the genuine one unaltered.
    fn exchange(&mut self) {
        let written = self.attacked.take_written();
        if !written.is_empty() {
            self.genuine.receive(&written);
            self.reflection = written;
        }
    }

    /// Judges the link as a whole.
    pub(super) fn judge(mut self, kind: fn(&[u8]) -> Kind) -> Outcome {
        let (attacked, genuine) = (&self.attacked, &self.genuine);
        let (ended, peer) = (attacked.codec.may_end(), attacked.codec.peer());
        let kind = kind(&attacked.given);
        match kind {
            Kind::Plain => {
                assert_eq!(attacked.error, None, "a plain link takes all bytes");
                assert!(attacked.plain == attacked.given && attacked.open && ended);
            }
            Kind::Refused => assert!(
                attacked.error.is_some(),
                "a link is taken by its first byte"
            ),
            Kind::Stranger => assert!(!attacked.open && attacked.written == FIRST_WORDS),
            Kind::Encrypted => {
                let all = attacked.plain == genuine.speech.0;
                let said = genuine.finished && all;
                assert!(said || !ended || !attacked.open, "an end that nobody said");
                if !self.tampered {
                    assert_eq!(attacked.error, None, "nothing was tampered with");
                    assert_eq!(attacked.plain.len(), self.due, "what was sent arrives");
                }
            }
        }
        let expected = match kind {
            Kind::Encrypted if attacked.open => PeerIdentity::Key(self.identity),
            _ => PeerIdentity::Anonymous,
        };
        assert_eq!(peer, expected);
        let outcome = Outcome {
            error: attacked.error.clone(),
            is_open: attacked.open,
            has_ended: ended,
            written: attacked.written,
            heard: attacked.plain.len(),
        };
        self.last_words(kind);
        outcome
    }

    /// What the attacked end still says arrives, even after an error in what it got.
    fn last_words(&mut self, kind: Kind) {
        if self.attacked.error.is_some() {
            self.attacked.receive(&[0; 100]);
        }
        self.attacked.say(SIZES[3]);
        self.attacked.finish();
        self.exchange();
        if kind == Kind::Encrypted && self.attacked.open {
            assert!(
                self.genuine.heard_all(&self.attacked.speech),
                "the other end understands what an open link sends"
            );
        }
    }
}
