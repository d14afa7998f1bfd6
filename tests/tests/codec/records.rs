//! Somebody in the middle of an open link, who may do anything to its records. What is delivered is
//! always what was sent, from its beginning, without a gap.

use protocol_core::codec::CodecError::{self, AlteredRecord, Malformed};
use protocol_core::codec::Suite;

use crate::by_hand::{self, SIDES, Side, framed};
use crate::end::{End, Random};
use crate::kinds::{Kind, SUITES};

const SHORT: CodecError = Malformed("a record is shorter than its tag");

/// The ends of an open link: who is sent to, who sends.
fn open(suite: Suite, to: Side) -> (End, End) {
    let link = Kind::Encrypted(suite).open();
    match to {
        Side::Client => (link.left, link.right),
        Side::Server => (link.right, link.left),
    }
}

fn directions() -> impl Iterator<Item = (Suite, Side)> {
    SUITES
        .into_iter()
        .flat_map(|suite| SIDES.map(|side| (suite, side)))
}

/// The records of an end that sends these texts, each of which fits into one.
fn records(end: &mut End, texts: &[&[u8]]) -> Vec<Vec<u8>> {
    let record = |text: &&[u8]| {
        if text.is_empty() {
            end.finish();
        } else {
            end.send(text);
        }
        end.written()
    };
    texts.iter().map(record).collect()
}

/// The end has given up with this error, having delivered `plain`; it can still say why.
fn gave_up(end: &mut End, read: &Result<(), CodecError>, error: &CodecError, plain: &[u8]) {
    assert_eq!(read.as_ref(), Err(error));
    assert!(end.plain == plain, "{:?} is delivered", end.plain);
    assert!(!end.codec.may_end());
    assert!(end.is_deaf(error));
    assert!(end.plain == plain);
    assert!(!end.is_mute());
}

#[test]
fn each_bit_of_a_record_counts() {
    // Enough for whatever a changed length asks for.
    let behind = vec![b'z'; 65_519];
    for (suite, to) in directions() {
        for bit in 0..8 * 2 * (2 + 4 + 16) {
            let (record, byte) = (bit / 8 / 22, bit / 8 % 22);
            let (mut end, mut sender) = open(suite, to);
            let behind = if byte < 2 { &behind[..] } else { b"three\n" };
            let mut stream = records(&mut sender, &[b"one\n", b"two\n", behind, behind]).concat();
            stream[bit / 8] ^= 1 << (bit % 8);
            let read = end.receive(&stream);
            // By one bit the length of 20 becomes 4, by the others 16 or more.
            let is_short = byte == 1 && stream[bit / 8] < 16;
            let error = if is_short { SHORT } else { AlteredRecord };
            gave_up(&mut end, &read, &error, &b"one\n"[..4 * record]);
        }
    }
}

#[test]
fn lengths_below_that_of_a_tag_are_refused_before_the_rest() {
    for (suite, to) in directions() {
        for length in 0..16 {
            let (mut end, mut sender) = open(suite, to);
            let one = records(&mut sender, &[b"one\n"]).concat();
            let read = end.receive(&[&one[..], &[0, length]].concat());
            gave_up(&mut end, &read, &SHORT, b"one\n");
        }
        // A tag that nobody made is no end of the stream.
        let (mut end, _) = open(suite, to);
        let read = end.receive(&framed(&[0; 16]));
        gave_up(&mut end, &read, &AlteredRecord, b"");
    }
}

#[test]
fn an_announced_length_reserves_nothing() {
    for (suite, to) in directions() {
        let (mut end, _) = open(suite, to);
        end.receive(&[0xff, 0xff, 1]).unwrap();
        assert_eq!(end.plain.capacity(), 0);
        assert!(end.wire.capacity() < 1_024, "{}", end.wire.capacity());
    }
}

/// What the middle does to the records `one`, `two`, `three` and the end, and how many arrive.
type Deed = fn(&mut Vec<Vec<u8>>);

const DEEDS: [(&str, Deed, usize); 12] = [
    ("drops the first", |records| drop(records.remove(0)), 0),
    ("drops the second", |records| drop(records.remove(1)), 1),
    ("drops the third", |records| drop(records.remove(2)), 2),
    (
        "repeats the first",
        |records| records.insert(1, records[0].clone()),
        1,
    ),
    (
        "repeats it later",
        |records| records.insert(3, records[0].clone()),
        3,
    ),
    (
        "repeats the third",
        |records| records.insert(3, records[2].clone()),
        3,
    ),
    ("swaps two", |records| records.swap(0, 1), 0),
    ("swaps others", |records| records.swap(1, 2), 1),
    ("turns all around", |records| records.reverse(), 0),
    ("moves the end forward", |records| records.swap(1, 3), 1),
    (
        "joins two under one length",
        |records| {
            let body: Vec<u8> = [&records[0][2..], &records[1][2..]].concat();
            records[0] = framed(&body);
            records.remove(1);
        },
        0,
    ),
    (
        "takes a byte off one, and its length",
        |records| {
            let length = records[1].len() - 1;
            records[1] = framed(&records[1][2..length]);
        },
        1,
    ),
];

#[test]
fn records_that_are_dropped_repeated_or_moved_are_noticed() {
    let texts = [&b"one\n"[..], b"two\n", b"three\n", b""];
    for (suite, to) in directions() {
        for (what, deed, arrive) in DEEDS {
            for apart in [false, true] {
                let (mut end, mut sender) = open(suite, to);
                let mut records = records(&mut sender, &texts);
                deed(&mut records);
                let reads = if apart {
                    records
                } else {
                    vec![records.concat()]
                };
                let error = reads.iter().find_map(|read| end.receive(read).err());
                assert_eq!(error, Some(AlteredRecord), "{what}");
                gave_up(
                    &mut end,
                    &Err(AlteredRecord),
                    &AlteredRecord,
                    &texts[..arrive].concat(),
                );
            }
        }
    }
}

#[test]
fn records_from_elsewhere_are_noticed() {
    let texts = [&b"one\n"[..], b"two\n"];
    for (suite, to) in directions() {
        // Its own, sent back.
        let (mut end, mut sender) = open(suite, to);
        let own = records(&mut end, &texts).concat();
        let genuine = records(&mut sender, &texts[..1]).concat();
        let read = end.receive(&[genuine, own].concat());
        gave_up(&mut end, &read, &AlteredRecord, b"one\n");

        // Those of another link between the same two, at the same place.
        let (mut end, mut sender) = open(suite, to);
        let (_, mut other) = open(suite, to);
        let genuine = records(&mut sender, &texts);
        let foreign = records(&mut other, &texts);
        let read = end.receive(&[&genuine[0][..], &foreign[1]].concat());
        gave_up(&mut end, &read, &AlteredRecord, b"one\n");
        let (mut end, _) = open(suite, to);
        let read = end.receive(&foreign.concat());
        gave_up(&mut end, &read, &AlteredRecord, b"");
    }
}

#[test]
fn a_stream_that_breaks_off_is_told_from_one_that_ends() {
    for (suite, to) in directions() {
        let (mut end, mut sender) = open(suite, to);
        let stream = records(&mut sender, &[b"one\n", b"two\n", b""]).concat();
        let without_its_end = &stream[..stream.len() - 1];
        end.receive(without_its_end).unwrap();
        assert_eq!(&end.plain[..], b"one\ntwo\n");
        assert!(!end.codec.may_end());
        end.receive(&stream[stream.len() - 1..]).unwrap();
        assert!(end.codec.may_end());
    }
}

/// What came before in the same read, and what the owner has not taken yet, stays as it is; and the
/// other end can be told.
#[test]
fn an_error_leaves_what_is_genuine() {
    for (suite, to) in directions() {
        let (mut end, mut sender) = open(suite, to);
        let sealed = records(&mut sender, &[b"zero\n", b"one\n", b"two\n", b"three\n"]);
        end.receive(&sealed[0]).unwrap();
        let mut stream = sealed[1..].concat();
        let last = stream.len() - 1;
        stream[last] ^= 1;
        let read = end.receive(&stream);
        assert_eq!(&end.plain[..], b"zero\none\ntwo\n");
        gave_up(&mut end, &read, &AlteredRecord, b"zero\none\ntwo\n");
    }
}

#[test]
fn an_end_that_gave_up_can_say_why() {
    for (suite, to) in directions() {
        let (mut end, mut sender) = open(suite, to);
        end.send(b"due\n");
        assert_eq!(end.receive(&[0, 0]), Err(SHORT));
        end.send(b"why\n");
        end.finish();
        sender.receive(&end.written()).unwrap();
        assert_eq!(&sender.plain[..], b"due\nwhy\n");
        assert!(sender.codec.may_end());
    }
}

/// One of many things that a middle can do to a stream of records.
fn tamper(random: &mut Random, stream: &mut Vec<Vec<u8>>, elsewhere: &[Vec<u8>]) {
    let at = random.within(0..stream.len());
    let other = random.within(0..stream.len());
    match random.within(0..10) {
        0 => {
            let byte = random.within(0..stream[at].len());
            stream[at][byte] ^= 1 << random.within(0..8);
        }
        1 => drop(stream.remove(at)),
        2 => stream.insert(other, stream[at].clone()),
        3 => stream.swap(at, other),
        4 => {
            let length = random.within(0..stream[at].len());
            stream[at].truncate(length);
        }
        5 => {
            let noise = random.within(1..200);
            let noise = random.bytes(noise);
            stream.insert(at, noise);
        }
        6 => stream.insert(at, elsewhere[random.within(0..elsewhere.len())].clone()),
        7 => stream[at].clone_from(&elsewhere[random.within(0..elsewhere.len())]),
        8 => {
            let byte = random.within(0..stream[at].len());
            stream[at].remove(byte);
        }
        _ => stream.truncate(at),
    }
    stream.retain(|record| !record.is_empty());
    if stream.is_empty() {
        stream.push(vec![0; 20]);
    }
}

#[test]
fn whatever_is_done_the_untouched_beginning_is_delivered_and_nothing_else() {
    let (mut refused, mut cut) = (0, 0);
    for seed in 0..500 {
        let mut random = Random(seed);
        let (suite, to) = directions().nth(random.within(0..4)).unwrap();
        let (mut end, mut sender) = open(suite, to);
        let count = random.within(1..8);
        let lengths: Vec<usize> = (0..count)
            .map(|_| {
                let longest = [2, 100, 8_175][random.within(0..3)];
                random.within(1..longest)
            })
            .collect();
        let mut texts: Vec<Vec<u8>> = lengths.iter().map(|length| random.bytes(*length)).collect();
        texts.push(Vec::new());
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let genuine = records(&mut sender, &texts);
        let (_, mut other) = open(suite, to);
        let elsewhere = [records(&mut end, &texts), records(&mut other, &texts)].concat();

        let mut altered = genuine.clone();
        for _ in 0..random.within(1..4) {
            tamper(&mut random, &mut altered, &elsewhere);
        }
        let (altered, whole) = (altered.concat(), genuine.concat());
        // The records that lie whole in what both streams begin with.
        let same = altered
            .iter()
            .zip(&whole)
            .take_while(|(a, b)| a == b)
            .count();
        let (mut arrive, mut length) = (Vec::new(), 0);
        for (record, text) in genuine.iter().zip(&texts) {
            length += record.len();
            if length <= same {
                arrive.extend_from_slice(text);
            }
        }
        let error = random
            .cut(&altered)
            .iter()
            .find_map(|read| end.receive(read).err());
        assert!(end.plain == arrive, "seed {seed}");
        assert_eq!(end.codec.may_end(), same == whole.len(), "seed {seed}");
        match error {
            None if altered == whole => {}
            // It waits for the rest of a record, so whatever comes next is wrong.
            None => {
                assert!(!end.codec.may_end(), "seed {seed}");
                cut += 1;
                if !whole.starts_with(&altered) {
                    assert!(end.receive(&vec![0; 66_000]).is_err(), "seed {seed}");
                    assert!(end.plain == arrive, "seed {seed}");
                }
            }
            Some(error) => {
                let behind = Malformed("there are bytes behind the end");
                assert!(
                    [AlteredRecord, SHORT, behind].contains(&error),
                    "seed {seed}"
                );
                assert!(end.is_deaf(&error) && end.plain == arrive, "seed {seed}");
                refused += 1;
            }
        }
    }
    assert!(
        refused > 300 && cut > 30,
        "{refused} refused, {cut} cut off"
    );
}

#[test]
fn a_peer_that_miscounts_is_refused() {
    for (suite, side) in directions() {
        // Its count was used, or skips one.
        for count in [0, 2] {
            let (mut end, mut peer) = by_hand::open(suite, side);
            end.receive(&peer.seal(b"genuine\n")).unwrap();
            peer.sent = count;
            let read = end.receive(&peer.seal(b"forged\n"));
            gave_up(&mut end, &read, &AlteredRecord, b"genuine\n");
        }
    }
}
