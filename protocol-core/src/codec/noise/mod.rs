//! The encrypted codec: the Noise Protocol Framework, revision 34, pattern XX (`PROTOCOL.md` §1).
//!
//! The other module of this folder chooses the ciphers' implementations.

mod resolver;
mod suite;

use std::mem;

use bytes::{Buf, BufMut, BytesMut};
use snow::{HandshakeState, TransportState};

pub(super) use resolver::random;
pub use suite::Suite;
pub(super) use suite::take_preamble;

use super::{Codec, CodecError, PeerIdentity, Progress, PublicKey, SecretKey};

/// Records after which both ends change the key of a direction, so that one that leaks tells little.
pub const REKEY_AFTER: u64 = 10_000;

/// Bytes of the length before each message.
const LENGTH_BYTES: usize = 2;

/// Bytes that authenticate a message.
const TAG_BYTES: usize = 16;

/// The longest record that is sent. A Noise message may have 65,535 bytes; a server takes no more
/// than this of a stranger, the other end can begin with the first of several, and more saves nothing.
const RECORD_BYTES: usize = 8_192;

/// What such a record holds.
const RECORD_PLAIN: usize = RECORD_BYTES - LENGTH_BYTES - TAG_BYTES;

/// Bytes of the handshake's three messages: `e`; `e, ee, s, es`; `s, se`; all with an empty payload.
const HANDSHAKE: [usize; 3] = [32, 32 + 32 + 2 * TAG_BYTES, 32 + 2 * TAG_BYTES];

/// The most of a plain answer to a handshake that is waited for, to be shown to the user.
const PLAIN_ANSWER: usize = 4_096;

/// One end of an encrypted link.
///
/// # Examples
///
/// ```
/// use bytes::BytesMut;
/// use protocol_core::SecretKey;
/// use protocol_core::codec::{Accept, Codec, Encryption, Noise, Progress, Suite};
///
/// let (key, own) = (SecretKey::generate()?, SecretKey::generate()?);
/// let mut client = Noise::client(Suite::fastest(), &own, Some(key.public()))?;
/// let mut server = Accept::new(Encryption::Encrypted(key));
/// let (mut up, mut down, mut plain) = (BytesMut::new(), BytesMut::new(), BytesMut::new());
///
/// server.start(&mut down)?;
/// let mut progress = client.start(&mut up)?;
/// while progress == Progress::Handshaking {
///     server.receive(&mut up, &mut plain, &mut down)?;
///     progress = client.receive(&mut down, &mut plain, &mut up)?;
/// }
/// client.send(b"{}\n", &mut up)?;
/// server.receive(&mut up, &mut plain, &mut down)?;
/// assert_eq!(&plain[..], b"{}\n");
/// assert_eq!(server.peer().key(), Some(own.public()));
/// # Ok::<(), protocol_core::codec::CodecError>(())
/// ```
#[derive(Debug)]
pub struct Noise {
    state: State,
    /// What the client says before its first message; none at a server.
    preamble: Option<&'static [u8]>,
    /// The only key that a client goes on with.
    expected: Option<PublicKey>,
    peer: Option<PublicKey>,
    /// Whether this end, and the other one, has said that it sends no more.
    finished: bool,
    ended: bool,
    /// Why nothing that arrives is taken any more.
    broken: Option<CodecError>,
}

#[derive(Debug)]
enum State {
    Handshake {
        handshake: Box<HandshakeState>,
        /// Which of the messages is next.
        next: usize,
    },
    Open(Box<TransportState>),
    Failed,
}

impl Noise {
    /// A client's end, which proves to hold `key`. Where a server's key is `expected`, it tells no
    /// other server its own.
    ///
    /// # Errors
    ///
    /// Where the ciphers cannot be set up.
    pub fn client(
        suite: Suite,
        key: &SecretKey,
        expected: Option<PublicKey>,
    ) -> Result<Self, CodecError> {
        let handshake = resolver::builder(suite, key)?.build_initiator();
        Self::new(handshake, Some(suite.preamble()), expected)
    }

    /// A server's end, which proves to hold `key`, behind the preamble that named `suite`.
    ///
    /// # Errors
    ///
    /// Where the ciphers cannot be set up.
    pub(super) fn server(suite: Suite, key: &SecretKey) -> Result<Self, CodecError> {
        let handshake = resolver::builder(suite, key)?.build_responder();
        Self::new(handshake, None, None)
    }

    fn new(
        handshake: Result<HandshakeState, snow::Error>,
        preamble: Option<&'static [u8]>,
        expected: Option<PublicKey>,
    ) -> Result<Self, CodecError> {
        let handshake = Box::new(handshake.map_err(|error| failed(&error))?);
        Ok(Self {
            state: State::Handshake { handshake, next: 0 },
            preamble,
            expected,
            peer: None,
            finished: false,
            ended: false,
            broken: None,
        })
    }

    fn is_client(&self) -> bool {
        self.preamble.is_some()
    }

    /// Takes one message of the handshake from `wire`, and says what is due next; whether there was
    /// a whole one.
    fn shake_hands(&mut self, wire: &mut BytesMut, out: &mut BytesMut) -> Result<bool, CodecError> {
        let is_client = self.is_client();
        let State::Handshake { handshake, next } = &mut self.state else {
            return Err(CodecError::NotOpen);
        };
        if is_client && wire.first() == Some(&b'{') {
            let whole = wire.contains(&b'\n') || wire.len() > PLAIN_ANSWER;
            return if whole {
                Err(CodecError::AnsweredInPlain)
            } else {
                Ok(false)
            };
        }
        let Some(length) = length_of(wire) else {
            return Ok(false);
        };
        if length != HANDSHAKE[*next] {
            return Err(CodecError::Malformed(
                "a message of the handshake has another length",
            ));
        }
        let Some(message) = wire.get(LENGTH_BYTES..LENGTH_BYTES + length) else {
            return Ok(false);
        };
        let mut payload = [0; TAG_BYTES];
        let read = handshake.read_message(message, &mut payload);
        read.map_err(|error| failed(&error))?;
        wire.advance(LENGTH_BYTES + length);
        *next += 1;
        if let Some(found) = handshake.get_remote_static() {
            let found = PublicKey::from_bytes(found.try_into().map_err(|_| CodecError::WeakKey)?);
            if let Some(expected) = self.expected.filter(|expected| *expected != found) {
                return Err(CodecError::WrongKey { expected, found });
            }
            self.peer = Some(found);
        }
        if *next < HANDSHAKE.len() {
            say(handshake, next, out)?;
        }
        if *next == HANDSHAKE.len() {
            let State::Handshake { handshake, .. } = mem::replace(&mut self.state, State::Failed)
            else {
                return Err(CodecError::NotOpen);
            };
            let transport = handshake.into_transport_mode();
            self.state = State::Open(Box::new(transport.map_err(|error| failed(&error))?));
        }
        Ok(true)
    }

    /// Takes one record from `wire` and appends what it holds to `plain`; whether there was a whole
    /// one.
    fn open_record(
        &mut self,
        wire: &mut BytesMut,
        plain: &mut BytesMut,
    ) -> Result<bool, CodecError> {
        let State::Open(transport) = &mut self.state else {
            return Err(CodecError::NotOpen);
        };
        if self.ended && !wire.is_empty() {
            return Err(CodecError::Malformed("there are bytes behind the end"));
        }
        let Some(length) = length_of(wire) else {
            return Ok(false);
        };
        if length < TAG_BYTES {
            return Err(CodecError::Malformed("a record is shorter than its tag"));
        }
        let Some(record) = wire.get(LENGTH_BYTES..LENGTH_BYTES + length) else {
            return Ok(false);
        };
        let start = plain.len();
        plain.resize(start + length, 0);
        let opened = transport.read_message(record, &mut plain[start..]);
        plain.truncate(start + opened.as_ref().unwrap_or(&0));
        opened.map_err(|_| CodecError::AlteredRecord)?;
        wire.advance(LENGTH_BYTES + length);
        if transport.receiving_nonce().is_multiple_of(REKEY_AFTER) {
            transport.rekey_incoming();
        }
        self.ended = length == TAG_BYTES;
        Ok(true)
    }

    fn seal_record(&mut self, plain: &[u8], wire: &mut BytesMut) -> Result<(), CodecError> {
        let (State::Open(transport), false) = (&mut self.state, self.finished) else {
            return Err(CodecError::NotOpen);
        };
        let length = plain.len() + TAG_BYTES;
        let Ok(announced) = u16::try_from(length) else {
            return Err(CodecError::NotOpen);
        };
        wire.put_u16(announced);
        let start = wire.len();
        wire.resize(start + length, 0);
        if transport.write_message(plain, &mut wire[start..]).is_err() {
            wire.truncate(start - LENGTH_BYTES);
            return Err(CodecError::Exhausted);
        }
        if transport.sending_nonce().is_multiple_of(REKEY_AFTER) {
            transport.rekey_outgoing();
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        match self.state {
            State::Open(_) => Progress::Open,
            State::Handshake { .. } | State::Failed => Progress::Handshaking,
        }
    }
}

impl Codec for Noise {
    fn start(&mut self, out: &mut BytesMut) -> Result<Progress, CodecError> {
        if let (Some(preamble), State::Handshake { handshake, next }) =
            (self.preamble, &mut self.state)
        {
            out.extend_from_slice(preamble);
            say(handshake, next, out)?;
        }
        Ok(Progress::Handshaking)
    }

    fn receive(
        &mut self,
        wire: &mut BytesMut,
        plain: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<Progress, CodecError> {
        // What follows an error cannot be trusted; what is due can still be sent.
        while self.broken.is_none() {
            let took = match self.progress() {
                Progress::Handshaking => self.shake_hands(wire, out),
                Progress::Open => self.open_record(wire, plain),
            };
            match took {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.broken = Some(error),
            }
        }
        self.broken.clone().map_or(Ok(self.progress()), Err)
    }

    fn send(&mut self, plain: &[u8], wire: &mut BytesMut) -> Result<(), CodecError> {
        let mut records = plain.chunks(RECORD_PLAIN);
        records.try_for_each(|record| self.seal_record(record, wire))
    }

    fn finish(&mut self, wire: &mut BytesMut) -> Result<(), CodecError> {
        self.seal_record(&[], wire)?;
        self.finished = true;
        Ok(())
    }

    fn may_end(&self) -> bool {
        self.ended
    }

    fn peer(&self) -> PeerIdentity {
        match (&self.state, self.peer) {
            (State::Open(_), Some(key)) => PeerIdentity::Key(key),
            _ => PeerIdentity::Anonymous,
        }
    }
}

/// Appends this end's next message of the handshake.
fn say(
    handshake: &mut HandshakeState,
    next: &mut usize,
    out: &mut BytesMut,
) -> Result<(), CodecError> {
    let mut message = [0; HANDSHAKE[1]];
    let length = handshake.write_message(&[], &mut message);
    let length = length.map_err(|error| failed(&error))?;
    let announced = u16::try_from(length).map_err(|_| CodecError::NotOpen)?;
    out.put_u16(announced);
    out.extend_from_slice(&message[..length]);
    *next += 1;
    Ok(())
}

/// The length that the message at the front of `wire` announces.
fn length_of(wire: &[u8]) -> Option<usize> {
    let announced = wire.first_chunk::<LENGTH_BYTES>()?;
    Some(u16::from_be_bytes(*announced).into())
}

fn failed(error: &snow::Error) -> CodecError {
    match error {
        snow::Error::Dh => CodecError::WeakKey,
        snow::Error::Rng => CodecError::NoRandomness,
        snow::Error::Decrypt => CodecError::AlteredHandshake,
        _ => CodecError::NotOpen,
    }
}
