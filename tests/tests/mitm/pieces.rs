//! The stream of a link, in the pieces that somebody on its way can tell apart (`PROTOCOL.md` §1).

use std::fmt;

use bytes::{Buf, BytesMut};

/// Bytes before the first message.
const PREAMBLE_BYTES: usize = 5;

/// Bytes of the length before each message.
pub(crate) const LENGTH_BYTES: usize = 2;

/// Bytes of the preamble and the first message, which is all that a client says before an answer.
pub(crate) const GREETING: usize = PREAMBLE_BYTES + LENGTH_BYTES + 32;

/// Whom bytes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Towards {
    Server,
    Client,
}

pub(crate) const BOTH_WAYS: [Towards; 2] = [Towards::Server, Towards::Client];

impl Towards {
    pub(crate) fn back(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }
}

/// Which piece of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Preamble,
    /// One of the handshake's messages, counted from 1: the second is the server's.
    Message(usize),
    /// A record, counted from 0.
    Record(usize),
    /// What is no encrypted link.
    Plain,
}

/// A piece as it travels, with its length before it.
#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) towards: Towards,
    pub(crate) part: Part,
    pub(crate) bytes: Vec<u8>,
}

impl Piece {
    /// Whether it is the record that says that nothing follows.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self.part, Part::Record(_)) && self.bytes.len() == LENGTH_BYTES + 16
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, bytes, .. } = self;
        write!(
            f,
            "{part:?} to the {:?}, {} bytes",
            self.towards,
            bytes.len()
        )
    }
}

/// Cuts the stream of one direction.
#[derive(Debug)]
pub(crate) struct Splitter {
    towards: Towards,
    next: Part,
    pub(crate) buffer: BytesMut,
}

impl Splitter {
    pub(crate) fn new(towards: Towards) -> Self {
        let next = match towards {
            Towards::Server => Part::Preamble,
            Towards::Client => Part::Message(2),
        };
        Self {
            towards,
            next,
            buffer: BytesMut::new(),
        }
    }

    pub(crate) fn towards(&self) -> Towards {
        self.towards
    }

    /// The next whole piece; behind the stream's end also what is none.
    pub(crate) fn take(&mut self, ended: bool) -> Option<Piece> {
        let whole = self.take_whole();
        let torn = whole.is_none() && ended && !self.buffer.is_empty();
        if torn {
            return Some(self.piece(Part::Plain, self.buffer.len()));
        }
        whole
    }

    fn piece(&mut self, part: Part, length: usize) -> Piece {
        Piece {
            towards: self.towards,
            part,
            bytes: self.buffer.copy_to_bytes(length).to_vec(),
        }
    }

    fn take_whole(&mut self) -> Option<Piece> {
        let first = *self.buffer.first()?;
        // The length of a message of the handshake starts with 0, and a plain link with no 1.
        let begins = matches!(self.next, Part::Preamble | Part::Message(_));
        if begins && first != u8::from(self.next == Part::Preamble) {
            self.next = Part::Plain;
        }
        let length = match self.next {
            Part::Preamble => PREAMBLE_BYTES,
            Part::Message(_) | Part::Record(_) => {
                let length = self.buffer.first_chunk::<LENGTH_BYTES>()?;
                LENGTH_BYTES + usize::from(u16::from_be_bytes(*length))
            }
            Part::Plain => self.buffer.len(),
        };
        if self.buffer.len() < length {
            return None;
        }
        let piece = self.piece(self.next, length);
        self.next = match self.next {
            Part::Preamble => Part::Message(1),
            Part::Message(1) => Part::Message(3),
            Part::Message(_) => Part::Record(0),
            Part::Record(index) => Part::Record(index + 1),
            Part::Plain => Part::Plain,
        };
        Some(piece)
    }
}
