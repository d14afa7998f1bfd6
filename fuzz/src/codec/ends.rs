//! The two ends of an attacked link, each a codec with the buffers of its owner.

use std::collections::VecDeque;

use bytes::BytesMut;
use protocol_core::codec::{Codec, CodecError, PeerIdentity, Progress};

/// Bytes that an end says in a handshake at most: the preamble and two messages.
const HANDSHAKE_BYTES: usize = 5 + 2 + 32 + 2 + 96;

/// How often an end that gave up is asked to go on.
const AFTER_ERROR: usize = 8;

/// The `index`th byte of what an end says: another stretch of it is another text.
fn spoken(index: usize) -> u8 {
    (index.wrapping_mul(0x9e37_79b9) >> 24).to_le_bytes()[0]
}

/// What an end says, so far.
#[derive(Debug, Default)]
pub(super) struct Speech(pub(super) Vec<u8>);

impl Speech {
    /// The next `count` bytes of it.
    fn more(&mut self, count: usize) -> &[u8] {
        let start = self.0.len();
        self.0.extend((start..start + count).map(spoken));
        &self.0[start..]
    }
}

/// The end whose codec is under test.
pub(super) struct Attacked<C> {
    pub(super) codec: C,
    /// Bytes that it is given at once.
    piece: usize,
    wire: BytesMut,
    /// What it took for the other end's plaintext.
    pub(super) plain: BytesMut,
    out: BytesMut,
    /// All that it was given.
    pub(super) given: Vec<u8>,
    pub(super) open: bool,
    pub(super) error: Option<CodecError>,
    calls_after_error: usize,
    pub(super) speech: Speech,
    /// Bytes that it has put on the wire.
    pub(super) written: usize,
}

impl<C: Codec> Attacked<C> {
    pub(super) fn new(mut codec: C, piece: usize) -> Self {
        let mut out = BytesMut::new();
        let started = codec.start(&mut out).expect("a codec starts");
        Self {
            codec,
            piece,
            wire: BytesMut::new(),
            plain: BytesMut::new(),
            out,
            given: Vec::new(),
            open: started == Progress::Open,
            error: None,
            calls_after_error: 0,
            speech: Speech::default(),
            written: 0,
        }
    }

    /// Gives it bytes of the hostile end, a piece at a time.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.piece) {
            self.given.extend_from_slice(piece);
            if self.error.is_none() {
                self.receive_piece(piece);
            } else if self.calls_after_error < AFTER_ERROR {
                self.calls_after_error += 1;
                self.refuse_piece(piece);
            }
        }
    }

    fn receive_piece(&mut self, piece: &[u8]) {
        self.wire.extend_from_slice(piece);
        let due = self.out.len();
        let received = self
            .codec
            .receive(&mut self.wire, &mut self.plain, &mut self.out);
        match received {
            Ok(progress) => {
                let open = progress == Progress::Open;
                assert!(open || !self.open, "an open link stays open");
                self.open = open;
            }
            Err(error) => {
                // It may have opened in the same call, before it came to what is wrong.
                self.open |= self.codec.peer() != PeerIdentity::Anonymous;
                self.error = Some(error);
            }
        }
        assert!(
            self.open || self.plain.is_empty(),
            "plaintext before the link is open"
        );
        let given = self.given.len();
        assert!(self.wire.len() + self.plain.len() <= given);
        assert!(self.out.len() - due <= HANDSHAKE_BYTES);
        // A buffer grows by doubling, and from 64 bytes on.
        for buffer in [&self.wire, &self.plain, &self.out] {
            let most = 2 * given + 2 * self.written + 4 * HANDSHAKE_BYTES;
            let has = buffer.capacity();
            assert!(has <= most, "{has} bytes are kept for {given}");
        }
    }

    /// After an error nothing goes on, whatever arrives.
    fn refuse_piece(&mut self, piece: &[u8]) {
        self.wire.extend_from_slice(piece);
        let before = (self.plain.len(), self.out.len(), self.codec.peer());
        let received = self
            .codec
            .receive(&mut self.wire, &mut self.plain, &mut self.out);
        assert!(received.is_err(), "it goes on after {:?}", self.error);
        let after = (self.plain.len(), self.out.len(), self.codec.peer());
        assert_eq!(after, before, "something came of {:?}", self.error);
    }

    /// Sends `count` bytes of its own, as an owner may wherever the link is open.
    pub(super) fn say(&mut self, count: usize) {
        let text = self.speech.more(count);
        let due = self.out.len();
        let sent = self.codec.send(text, &mut self.out);
        if self.open {
            assert_eq!(sent, Ok(()), "an open link sends");
        } else {
            let kept = self.speech.0.len() - count;
            self.speech.0.truncate(kept);
            assert_eq!(sent, Err(CodecError::NotOpen));
            assert_eq!(self.out.len(), due, "a link that is not open is silent");
        }
    }

    /// Says that it sends no more.
    pub(super) fn finish(&mut self) {
        let finished = self.codec.finish(&mut self.out);
        assert_eq!(finished.is_ok(), self.open);
    }

    /// What it has put on the wire since the last call.
    pub(super) fn take_written(&mut self) -> BytesMut {
        self.written += self.out.len();
        self.out.split()
    }
}

/// A message as it left the genuine end.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    /// How much of the genuine end's speech is said once it has arrived.
    pub(super) speech: usize,
}

/// The other end, which keeps to the protocol. Its messages wait for the hostile network.
pub(super) struct Genuine<C> {
    codec: C,
    wire: BytesMut,
    heard: BytesMut,
    out: BytesMut,
    pub(super) open: bool,
    /// Whether what it got made it give up.
    pub(super) failed: bool,
    pub(super) queue: VecDeque<Message>,
    pub(super) speech: Speech,
    pub(super) finished: bool,
    /// Records that it has sealed.
    pub(super) records: u64,
}

impl<C: Codec> Genuine<C> {
    pub(super) fn new(mut codec: C) -> Self {
        let mut out = BytesMut::new();
        codec.start(&mut out).expect("a codec starts");
        let mut end = Self {
            codec,
            wire: BytesMut::new(),
            heard: BytesMut::new(),
            out,
            open: false,
            failed: false,
            queue: VecDeque::new(),
            speech: Speech::default(),
            finished: false,
            records: 0,
        };
        if !end.out.is_empty() {
            // A client's preamble has no length before it.
            let preamble = end.out.split_to(5);
            end.queue_one(&preamble);
        }
        end.queue_all();
        end
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.wire.extend_from_slice(bytes);
        if self.failed {
            return;
        }
        let received = self
            .codec
            .receive(&mut self.wire, &mut self.heard, &mut self.out);
        match received {
            Ok(progress) => self.open = progress == Progress::Open,
            Err(_) => self.failed = true,
        }
        self.queue_all();
    }

    pub(super) fn say(&mut self, count: usize) {
        if !self.open || self.finished {
            return;
        }
        let mut start = self.speech.0.len();
        let text = self.speech.more(count);
        self.codec
            .send(text, &mut self.out)
            .expect("an open link sends");
        while let Some(message) = self.next_message() {
            start += message.len() - 2 - 16;
            self.records += 1;
            self.queue.push_back(Message {
                bytes: message.to_vec(),
                speech: start,
            });
        }
    }

    pub(super) fn finish(&mut self) {
        if self.open && !self.finished {
            self.finished = true;
            self.codec
                .finish(&mut self.out)
                .expect("an open link finishes");
            self.queue_all();
        }
    }

    /// Whether it has heard just this, and that nothing follows.
    pub(super) fn heard_all(&self, speech: &Speech) -> bool {
        !self.failed && self.heard[..] == speech.0 && self.codec.may_end()
    }

    fn queue_all(&mut self) {
        while let Some(message) = self.next_message() {
            self.queue_one(&message);
        }
    }

    fn queue_one(&mut self, bytes: &[u8]) {
        self.queue.push_back(Message {
            bytes: bytes.to_vec(),
            speech: self.speech.0.len(),
        });
    }

    fn next_message(&mut self) -> Option<BytesMut> {
        let length = self.out.first_chunk().copied().map(u16::from_be_bytes)?;
        Some(self.out.split_to(2 + usize::from(length)))
    }
}
