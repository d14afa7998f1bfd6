//! Keys of low order, with which the two ends would share a secret that anybody knows (RFC 7748 §6.1).

use protocol_core::codec::CodecError;
use protocol_tests::run;

use crate::attempt::{Attempt, bad_frame};
use crate::deeds::{pass, to};
use crate::pieces::{LENGTH_BYTES, Part, Towards};
use crate::talk::SUITES;

/// Every point of low order, as the numbers below 2^255 that name it, little-endian.
fn points() -> Vec<[u8; 32]> {
    // The prime is 2^255 - 19.
    let near_prime = |last: u8| {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (last, 0x7f);
        point
    };
    let small = |number: u8| {
        let mut point = [0; 32];
        point[0] = number;
        point
    };
    // The two of order 8.
    let of_order_8 = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ];
    let of_order_8 = of_order_8.map(|text| {
        let key: protocol_core::PublicKey = text.parse().unwrap();
        *key.as_bytes()
    });
    let others = [
        small(0),
        small(1),
        near_prime(0xec),
        near_prime(0xed),
        near_prime(0xee),
    ];
    [&others[..], &of_order_8].concat()
}

#[test]
fn the_server_refuses_one() {
    run(async {
        for (suite, point) in SUITES
            .into_iter()
            .flat_map(|it| points().into_iter().map(move |point| (it, point)))
        {
            let deed = to(Towards::Server, Part::Message(1), move |mut piece| {
                piece.bytes[LENGTH_BYTES..].copy_from_slice(&point);
                pass(piece)
            });
            let attempt = Attempt::through(suite, deed).await;
            attempt
                .assert_refused(bad_frame(&CodecError::WeakKey))
                .await;
        }
    });
}

#[test]
fn the_client_refuses_one() {
    run(async {
        for (suite, point) in SUITES
            .into_iter()
            .flat_map(|it| points().into_iter().map(move |point| (it, point)))
        {
            let deed = to(Towards::Client, Part::Message(2), move |mut piece| {
                piece.bytes[LENGTH_BYTES..][..32].copy_from_slice(&point);
                pass(piece)
            });
            let attempt = Attempt::through(suite, deed).await;
            attempt.assert_client_found(CodecError::WeakKey).await;
        }
    });
}
