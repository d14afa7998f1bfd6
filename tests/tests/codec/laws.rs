//! What every kind of link must do, whatever its codecs do to the bytes.

use protocol_core::codec::{CodecError, PeerIdentity};

use crate::end::{Link, Random, Towards};
use crate::kinds::Kind;

/// Lengths around those where a record, or the length before it, is full.
const LENGTHS: [usize; 10] = [
    1, 2, 100, 4_096, 65_518, 65_519, 65_520, 65_535, 65_536, 1_048_576,
];

/// A text of `length` bytes that is like no other, for whatever is lost or moved.
fn text(length: usize, seed: u64) -> Vec<u8> {
    let mut text = Random(seed).bytes(length.min(4_096));
    text = text.into_iter().cycle().take(length).collect();
    if let Some(last) = text.last_mut() {
        *last = b'\n';
    }
    text
}

pub(crate) fn each_length_arrives_both_ways(kind: Kind) {
    for piece in [1_000, usize::MAX] {
        let mut link = kind.open_in(piece);
        for length in LENGTHS {
            let (up, down) = (text(length, 1), text(length, 2));
            link.left.send(&up);
            link.right.send(&down);
            link.settle(piece);
            assert!(link.right.plain.split() == up, "{length} bytes up");
            assert!(link.left.plain.split() == down, "{length} bytes down");
            assert!(link.left.wire.is_empty() && link.right.wire.is_empty());
        }
    }
}

pub(crate) fn what_is_sent_arrives_however_it_is_cut(kind: Kind) {
    for piece in [1, 2, 7, 1_000, 65_536] {
        let mut link = kind.open_in(piece);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for length in [1, 30, 4_096, 65_519, 70_000] {
            let text = text(length, 3);
            link.left.send(&text);
            up.extend_from_slice(&text);
            link.right.send(&text[1..]);
            down.extend_from_slice(&text[1..]);
        }
        link.settle(piece);
        assert!(link.right.plain == up, "pieces of {piece}");
        assert!(link.left.plain == down, "pieces of {piece}");
    }
}

/// Lets the link open and both ends say something, each stream cut in two at byte `at`; how many
/// bytes the longer one had.
fn cut_once(kind: Kind, at: usize) -> usize {
    let mut link = kind.new_link();
    let [mut to_left, mut to_right] = [0; 2];
    let mut spoken = false;
    loop {
        let due = link.turn(|towards, bytes| {
            let start = match towards {
                Towards::Left => &mut to_left,
                Towards::Right => &mut to_right,
            };
            let middle = at.saturating_sub(*start).min(bytes.len());
            *start += bytes.len();
            let (first, second) = bytes.split_at(middle);
            vec![first.to_vec(), second.to_vec()]
        });
        // The client speaks behind its last message of the handshake, in the same write.
        if link.left.open && !spoken {
            spoken = true;
            link.left.send(b"{\"a\":1}\n");
            link.left.send(b"{\"b\":2}\n{\"c\":3}\n");
        } else if link.right.open && spoken && to_left < 120 && link.left.plain.is_empty() {
            link.right.send(b"{\"d\":4}\n");
        } else if !due {
            break;
        }
    }
    let heard = link.right.plain.split();
    let heard = heard.strip_prefix(kind.greeting()).unwrap();
    assert_eq!(heard, b"{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n", "cut at {at}");
    assert_eq!(&link.left.plain[..], b"{\"d\":4}\n", "cut at {at}");
    assert_eq!(
        [&link.left, &link.right].map(|end| end.codec.peer()),
        kind.peers()
    );
    to_left.max(to_right)
}

pub(crate) fn each_cut_of_the_handshake_and_the_first_records_is_the_same(kind: Kind) {
    let mut at = 0;
    while at <= cut_once(kind, at) {
        at += 1;
    }
}

pub(crate) fn random_cuts_are_the_same(kind: Kind) {
    for seed in 0..100 {
        let mut random = Random(seed);
        let mut link = kind.new_link();
        while link.turn(|_, bytes| random.cut(bytes)) {}
        assert_eq!(link.right.plain.split(), kind.greeting());
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for round in 0..10 {
            for stream in [&mut up, &mut down] {
                let longest = [3, 300, 140_000][random.within(0..3)];
                stream.push(text(random.within(0..longest), round));
            }
            link.left.send(up.last().unwrap());
            link.right.send(down.last().unwrap());
            if random.within(0..2) == 0 {
                link.turn(|_, bytes| random.cut(bytes));
            }
        }
        while link.turn(|_, bytes| random.cut(bytes)) {}
        assert!(link.right.plain == up.concat(), "seed {seed}");
        assert!(link.left.plain == down.concat(), "seed {seed}");
    }
}

/// The client's last message of the handshake, if there is one, and what it sent since: in one read.
pub(crate) fn what_comes_with_the_end_of_the_handshake_is_kept(kind: Kind) {
    let mut link = kind.new_link();
    while !link.left.open {
        link.turn(|_, bytes| vec![bytes.to_vec()]);
    }
    let large = text(200_000, 4);
    link.left.send(b"first\n");
    link.left.send(&large);
    link.left.finish();
    assert_eq!(
        link.right.open,
        matches!(kind, Kind::Plain | Kind::PlainAtPlain)
    );
    let read = link.left.written();
    link.right.receive(&read).unwrap();
    assert!(link.right.open && link.right.codec.may_end());
    let expected = [kind.greeting(), b"first\n", &large].concat();
    assert!(link.right.plain == expected);
}

pub(crate) fn what_the_owner_has_not_taken_yet_is_kept(kind: Kind) {
    let mut link = kind.open_in(3);
    for text in ["one\n", "two\n", "three\n"] {
        link.left.send(text.as_bytes());
        link.settle(3);
    }
    assert_eq!(&link.right.plain[..], b"one\ntwo\nthree\n");
    let _ = link.right.plain.split_to(4);
    link.left.send(b"four\n");
    link.settle(3);
    assert_eq!(&link.right.plain[..], b"two\nthree\nfour\n");
    // What waits to be written is kept too.
    link.left.send(b"five\n");
    let waiting = link.left.out.clone();
    link.left.send(b"six\n");
    assert!(link.left.out.starts_with(&waiting));
}

pub(crate) fn both_directions_are_independent(kind: Kind) {
    let mut link = kind.open();
    let mut sent = String::new();
    for round in 0..1_000 {
        let text = format!("{round}\n");
        link.left.send(text.as_bytes());
        sent += &text;
        if round % 3 == 0 {
            link.right.send(text.as_bytes());
            link.settle(usize::MAX);
            assert_eq!(&link.left.plain.split()[..], text.as_bytes());
        }
    }
    link.settle(usize::MAX);
    assert_eq!(link.right.plain, sent.as_bytes());
}

pub(crate) fn nothing_comes_of_nothing(kind: Kind) {
    let mut link = kind.new_link();
    let greeting = link.left.out.len();
    link.right.receive(b"").unwrap();
    link.left.receive(b"").unwrap();
    assert!(link.right.out.is_empty() && link.left.out.len() == greeting);
    let mut link = kind.open();
    for _ in 0..3 {
        link.left.receive(b"").unwrap();
        link.left.send(b"");
        assert!(link.left.out.is_empty(), "no bytes need no record");
        link.settle(usize::MAX);
    }
    assert!(link.left.plain.is_empty() && link.right.plain.is_empty());
    assert_eq!(link.right.codec.may_end(), !kind.is_encrypted());
    link.left.send(b"x\n");
    link.settle(usize::MAX);
    assert_eq!(&link.right.plain[..], b"x\n");
}

pub(crate) fn nobody_is_known_and_nothing_sent_before_the_link_is_open(kind: Kind) {
    let mut link = kind.new_link();
    let mut silent = false;
    while !silent {
        for end in [&mut link.left, &mut link.right] {
            assert!(end.open || end.is_mute());
            assert!(end.open || end.codec.peer() == PeerIdentity::Anonymous);
        }
        silent = !link.turn(|_, bytes| vec![bytes.to_vec()]);
    }
    assert!(link.left.open && link.right.open);
    assert_eq!(
        [&link.left, &link.right].map(|end| end.codec.peer()),
        kind.peers()
    );
}

pub(crate) fn memory_stays_flat(kind: Kind) {
    let mut link = kind.open();
    let (small, large) = (text(150, 5), text(1_048_576, 6));
    let capacities = |link: &Link| {
        let ends = [&link.left, &link.right];
        ends.map(|end| [&end.wire, &end.plain, &end.out].map(bytes::BytesMut::capacity))
    };
    let mut largest = Vec::new();
    for round in 0..20 {
        for piece in [&small, &large, &small] {
            link.left.send(piece);
            link.settle(8_192);
            assert!(link.right.plain.split() == *piece);
        }
        for _ in 0..200 {
            link.right.send(&small);
            link.settle(100);
            assert_eq!(link.left.plain.split().len(), small.len());
        }
        let all: usize = capacities(&link).concat().iter().sum();
        if round >= 10 {
            largest.push(all);
        }
    }
    assert!(
        largest.iter().all(|all| *all <= 8 << 20),
        "a megabyte at a time takes {largest:?} bytes"
    );
    assert!(largest.last() <= largest.first(), "it grows: {largest:?}");
}

/// The end of one direction, which the other one does not share.
pub(crate) fn an_end_says_that_it_sends_no_more(kind: Kind) {
    let encrypted = kind.is_encrypted();
    let mut link = kind.open();
    link.left.send(b"last\n");
    assert_eq!(link.right.codec.may_end(), !encrypted);
    link.settle(usize::MAX);
    assert_eq!(link.right.codec.may_end(), !encrypted);

    link.left.finish();
    assert_eq!(link.left.out.is_empty(), !encrypted);
    let end = link.left.written();
    for byte in &end {
        assert!(!link.right.codec.may_end());
        link.right.receive(&[*byte]).unwrap();
    }
    assert!(link.right.codec.may_end());
    assert_eq!(&link.right.plain.split()[..], b"last\n");
    assert!(link.right.open, "it may still send");
    link.right.receive(b"").unwrap();
    assert!(link.right.codec.may_end());
    // A plain codec has no state, so it cannot refuse to send on.
    assert_eq!(link.left.is_mute(), encrypted);
    link.left.out.clear();

    link.right.send(b"answer\n");
    link.right.finish();
    link.settle(1);
    assert_eq!(&link.left.plain[..], b"answer\n");
    assert!(link.left.codec.may_end());
}

/// A stream that breaks off: every place of it, up to the end that was announced.
pub(crate) fn a_stream_may_end_behind_its_last_record_only(kind: Kind) {
    let mut link = kind.open();
    link.left.send(b"one\n");
    link.left.send(b"two\n");
    link.left.finish();
    let stream = link.left.written();
    for (index, byte) in stream.iter().enumerate() {
        let may_end = link.right.codec.may_end();
        assert_eq!(may_end, !kind.is_encrypted(), "after {index} bytes");
        link.right.receive(&[*byte]).unwrap();
    }
    assert!(link.right.codec.may_end());
    assert_eq!(&link.right.plain[..], b"one\ntwo\n");
}

pub(crate) fn a_handshake_that_breaks_off_is_no_end(kind: Kind) {
    let mut whole = kind.new_link();
    whole.settle(usize::MAX);
    if !kind.is_encrypted() {
        assert!(whole.left.codec.may_end() && whole.right.codec.may_end());
        return;
    }
    let mut link = kind.new_link();
    // Before the whole preamble is there, nothing has begun at the server.
    let preamble: Vec<u8> = link.left.out.split_to(5).to_vec();
    link.right.receive(&preamble).unwrap();
    let mut due = true;
    while due {
        due = link.turn(|_, bytes| bytes.chunks(1).map(<[u8]>::to_vec).collect());
        assert!(!link.left.codec.may_end() && !link.right.codec.may_end());
    }
}

/// Whatever stands behind the announced end, in the same read or in a later one.
pub(crate) fn bytes_behind_the_end_are_an_error(kind: Kind) {
    let error = CodecError::Malformed("there are bytes behind the end");
    for (extra, apart) in [(1, false), (1, true), (18, false), (100, true)] {
        let mut link = kind.open();
        link.left.send(b"last\n");
        link.left.finish();
        let mut stream = link.left.written();
        let end = stream.len();
        stream.resize(end + extra, 0);
        let (first, second) = stream.split_at(if apart { end } else { end + extra });
        let mut result = link.right.receive(first);
        if apart {
            assert_eq!(result, Ok(()));
            result = link.right.receive(second);
        }
        let expected = if kind.is_encrypted() {
            Err(error.clone())
        } else {
            Ok(())
        };
        assert_eq!(result, expected, "{extra} bytes, apart: {apart}");
        assert!(link.right.plain.starts_with(b"last\n"));
        // It can still say why it closes the link.
        link.right.send(b"why\n");
        link.settle(usize::MAX);
        assert_eq!(&link.left.plain[..], b"why\n");
    }
}
