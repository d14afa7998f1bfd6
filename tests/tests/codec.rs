//! What every codec must do, whatever it does to the bytes: one suite, run for each of them.

use bytes::BytesMut;
use protocol_core::codec::{Codec, CodecError, PeerIdentity, Plain, Progress};

/// A codec at one end of a link, and the buffers of its owner.
struct End<C> {
    codec: C,
    open: bool,
    /// Received and not yet taken by the codec.
    wire: BytesMut,
    /// What it took out of that.
    plain: BytesMut,
    /// To be written.
    out: BytesMut,
}

impl<C: Codec> End<C> {
    fn new(mut codec: C) -> Self {
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

    fn receive(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.wire.extend_from_slice(bytes);
        let progress = self
            .codec
            .receive(&mut self.wire, &mut self.plain, &mut self.out)?;
        self.open = progress == Progress::Open;
        Ok(())
    }

    fn send(&mut self, plain: &[u8]) {
        self.codec.send(plain, &mut self.out).unwrap();
    }

    fn written(&mut self) -> Vec<u8> {
        self.out.split().to_vec()
    }
}

/// A link of two ends, and how its bytes are cut.
struct Link<C> {
    left: End<C>,
    right: End<C>,
    piece: usize,
}

impl<C: Codec> Link<C> {
    /// Two ends that have shaken hands in pieces of `piece` bytes.
    fn open(pair: (C, C), piece: usize) -> Self {
        let (left, right) = pair;
        let mut link = Self {
            left: End::new(left),
            right: End::new(right),
            piece,
        };
        link.settle();
        assert!(link.left.open && link.right.open, "the handshake ends");
        assert!(link.left.plain.is_empty() && link.right.plain.is_empty());
        link
    }

    /// Lets the bytes travel until both ends are silent.
    fn settle(&mut self) {
        loop {
            let (to_right, to_left) = (self.left.written(), self.right.written());
            for piece in to_right.chunks(self.piece) {
                self.right.receive(piece).unwrap();
            }
            for piece in to_left.chunks(self.piece) {
                self.left.receive(piece).unwrap();
            }
            if to_right.is_empty() && to_left.is_empty() {
                return;
            }
        }
    }
}

/// Frames of odd sizes, some larger than any record of a cipher.
fn texts() -> Vec<Vec<u8>> {
    [1, 2, 100, 16_384, 65_519, 65_535, 65_536, 200_000]
        .iter()
        .zip(0..)
        .map(|(size, first): (&usize, u8)| {
            let mut text: Vec<u8> = (first..=u8::MAX).cycle().take(*size).collect();
            text.push(b'\n');
            text
        })
        .collect()
}

fn what_is_sent_arrives_however_it_is_cut<C: Codec>(pair: fn() -> (C, C)) {
    for piece in [1, 7, 1_000, 65_536, usize::MAX] {
        let mut link = Link::open(pair(), piece);
        for _ in 0..3 {
            let (mut to_right, mut to_left) = (Vec::new(), Vec::new());
            for text in texts() {
                link.left.send(&text);
                to_right.extend_from_slice(&text);
                link.right.send(&text[1..]);
                to_left.extend_from_slice(&text[1..]);
            }
            link.settle();
            assert!(link.right.plain.split() == to_right, "pieces of {piece}");
            assert!(link.left.plain.split() == to_left, "pieces of {piece}");
            assert!(link.left.wire.is_empty() && link.right.wire.is_empty());
        }
    }
}

fn every_cut_of_a_short_stream_is_the_same<C: Codec>(pair: fn() -> (C, C)) {
    let mut at = 0;
    loop {
        let mut link = Link::open(pair(), usize::MAX);
        link.left.send(b"{\"a\":1}\n");
        link.left.send(b"{\"b\":2}\n{\"c\":3}\n");
        let stream = link.left.written();
        if at > stream.len() {
            return;
        }
        let (left, right) = stream.split_at(at);
        link.right.receive(left).unwrap();
        let early = link.right.plain.clone();
        link.right.receive(right).unwrap();
        assert_eq!(&link.right.plain[..], b"{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
        assert!(link.right.plain.starts_with(&early), "cut at byte {at}");
        at += 1;
    }
}

fn what_the_owner_has_not_taken_yet_is_kept<C: Codec>(pair: fn() -> (C, C)) {
    let mut link = Link::open(pair(), 3);
    for text in ["one\n", "two\n", "three\n"] {
        link.left.send(text.as_bytes());
        link.settle();
    }
    assert_eq!(&link.right.plain[..], b"one\ntwo\nthree\n");
    let _ = link.right.plain.split_to(4);
    link.left.send(b"four\n");
    link.settle();
    assert_eq!(&link.right.plain[..], b"two\nthree\nfour\n");
    // What waits to be written is kept too.
    link.left.send(b"five\n");
    let waiting = link.left.out.clone();
    link.left.send(b"six\n");
    assert!(link.left.out.starts_with(&waiting));
}

fn both_directions_are_independent<C: Codec>(pair: fn() -> (C, C)) {
    let mut link = Link::open(pair(), usize::MAX);
    let mut sent = String::new();
    for round in 0..1_000 {
        let text = format!("{round}\n");
        link.left.send(text.as_bytes());
        sent += &text;
        if round % 3 == 0 {
            link.right.send(text.as_bytes());
            link.settle();
            assert_eq!(&link.left.plain.split()[..], text.as_bytes());
        }
    }
    link.settle();
    assert_eq!(link.right.plain, sent.as_bytes());
}

fn nothing_comes_of_nothing<C: Codec>(pair: fn() -> (C, C)) {
    let mut link = Link::open(pair(), usize::MAX);
    for _ in 0..3 {
        link.left.receive(b"").unwrap();
        link.left.send(b"");
        link.settle();
    }
    assert!(link.left.plain.is_empty() && link.right.plain.is_empty());
    link.left.send(b"x\n");
    link.settle();
    assert_eq!(&link.right.plain[..], b"x\n");
}

fn memory_stays_flat<C: Codec>(pair: fn() -> (C, C)) {
    let mut link = Link::open(pair(), usize::MAX);
    let text = [b'x'; 8_192];
    for _ in 0..2_000 {
        link.left.send(&text);
        link.settle();
        assert_eq!(link.right.plain.split().len(), text.len());
    }
    for buffer in [&link.right.wire, &link.right.plain, &link.left.out] {
        assert!(buffer.capacity() <= 1 << 20, "{}", buffer.capacity());
    }
}

fn an_end_knows_its_peer_from_the_handshake_on<C: Codec>(
    pair: fn() -> (C, C),
    expected: (PeerIdentity, PeerIdentity),
) {
    let link = Link::open(pair(), usize::MAX);
    let seen = (link.left.codec.peer(), link.right.codec.peer());
    assert_eq!(seen, expected);
}

/// The suite for one codec: how a pair is made, and who each end then says that the other is.
macro_rules! conforms {
    ($codec:ident, $pair:expr, $peers:expr) => {
        mod $codec {
            use super::*;

            #[test]
            fn what_is_sent_arrives_however_it_is_cut() {
                super::what_is_sent_arrives_however_it_is_cut($pair);
            }

            #[test]
            fn every_cut_of_a_short_stream_is_the_same() {
                super::every_cut_of_a_short_stream_is_the_same($pair);
            }

            #[test]
            fn what_the_owner_has_not_taken_yet_is_kept() {
                super::what_the_owner_has_not_taken_yet_is_kept($pair);
            }

            #[test]
            fn both_directions_are_independent() {
                super::both_directions_are_independent($pair);
            }

            #[test]
            fn nothing_comes_of_nothing() {
                super::nothing_comes_of_nothing($pair);
            }

            #[test]
            fn memory_stays_flat() {
                super::memory_stays_flat($pair);
            }

            #[test]
            fn an_end_knows_its_peer_from_the_handshake_on() {
                super::an_end_knows_its_peer_from_the_handshake_on($pair, $peers);
            }
        }
    };
}

conforms!(
    plain,
    || (Plain, Plain),
    (PeerIdentity::Anonymous, PeerIdentity::Anonymous)
);

#[test]
fn plain_frames_are_their_own_wire_form() {
    let mut link = Link::open((Plain, Plain), usize::MAX);
    link.left.send(b"{\"type\":\"pass\"}\n");
    assert_eq!(link.left.written(), b"{\"type\":\"pass\"}\n");
}
