//! What is done to the records of an open link.

use std::time::Duration;

use protocol_core::codec::{CodecError, Suite};
use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{CloseReason, Limits};
use protocol_tests::run;

use crate::deeds::{
    cut_after, drip, echo, flip, forged, look, pass, precede, reflect, repeat, swap, to, withhold,
};
use crate::pieces::{BOTH_WAYS, LENGTH_BYTES, Part, Piece, Towards};
use crate::proxy::{Act, Deed};
use crate::talk::{Ending, ROUNDS, SUITES, Talk, record};
use crate::vault::{Heard, Put};

/// Each suite and direction, and rounds in which the proxy acts: the first, one amid others, and the
/// last but `spared`.
fn cases(spared: usize) -> impl Iterator<Item = (Suite, Towards, usize)> {
    let rounds = [0, 2, ROUNDS - 1 - spared];
    let ways = BOTH_WAYS.map(|towards| rounds.map(|round| (towards, round)));
    let ways = ways.into_iter().flatten();
    ways.flat_map(|(towards, round)| SUITES.map(|suite| (suite, towards, round)))
}

/// How a talk ends in which this is done.
async fn disturbed(suite: Suite, towards: Towards, round: usize, deed: Deed) -> Ending {
    let mut talk = Talk::begin(suite, deed).await;
    talk.disturb(towards, round).await;
    talk.end().await
}

/// What is done to the pass of a round is found at once by the end that gets it.
async fn is_found<Done>(error: CodecError, act: impl Fn() -> Done)
where
    Done: FnMut(Piece) -> Vec<Act> + Send + 'static,
{
    for (suite, towards, round) in cases(0) {
        let deed = to(towards, record(towards, round), act());
        let ending = disturbed(suite, towards, round, deed).await;
        ending.assert_found(&error, towards);
    }
}

#[test]
fn left_alone_the_talk_is_whole() {
    run(async {
        for suite in SUITES {
            let mut talk = Talk::begin(suite, look()).await;
            talk.disturb(Towards::Server, ROUNDS).await;
            let (pieces, house, _) = talk.part().await;
            for towards in BOTH_WAYS {
                let mut records = pieces.iter().filter(|it| it.towards == towards);
                let last = records.next_back().unwrap();
                assert!(last.is_end(), "{last:?}");
            }
            assert_eq!(house.admitted(), 1 + ROUNDS);
        }
    });
}

#[test]
fn cut_into_single_bytes_the_talk_is_whole() {
    run(async {
        for suite in SUITES {
            let mut talk = Talk::begin(suite, drip()).await;
            talk.disturb(Towards::Server, ROUNDS).await;
            let (_, house, _) = talk.part().await;
            assert_eq!(house.admitted(), 1 + ROUNDS);
        }
    });
}

#[test]
fn a_bit_of_a_record_is_changed() {
    run(async {
        // Of its first and a middle byte.
        for at in [LENGTH_BYTES, LENGTH_BYTES + 40] {
            is_found(CodecError::AlteredRecord, || flip(at, 0x01)).await;
        }
        // Of its tag's first and last.
        for from_end in [16, 1] {
            is_found(CodecError::AlteredRecord, || {
                move |piece: Piece| flip(piece.bytes.len() - from_end, 0x80)(piece)
            })
            .await;
        }
    });
}

#[test]
fn a_record_is_forged() {
    run(async {
        for body in [16, 17, 400, 65_535] {
            is_found(CodecError::AlteredRecord, || precede(forged(body))).await;
        }
        // Plain frames, as many as the length takes that their first two bytes are read as.
        let frame = b"{\"type\":\"pass\",\"name\":\"put\",\"data\":{\"n\":0,\"secret\":\"\"}}\n";
        let frames = frame.repeat(0x7b22 / frame.len() + 1);
        is_found(CodecError::AlteredRecord, || precede(frames.clone())).await;
    });
}

#[test]
fn a_record_is_too_short_for_a_tag() {
    run(async {
        let error = CodecError::Malformed("a record is shorter than its tag");
        for body in [0, 1, 15] {
            is_found(error.clone(), || precede(forged(body))).await;
        }
    });
}

#[test]
fn a_record_is_dropped() {
    run(async {
        for (suite, towards, round) in cases(1) {
            let deed = to(towards, record(towards, round), withhold);
            let ending = disturbed(suite, towards, round, deed).await;
            ending.assert_found(&CodecError::AlteredRecord, towards);
        }
    });
}

#[test]
fn a_record_is_repeated() {
    run(async {
        for (suite, towards, round) in cases(0) {
            let deed = to(towards, record(towards, round), repeat);
            let ending = disturbed(suite, towards, round, deed).await;
            ending.assert_gave_up(&CodecError::AlteredRecord, towards);
            assert!(ending.handled(towards) <= 1, "it is handled once at most");
        }
    });
}

#[test]
fn two_records_are_swapped() {
    run(async {
        for (suite, towards, round) in cases(1) {
            let Part::Record(index) = record(towards, round) else {
                unreachable!("a round has records");
            };
            let ending = disturbed(suite, towards, round, swap(towards, index)).await;
            ending.assert_found(&CodecError::AlteredRecord, towards);
        }
    });
}

#[test]
fn a_record_comes_back_to_its_sender() {
    run(async {
        for (suite, towards, round) in cases(0) {
            let deed = to(towards, record(towards, round), reflect);
            let ending = disturbed(suite, towards, round, deed).await;
            ending.assert_both_found(&CodecError::AlteredRecord);
            assert_eq!(ending.handled(towards), 0);

            let deed = to(towards, record(towards, round), echo);
            let ending = disturbed(suite, towards, round, deed).await;
            ending.assert_found(&CodecError::AlteredRecord, towards.back());
        }
    });
}

#[test]
fn a_record_of_another_link_is_replayed() {
    run(async {
        for (suite, towards, round) in cases(0) {
            let mut first = Talk::begin(suite, look()).await;
            first.disturb(Towards::Server, ROUNDS).await;
            let (pieces, house, keys) = first.part().await;
            let wanted = (towards, record(towards, round));
            let mut pieces = pieces.into_iter();
            let genuine = pieces.find(|piece| (piece.towards, piece.part) == wanted);
            let genuine = genuine.expect("it went by").bytes;
            // The same two ends, the same place in the talk, the same secret.
            let again = move |piece: Piece| vec![Act::Say(piece.towards, genuine.clone())];
            let deed = to(towards, record(towards, round), again);
            let frame = Limits::server().frame_timeout;
            let mut second = Talk::meet(house, keys, suite, frame, deed).await;
            second.disturb(towards, round).await;
            let ending = second.end().await;
            ending.assert_found(&CodecError::AlteredRecord, towards);
        }
    });
}

#[test]
fn a_bit_of_a_records_length_is_changed() {
    let waits = Duration::from_millis(300);
    let late = WireError::new(
        ErrorCode::Timeout,
        format!("a frame did not end within {waits:?}"),
    );
    run(async move {
        for (towards, bit) in BOTH_WAYS
            .into_iter()
            .flat_map(|it| (0..16).map(move |bit| (it, bit)))
        {
            let (suite, round) = (SUITES[bit % 2], 1);
            let part = record(towards, round);
            let deed = to(towards, part, flip(1 - bit / 8, 1 << (bit % 8)));
            let mut talk = Talk::begin_within(suite, waits, deed).await;
            talk.disturb(towards, round).await;
            let ending = talk.end().await;

            let mut sent = ending.seen.iter().filter(|it| it.towards == towards);
            let altered = sent.find(|it| it.part == part).expect("it went by");
            let length = (altered.bytes.len() - LENGTH_BYTES) ^ (1 << bit);
            let behind = sent.filter(|it| !it.is_end() && it.part != Part::Plain);
            let talked = behind.take(ROUNDS - 1 - round).map(|it| it.bytes.len());
            let come = altered.bytes.len() - LENGTH_BYTES + talked.sum::<usize>();
            if length < 16 {
                let error = CodecError::Malformed("a record is shorter than its tag");
                ending.assert_found(&error, towards);
            } else if length <= come {
                ending.assert_found(&CodecError::AlteredRecord, towards);
            } else {
                // The rest of that record never comes.
                let found = CloseReason::Violated(late.clone());
                assert_eq!(ending.at(towards), &found, "{ending:?}");
                ending.assert_told(late.clone(), towards.back());
                assert_eq!(ending.handled(towards), 0);
            }
        }
    });
}

#[test]
fn the_link_is_cut_inside_a_record() {
    run(async {
        for at in [1, LENGTH_BYTES, LENGTH_BYTES + 1, LENGTH_BYTES + 40] {
            for (suite, towards, round) in cases(0) {
                let deed = to(towards, record(towards, round), cut_after(at));
                let ending = disturbed(suite, towards, round, deed).await;
                assert_eq!(ending.at_server, CloseReason::CutOff, "{ending:?}");
                assert_eq!(ending.at_client, CloseReason::CutOff, "{ending:?}");
                assert_eq!(ending.handled(towards), 0);
                ending.assert_call_lost();
            }
        }
    });
}

#[test]
fn the_link_is_cut_between_two_records() {
    run(async {
        for (suite, towards, round) in cases(0) {
            let cut_behind = |piece| [pass(piece), vec![Act::Cut]].concat();
            let deed = to(towards, record(towards, round), cut_behind);
            let ending = disturbed(suite, towards, round, deed).await;
            assert_eq!(ending.at_server, CloseReason::CutOff, "{ending:?}");
            assert_eq!(ending.at_client, CloseReason::CutOff, "{ending:?}");
            assert_eq!(ending.handled(towards), 1, "the last that came whole");
            ending.assert_call_lost();
        }
    });
}

#[test]
fn nothing_of_a_pass_that_spans_records_is_handled_before_its_last() {
    // Of the longest frame that a server takes, the last bytes stand in a second record.
    let long = 65_425;
    run(async move {
        for suite in SUITES {
            let mut talk = Talk::begin(suite, look()).await;
            talk.visitor.client.send(Put::new(long)).await.unwrap();
            assert_eq!(talk.house.hears().await, Heard::Put(long));
            assert!(talk.proxy.sees(Towards::Server, Part::Record(2)).await);
            talk.part().await;

            let deed = to(Towards::Server, Part::Record(2), flip(LENGTH_BYTES, 1));
            let talk = Talk::begin(suite, deed).await;
            talk.visitor.client.send(Put::new(long)).await.unwrap();
            let ending = talk.end().await;
            ending.assert_found(&CodecError::AlteredRecord, Towards::Server);
        }
    });
}
