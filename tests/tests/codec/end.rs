//! A codec at one end of a link, its owner's buffers, and what lies between two of them.

use std::ops::Range;

use bytes::BytesMut;
use protocol_core::codec::{Codec, CodecError, PeerIdentity, Progress};

/// What a codec is fed with, and what it has made of it.
pub(crate) struct End {
    pub(crate) codec: Box<dyn Codec>,
    pub(crate) open: bool,
    /// Received and not yet taken by the codec.
    pub(crate) wire: BytesMut,
    /// What it took out of that.
    pub(crate) plain: BytesMut,
    /// To be written.
    pub(crate) out: BytesMut,
}

impl End {
    /// An end that has said what it says first.
    pub(crate) fn new(mut codec: Box<dyn Codec>) -> Self {
        let mut out = BytesMut::new();
        let open = codec.start(&mut out).unwrap() == Progress::Open;
        Self {
            codec,
            open,
            wire: BytesMut::new(),
            plain: BytesMut::new(),
            out,
        }
    }

    /// Lets `bytes` arrive in one read.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.wire.extend_from_slice(bytes);
        let kept = (self.plain.len(), self.out.len());
        let progress = self
            .codec
            .receive(&mut self.wire, &mut self.plain, &mut self.out);
        assert!(self.plain.len() >= kept.0 && self.out.len() >= kept.1);
        self.open = progress? == Progress::Open;
        if !self.open {
            assert_eq!(self.codec.peer(), PeerIdentity::Anonymous);
            assert!(
                self.plain.is_empty(),
                "nothing is read before the end is open"
            );
        }
        Ok(())
    }

    /// Lets `bytes` arrive in reads of `piece` bytes.
    pub(crate) fn receive_in(&mut self, piece: usize, bytes: &[u8]) -> Result<(), CodecError> {
        bytes
            .chunks(piece)
            .try_for_each(|piece| self.receive(piece))
    }

    pub(crate) fn send(&mut self, plain: &[u8]) {
        self.codec.send(plain, &mut self.out).unwrap();
    }

    pub(crate) fn finish(&mut self) {
        self.codec.finish(&mut self.out).unwrap();
    }

    /// What is to be written, taken.
    pub(crate) fn written(&mut self) -> Vec<u8> {
        self.out.split().to_vec()
    }

    /// Neither sends nor says that it sends no more, and nothing of it is written. An end that is not
    /// mute has said both.
    pub(crate) fn is_mute(&mut self) -> bool {
        let before = self.out.clone();
        let results = [
            self.codec.send(b"x\n", &mut self.out),
            self.codec.finish(&mut self.out),
        ];
        results == [const { Err(CodecError::NotOpen) }; 2] && self.out == before
    }

    /// Takes nothing that arrives from now on, neither as a handshake nor as a record.
    pub(crate) fn is_deaf(&mut self, error: &CodecError) -> bool {
        let (plain, out) = (self.plain.clone(), self.out.clone());
        let results = [self.receive(b""), self.receive(&vec![0; 70_000])];
        let given_up = |result: &Result<(), CodecError>| {
            result.as_ref() == Err(error) || *result == Err(CodecError::NotOpen)
        };
        results.iter().all(given_up) && self.plain == plain && self.out == out
    }
}

/// A link of two ends.
pub(crate) struct Link {
    pub(crate) left: End,
    pub(crate) right: End,
}

impl Link {
    /// Lets the bytes travel in reads of `piece` bytes until both ends are silent.
    pub(crate) fn settle(&mut self, piece: usize) {
        while self.turn(|_, bytes| bytes.chunks(piece).map(<[u8]>::to_vec).collect()) {}
    }

    /// Lets travel what is due now, in the reads that `cut` makes of it; whether anything was due.
    pub(crate) fn turn(&mut self, mut cut: impl FnMut(Towards, &[u8]) -> Vec<Vec<u8>>) -> bool {
        let (to_right, to_left) = (self.left.written(), self.right.written());
        for read in cut(Towards::Right, &to_right) {
            self.right.receive(&read).unwrap();
        }
        for read in cut(Towards::Left, &to_left) {
            self.left.receive(&read).unwrap();
        }
        !to_right.is_empty() || !to_left.is_empty()
    }
}

/// Which end bytes travel to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Towards {
    Left,
    Right,
}

/// `SplitMix64`, so that a seed means the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of `range`.
    pub(crate) fn within(&mut self, range: Range<usize>) -> usize {
        let width = range.end - range.start;
        range.start + usize::try_from(self.next() % width as u64).unwrap()
    }

    /// Bytes of any value.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// `bytes` in reads of any size, of which most are small.
    pub(crate) fn cut(&mut self, mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut reads = Vec::new();
        while !bytes.is_empty() {
            let most = [2, 40, 400, 80_000][self.within(0..4)];
            let (read, rest) = bytes.split_at(self.within(1..most).min(bytes.len()));
            reads.push(read.to_vec());
            bytes = rest;
        }
        reads
    }
}
