//! Both ends change the key of a direction after every 10,000 records of it, and the nonce goes on.

use protocol_core::codec::{CodecError, REKEY_AFTER};

use crate::by_hand::{self, Records, SIDES};
use crate::end::End;
use crate::kinds::{Kind, SUITES};

/// Past the second change.
const RECORDS: u64 = 2 * REKEY_AFTER + 2;

fn for_each_end(mut test: impl FnMut(End, Records, String)) {
    for suite in SUITES {
        for side in SIDES {
            let (end, by_hand) = by_hand::open(suite, side);
            test(end, by_hand, format!("{suite:?}, {side:?}"));
        }
    }
}

/// Has the peer by hand send `count` records under its key, and the codec read them.
fn hear(end: &mut End, by_hand: &mut Records, count: u64) {
    for _ in 0..count {
        let text = format!("{}\n", by_hand.sent);
        end.receive(&by_hand.seal(text.as_bytes())).unwrap();
        assert_eq!(end.plain.split(), text.as_bytes());
    }
}

/// Has the codec send `count` records, and the peer by hand read them under its key.
fn say(end: &mut End, by_hand: &mut Records, count: u64) {
    for _ in 0..count {
        let text = format!("{}\n", by_hand.received);
        end.send(text.as_bytes());
        assert_eq!(by_hand.open(&end.written()).unwrap(), text.as_bytes());
    }
}

#[test]
fn the_key_changes_after_ten_thousand_records() {
    assert_eq!(REKEY_AFTER, 10_000);
}

#[test]
fn links_go_on_past_each_change_in_both_directions() {
    for kind in SUITES.map(Kind::Encrypted) {
        let mut link = kind.open();
        let (mut up, mut down) = (String::new(), String::new());
        for record in 0..RECORDS {
            let text = format!("{record}\n");
            link.left.send(text.as_bytes());
            up += &text;
            // The directions are not in step.
            for _ in 0..record % 3 {
                link.right.send(text.as_bytes());
                down += &text;
            }
            if record % 100 == 0 {
                link.settle(1_000);
            }
        }
        link.settle(1_000);
        assert!(link.right.plain == up && link.left.plain == down);
        link.left.finish();
        link.settle(1_000);
        assert!(link.right.codec.may_end());
    }
}

#[test]
fn a_peer_by_hand_goes_on_past_each_change() {
    for_each_end(|mut end, mut by_hand, _| {
        for _ in 0..2 {
            hear(&mut end, &mut by_hand, REKEY_AFTER);
            by_hand.rekey_sending();
            say(&mut end, &mut by_hand, REKEY_AFTER);
            by_hand.rekey_receiving();
        }
        hear(&mut end, &mut by_hand, 2);
        say(&mut end, &mut by_hand, 2);
    });
}

#[test]
fn a_peer_that_does_not_change_it_is_refused_at_record_10_001() {
    for_each_end(|mut end, mut by_hand, which| {
        hear(&mut end, &mut by_hand, REKEY_AFTER - 1);
        // With what came before in the same read.
        let record = by_hand.seal(b"the last of this key\n");
        let next = by_hand.seal(b"not to be read\n");
        let read = end.receive(&[record, next].concat());
        assert_eq!(read, Err(CodecError::AlteredRecord), "{which}");
        assert_eq!(&end.plain[..], b"the last of this key\n", "{which}");
        assert!(end.is_deaf(&CodecError::AlteredRecord));
    });
}

#[test]
fn a_peer_that_changes_it_too_early_is_refused() {
    for_each_end(|mut end, mut by_hand, which| {
        hear(&mut end, &mut by_hand, REKEY_AFTER - 1);
        by_hand.rekey_sending();
        let read = end.receive(&by_hand.seal(b"not to be read\n"));
        assert_eq!(read, Err(CodecError::AlteredRecord), "{which}");
        assert!(end.plain.is_empty());
    });
}

#[test]
fn a_peer_that_counts_anew_is_refused() {
    for_each_end(|mut end, mut by_hand, which| {
        hear(&mut end, &mut by_hand, REKEY_AFTER);
        by_hand.rekey_sending();
        by_hand.sent = 0;
        let read = end.receive(&by_hand.seal(b"not to be read\n"));
        assert_eq!(read, Err(CodecError::AlteredRecord), "{which}");
        assert!(end.plain.is_empty());
    });
}

#[test]
fn the_old_key_does_not_read_what_is_sent_under_the_new_one() {
    for_each_end(|mut end, mut by_hand, which| {
        for _ in 1..REKEY_AFTER {
            end.send(b"unheard\n");
        }
        end.out.clear();
        by_hand.received = REKEY_AFTER - 1;
        say(&mut end, &mut by_hand, 1);
        // The end is a record like any other.
        end.finish();
        let record = end.written();
        assert_eq!(by_hand.open(&record), None, "{which}");
        by_hand.rekey_receiving();
        assert_eq!(by_hand.open(&record).unwrap(), b"", "{which}");
        // The other direction has its own count.
        hear(&mut end, &mut by_hand, 1);
    });
}
