//! An event as it arrives, and what must be remembered of it to answer it.

use std::hash::{Hash, Hasher};

use super::delivery::Origin;
use crate::ids::PeerId;
use crate::wire::{Frame, MAX_ID_BYTES, RawData};

/// What the sender of a frame expects back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Nothing.
    Pass,
    /// An acknowledgement.
    ConfirmPass,
    /// A response.
    Request,
    /// Nothing: it is an answer itself, of one peer to another, on its way through this server.
    Reply,
}

/// What arrives for the owner of a connection, borrowed from the bytes: an event for a handler, or,
/// at a server, a frame with `dest`, which is for another peer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Incoming<'a> {
    /// What the sender expects back.
    pub mode: Mode,
    /// The event's wire name.
    pub name: &'a str,
    /// The event's data, checked and not decoded.
    pub data: RawData<'a>,
    /// The id to answer with; empty for a pass.
    pub id: &'a str,
    /// The peer that sent it; none where the other end itself did.
    pub from: Option<&'a str>,
    /// The peer or room it is for; none where it is for this end.
    pub dest: Option<&'a str>,
    /// The whole frame.
    pub frame: &'a Frame<'a>,
    /// Its number, where its sender will send it again until it is answered.
    pub(crate) track: Option<&'a Track>,
}

/// An event's place in the stream of its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Track {
    pub(super) origin: Origin,
    pub(super) seq: u64,
}

/// What is left of an event while its handler runs: enough to answer it.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub(crate) mode: Mode,
    pub(crate) name: &'static str,
    pub(crate) id: ShortText,
    pub(crate) dest: Option<PeerId>,
    pub(crate) track: Option<Box<Track>>,
}

impl Exchange {
    /// Whether `from` has asked this under `id`.
    pub(crate) fn is(&self, from: Option<&PeerId>, id: ShortText) -> bool {
        self.mode == Mode::Request && self.id == id && self.dest.as_ref() == from
    }

    /// The exchange that `incoming`, an event called `name`, started; `from` is the peer to answer,
    /// none for the other end itself.
    pub fn new(incoming: &Incoming<'_>, name: &'static str, from: Option<PeerId>) -> Self {
        Self {
            mode: incoming.mode,
            name,
            id: ShortText::new(incoming.id),
            dest: from,
            track: incoming.track.cloned().map(Box::new),
        }
    }
}

/// An id or a name of the other end's choice, kept in place since every event needs one.
#[derive(Clone, Copy)]
pub(crate) struct ShortText {
    bytes: [u8; MAX_ID_BYTES],
    len: u8,
}

impl ShortText {
    /// The wire checks ids to be at most [`MAX_ID_BYTES`] long, and no event has a longer name; a
    /// longer text is cut.
    pub(super) fn new(text: &str) -> Self {
        let len = text.floor_char_boundary(MAX_ID_BYTES);
        let mut bytes = [0; MAX_ID_BYTES];
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        Self {
            bytes,
            len: u8::try_from(len).unwrap_or(u8::MAX),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl PartialEq for ShortText {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ShortText {}

impl Hash for ShortText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl std::fmt::Debug for ShortText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
