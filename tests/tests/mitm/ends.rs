//! What is done to the record by which an end says that it sends no more.

use protocol_core::CloseReason;
use protocol_core::codec::CodecError;
use protocol_tests::run;

use crate::deeds::{flip, forged, look, pass, to_end, withhold};
use crate::pieces::{BOTH_WAYS, LENGTH_BYTES, Piece, Towards};
use crate::proxy::{Act, Deed};
use crate::talk::{Ending, SUITES, Talk};

/// How a talk ends in which the other end than `towards` leads to closes the link in order.
async fn closed(towards: Towards, deed: impl Fn() -> Deed) -> Vec<Ending> {
    let mut endings = Vec::new();
    for suite in SUITES {
        let talk = Talk::begin(suite, deed()).await;
        match towards {
            Towards::Server => talk.visitor.client.clone().close().await,
            Towards::Client => talk.house.close(),
        }
        let ending = talk.end().await;
        assert_eq!(
            ending.at(towards.back()),
            &CloseReason::Closed,
            "{ending:?}"
        );
        endings.push(ending);
    }
    endings
}

/// What is done to the last record has the end that gets it, or does not, find this.
async fn is_found(reason: CloseReason, act: fn(Piece) -> Vec<Act>) {
    for towards in BOTH_WAYS {
        for ending in closed(towards, || to_end(towards, act)).await {
            assert_eq!(ending.at(towards), &reason, "{ending:?}");
        }
    }
}

#[test]
fn left_alone_it_tells_the_end_from_a_cut() {
    run(async {
        for towards in BOTH_WAYS {
            for ending in closed(towards, look).await {
                assert_eq!(ending.at(towards), &CloseReason::PeerClosed, "{ending:?}");
            }
        }
    });
}

#[test]
fn dropped_the_link_was_cut_off() {
    run(is_found(CloseReason::CutOff, withhold));
}

#[test]
fn cut_short_the_link_was_cut_off() {
    run(is_found(CloseReason::CutOff, |mut piece| {
        piece.bytes.pop();
        pass(piece)
    }));
}

#[test]
fn altered_it_is_no_end() {
    let altered = CloseReason::Codec(CodecError::AlteredRecord);
    run(is_found(altered, flip_first));
}

fn flip_first(piece: Piece) -> Vec<Act> {
    flip(LENGTH_BYTES, 1)(piece)
}

#[test]
fn sent_twice_there_are_bytes_behind_it() {
    let behind = CodecError::Malformed("there are bytes behind the end");
    run(is_found(CloseReason::Codec(behind), crate::deeds::repeat));
}

#[test]
fn nothing_is_put_behind_it() {
    let behind = CodecError::Malformed("there are bytes behind the end");
    run(is_found(CloseReason::Codec(behind), |mut piece| {
        piece.bytes.extend(forged(40));
        pass(piece)
    }));
}
