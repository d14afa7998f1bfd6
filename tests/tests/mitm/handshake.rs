//! What is done to the preamble and the three messages of the handshake.

use std::time::Duration;

use protocol_core::codec::{CodecError, Suite};
use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{CloseReason, RequestError, ServerLimits};
use protocol_tests::run;

use crate::attempt::{Attempt, bad_frame};
use crate::deeds::{cut_after, drip, flip, pass, precede, reflect, repeat, replace, to, withhold};
use crate::pieces::{LENGTH_BYTES, Part, Piece, Towards};
use crate::proxy::{Act, Deed};
use crate::talk::{SUITES, Talk};

const PREAMBLE: Part = Part::Preamble;
const FIRST: Part = Part::Message(1);
const SECOND: Part = Part::Message(2);
const THIRD: Part = Part::Message(3);

const NO_START: &str = "a link starts with a frame or with the preamble of encryption";

/// Where a message goes.
fn way(part: Part) -> Towards {
    match part {
        SECOND => Towards::Client,
        _ => Towards::Server,
    }
}

/// Connects with this done to one piece.
async fn attempt<Done>(suite: Suite, part: Part, act: Done) -> Attempt
where
    Done: FnMut(Piece) -> Vec<Act> + Send + 'static,
{
    Attempt::through(suite, to(way(part), part, act)).await
}

/// Connects while this piece never comes, between ends that wait so long for a handshake.
async fn without(suite: Suite, part: Part, [server, client]: [Duration; 2]) -> Attempt {
    let mut limits = ServerLimits::default();
    limits.connection.handshake_timeout = server;
    Attempt::within(suite, limits, client, to(way(part), part, withhold)).await
}

const BRIEF: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

fn too_late() -> WireError {
    let text = format!("no link came about within {BRIEF:?}");
    WireError::new(ErrorCode::Timeout, text)
}

fn wrong_length() -> CodecError {
    CodecError::Malformed("a message of the handshake has another length")
}

#[test]
fn a_bit_of_the_preamble_is_changed() {
    run(async {
        for (suite, number) in SUITES.into_iter().zip([1, 2]) {
            for (at, bit) in (0..5).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let bits = 1_u8 << bit;
                let error = match (at, bits ^ 0x01) {
                    (0, b'\t') => CodecError::EncryptionRequired,
                    (0, _) => CodecError::Malformed(NO_START),
                    (1 | 2, _) => CodecError::Malformed("no preamble of encryption"),
                    (3, version) => CodecError::UnknownVersion(version),
                    _ => CodecError::UnknownSuite(number ^ bits),
                };
                let word = match error {
                    CodecError::EncryptionRequired => {
                        WireError::new(ErrorCode::EncryptionRequired, error.to_string())
                    }
                    error => bad_frame(&error),
                };
                let attempt = attempt(suite, PREAMBLE, flip(at, bits)).await;
                attempt.assert_refused(word).await;
            }
        }
    });
}

#[test]
fn the_suite_is_changed_to_the_other_one() {
    run(async {
        for suite in SUITES {
            let attempt = attempt(suite, PREAMBLE, flip(4, 1 ^ 2)).await;
            attempt
                .assert_client_found(CodecError::AlteredHandshake)
                .await;
        }
    });
}

#[test]
fn a_bit_of_the_first_message_is_changed() {
    run(async {
        for (suite, at) in SUITES
            .into_iter()
            .flat_map(|it| (0..34).map(move |at| (it, at)))
        {
            // Also the bit that X25519 itself leaves out of account.
            let attempt = attempt(suite, FIRST, flip(at, 0x80)).await;
            if at < LENGTH_BYTES {
                attempt.assert_refused(bad_frame(&wrong_length())).await;
            } else {
                // Only the answer shows it: the first message is in the clear.
                attempt
                    .assert_client_found(CodecError::AlteredHandshake)
                    .await;
            }
        }
    });
}

#[test]
fn a_bit_of_the_second_message_is_changed() {
    run(async {
        for (suite, at) in SUITES
            .into_iter()
            .flat_map(|it| (0..98).map(move |at| (it, at)))
        {
            let attempt = attempt(suite, SECOND, flip(at, 0x80)).await;
            let error = match at {
                0 | 1 => wrong_length(),
                _ => CodecError::AlteredHandshake,
            };
            attempt.assert_client_found(error).await;
        }
    });
}

#[test]
fn a_bit_of_the_third_message_is_changed() {
    run(async {
        for (suite, at) in SUITES
            .into_iter()
            .flat_map(|it| (0..66).map(move |at| (it, at)))
        {
            let attempt = attempt(suite, THIRD, flip(at, 0x80)).await;
            let error = match at {
                0 | 1 => wrong_length(),
                _ => CodecError::AlteredHandshake,
            };
            attempt.assert_cut_off(Some(bad_frame(&error))).await;
        }
    });
}

#[test]
fn a_message_is_replaced_by_noughts() {
    run(async {
        for suite in SUITES {
            // A key of noughts is of low order, see `weak_keys`.
            let noughts = |length: u8| [&[0, length][..], &vec![0; length.into()]].concat();
            let second = attempt(suite, SECOND, replace(noughts(96))).await;
            second.assert_client_found(CodecError::WeakKey).await;
            let third = attempt(suite, THIRD, replace(noughts(64))).await;
            let error = CodecError::AlteredHandshake;
            third.assert_cut_off(Some(bad_frame(&error))).await;
        }
    });
}

#[test]
fn the_preamble_is_dropped() {
    run(async {
        let no_start = CodecError::Malformed(NO_START);
        for suite in SUITES {
            let attempt = attempt(suite, PREAMBLE, withhold).await;
            attempt.assert_refused(bad_frame(&no_start)).await;
        }
    });
}

#[test]
fn a_message_is_dropped_and_the_server_gives_up() {
    run(async {
        for suite in SUITES {
            for part in [FIRST, SECOND] {
                let attempt = without(suite, part, [BRIEF, LONG]).await;
                attempt.assert_refused(too_late()).await;
            }
            let attempt = without(suite, THIRD, [BRIEF, LONG]).await;
            attempt.assert_cut_off(Some(too_late())).await;
        }
    });
}

#[test]
fn a_message_is_dropped_and_the_client_gives_up() {
    run(async {
        for (suite, part) in SUITES
            .into_iter()
            .flat_map(|it| [FIRST, SECOND].map(|part| (it, part)))
        {
            let attempt = without(suite, part, [LONG, BRIEF]).await;
            attempt.assert_timeout(BRIEF).await;
        }
    });
}

#[test]
fn the_preamble_is_repeated() {
    run(async {
        for suite in SUITES {
            let attempt = attempt(suite, PREAMBLE, repeat).await;
            attempt.assert_refused(bad_frame(&wrong_length())).await;
        }
    });
}

#[test]
fn the_first_message_is_repeated() {
    run(async {
        let word = bad_frame(&wrong_length());
        for suite in SUITES {
            let attempt = attempt(suite, FIRST, repeat).await;
            // The server finds it before or after it has answered the first of the two.
            match &attempt.result {
                Err(_) => attempt.assert_refused(word.clone()).await,
                Ok(_) => attempt.assert_cut_off(Some(word.clone())).await,
            }
        }
    });
}

/// The second of the two comes when the handshake has ended, so it is taken for a record.
async fn repeated_behind_the_handshake(part: Part) {
    let altered = CodecError::AlteredRecord;
    for suite in SUITES {
        let attempt = attempt(suite, part, repeat).await;
        let visitor = attempt.result.expect("the handshake ended");
        let reason = match part {
            SECOND => CloseReason::Codec(altered.clone()),
            // The server's word on that comes sealed.
            _ => CloseReason::RefusedByPeer(bad_frame(&altered)),
        };
        assert_eq!(visitor.client.closed().await, reason);
        assert_eq!(visitor.close().await, []);
        attempt.house.was_never_reached().await;
    }
}

#[test]
fn the_second_message_is_repeated() {
    run(repeated_behind_the_handshake(SECOND));
}

#[test]
fn the_third_message_is_repeated() {
    run(repeated_behind_the_handshake(THIRD));
}

#[test]
fn a_message_comes_back_to_its_sender() {
    run(async {
        for suite in SUITES {
            let first = attempt(suite, FIRST, reflect).await;
            first.assert_client_found(wrong_length()).await;
            let second = attempt(suite, SECOND, reflect).await;
            second.assert_refused(bad_frame(&wrong_length())).await;
        }
    });
}

#[test]
fn the_link_is_cut_inside_a_message() {
    run(async {
        for (suite, at) in SUITES
            .into_iter()
            .flat_map(|it| [0, 1, 2, 20].map(|at| (it, at)))
        {
            for part in [PREAMBLE, FIRST, SECOND] {
                attempt(suite, part, cut_after(at))
                    .await
                    .assert_ended()
                    .await;
            }
        }
    });
}

#[test]
fn the_link_is_cut_inside_the_last_message() {
    run(async {
        for (suite, at) in SUITES
            .into_iter()
            .flat_map(|it| [0, 1, 2, 20].map(|at| (it, at)))
        {
            attempt(suite, THIRD, cut_after(at))
                .await
                .assert_cut_off(None)
                .await;
        }
    });
}

#[test]
fn cut_into_single_bytes_it_opens_the_link() {
    run(async {
        for suite in SUITES {
            let (_, house, _) = Talk::begin(suite, drip()).await.part().await;
            assert_eq!(house.admitted(), 1);
        }
    });
}

#[test]
fn the_first_record_comes_together_with_the_last_message() {
    run(async {
        for suite in SUITES {
            let (_, house, _) = Talk::begin(suite, together(0)).await.part().await;
            assert_eq!(house.admitted(), 1);

            let attempt = Attempt::through(suite, together(1)).await;
            let visitor = attempt.result.expect("the handshake ended");
            let error = visitor.watch().await.unwrap().unwrap_err();
            // Sealed, since the server's handshake has ended too.
            let reason = CloseReason::RefusedByPeer(bad_frame(&CodecError::AlteredRecord));
            assert_eq!(error, RequestError::Lost(reason));
            attempt.house.was_never_reached().await;
        }
    });
}

/// Sends the client's last message on with its first record, of which these bits are changed.
fn together(bits: u8) -> Deed {
    let mut held = Vec::new();
    Box::new(move |mut piece| match (piece.towards, piece.part) {
        (Towards::Server, THIRD) => {
            held = piece.bytes;
            Vec::new()
        }
        (Towards::Server, Part::Record(0)) => {
            piece.bytes[LENGTH_BYTES] ^= bits;
            precede(held.split_off(0))(piece)
        }
        _ => pass(piece),
    })
}
