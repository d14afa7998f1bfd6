//! Keys of low order, with which the shared secret is known to all (RFC 7748 §6.1, §7): as ephemeral
//! and as static keys, from clients and from servers.

use protocol_core::PublicKey;
use protocol_core::codec::CodecError::WeakKey;
use protocol_core::codec::PeerIdentity;
use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver, DefaultResolver};

use crate::by_hand::{ByHand, Side, framed, preamble};
use crate::end::End;
use crate::kinds::{SUITES, client_expecting, server, server_key};

/// The coordinates of low order with their second encodings, the least significant byte first.
const POINTS: [[u8; 32]; 7] = [
    // 0, of order 4.
    [0; 32],
    // 1, of order 1.
    little(1, 0, 0),
    // Two of order 8.
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    // p − 1, p and p + 1, for p = 2²⁵⁵ − 19.
    little(0xec, 0xff, 0x7f),
    little(0xed, 0xff, 0x7f),
    little(0xee, 0xff, 0x7f),
];

/// A number with this first, these middle and this last byte.
const fn little(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut number = [middle; 32];
    number[0] = first;
    number[31] = last;
    number
}

/// Each of them, with and without the bit that X25519 ignores.
fn points() -> impl Iterator<Item = [u8; 32]> {
    POINTS.into_iter().flat_map(|point| {
        let mut marked = point;
        marked[31] |= 0x80;
        [point, marked]
    })
}

/// Nothing came of it: no answer, no peer, no way to go on.
fn came_to_nothing(end: &mut End) -> bool {
    !end.open
        && end.out.is_empty()
        && end.plain.is_empty()
        && end.codec.peer() == PeerIdentity::Anonymous
        && end.is_mute()
        && end.is_deaf(&WeakKey)
}

#[test]
fn the_points_are_of_low_order() {
    for point in points() {
        let mut dh = DefaultResolver.resolve_dh(&DHChoice::Curve25519).unwrap();
        dh.set(&[0x42; 32]);
        let mut shared = [1; 32];
        // Either it says so, or it yields the secret that all know.
        let refused = dh.dh(&point, &mut shared).is_err();
        assert!(refused || shared == [0; 32], "{point:x?}");
    }
}

#[test]
fn a_clients_ephemeral_key_is_refused() {
    for (suite, point) in SUITES
        .iter()
        .flat_map(|suite| points().map(|point| (*suite, point)))
    {
        let mut end = server();
        let opening = [&preamble(suite)[..], &framed(&point)].concat();
        assert_eq!(end.receive(&opening), Err(WeakKey), "{point:x?}");
        assert!(came_to_nothing(&mut end), "{point:x?}");
    }
}

#[test]
fn a_servers_ephemeral_key_is_refused() {
    for (suite, point) in SUITES
        .iter()
        .flat_map(|suite| points().map(|point| (*suite, point)))
    {
        for expected in [None, Some(server_key().public())] {
            let mut end = client_expecting(suite, expected);
            end.out.clear();
            let answer = framed(&[&point[..], &[0; 64]].concat());
            assert_eq!(end.receive(&answer), Err(WeakKey), "{point:x?}");
            assert!(came_to_nothing(&mut end), "{point:x?}");
        }
    }
}

#[test]
fn a_clients_static_key_is_refused() {
    for (suite, point) in SUITES
        .iter()
        .flat_map(|suite| points().map(|point| (*suite, point)))
    {
        let mut end = server();
        let mut by_hand = ByHand::with_point(suite, Side::Client, point);
        end.receive(&preamble(suite)).unwrap();
        end.receive(&by_hand.say()).unwrap();
        by_hand.hear(&end.written());
        assert_eq!(end.receive(&by_hand.say()), Err(WeakKey), "{point:x?}");
        assert!(came_to_nothing(&mut end), "{point:x?}");
    }
}

#[test]
fn a_servers_static_key_is_refused_even_where_it_is_expected() {
    for (suite, point) in SUITES
        .iter()
        .flat_map(|suite| points().map(|point| (*suite, point)))
    {
        for expected in [None, Some(PublicKey::from_bytes(point))] {
            let mut end = client_expecting(suite, expected);
            let mut by_hand = ByHand::with_point(suite, Side::Server, point);
            by_hand.hear(&end.written()[5..]);
            assert_eq!(end.receive(&by_hand.say()), Err(WeakKey), "{point:x?}");
            // Above all it has not said its own key.
            assert!(came_to_nothing(&mut end), "{point:x?}");
        }
    }
}
