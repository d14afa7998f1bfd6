//! The bytes of an encrypted link, as a peer by hand has them (`PROTOCOL.md` §1).

use protocol_core::codec::PeerIdentity;

use crate::by_hand::{self, ByHand, SIDES, preamble};
use crate::kinds::{Kind, SERVER_SECRET, SUITES, client, client_key, server, server_key};

#[test]
fn a_client_by_hand_is_understood() {
    for suite in SUITES {
        let (mut end, mut by_hand) = (server(), ByHand::client(suite));
        end.receive(&preamble(suite)).unwrap();
        end.receive(&by_hand.say()).unwrap();
        let second = end.written();
        assert_eq!((second.len(), &second[..2]), (2 + 96, &[0, 96][..]));
        by_hand.hear(&second);
        assert_eq!(by_hand.peer().unwrap(), server_key().public().as_bytes());
        end.receive(&by_hand.say()).unwrap();
        assert!(end.open && end.out.is_empty());
        assert_eq!(end.codec.peer(), PeerIdentity::Key(client_key().public()));
    }
}

#[test]
fn a_server_by_hand_is_understood() {
    for suite in SUITES {
        let mut end = client(suite);
        let mut by_hand = ByHand::server(suite, &SERVER_SECRET);
        let first = end.written();
        assert_eq!(first.len(), 5 + 2 + 32);
        assert_eq!(
            (&first[..5], &first[5..7]),
            (&preamble(suite)[..], &[0, 32][..])
        );
        by_hand.hear(&first[5..]);
        end.receive(&by_hand.say()).unwrap();
        assert!(end.open);
        let third = end.written();
        assert_eq!((third.len(), &third[..2]), (2 + 64, &[0, 64][..]));
        by_hand.hear(&third);
        assert_eq!(by_hand.peer().unwrap(), client_key().public().as_bytes());
    }
}

#[test]
fn each_end_is_the_other_ones_key() {
    for kind in SUITES.map(Kind::Encrypted) {
        let link = kind.open();
        assert_eq!(link.left.codec.peer().key(), Some(server_key().public()));
        assert_eq!(link.right.codec.peer().key(), Some(client_key().public()));
    }
}

#[test]
fn a_record_is_a_length_a_text_and_a_tag() {
    for (suite, side) in SUITES
        .into_iter()
        .flat_map(|suite| SIDES.map(|side| (suite, side)))
    {
        let (mut end, mut by_hand) = by_hand::open(suite, side);
        // Plaintext, and the records that it takes.
        for (length, records) in [
            (1, &[1][..]),
            (8_174, &[8_174]),
            (8_175, &[8_174, 1]),
            (16_348, &[8_174, 8_174]),
            (16_349, &[8_174, 8_174, 1]),
        ] {
            let text = vec![b'x'; length];
            end.send(&text);
            let stream = end.written();
            let mut rest = &stream[..];
            for plain in records {
                let (record, behind) = rest.split_at(2 + plain + 16);
                assert!(by_hand.open(record).unwrap() == vec![b'x'; *plain]);
                rest = behind;
            }
            assert!(rest.is_empty(), "{side:?} sends {length} bytes");
        }
        end.finish();
        let stream = end.written();
        assert_eq!(stream.len(), 2 + 16);
        assert_eq!(by_hand.open(&stream).unwrap(), b"");
    }
}

#[test]
fn a_record_of_each_length_is_taken_and_an_empty_one_is_the_end() {
    for (suite, side) in SUITES
        .into_iter()
        .flat_map(|suite| SIDES.map(|side| (suite, side)))
    {
        let (mut end, mut by_hand) = by_hand::open(suite, side);
        for length in [1, 2, 65_518, 65_519] {
            let text = vec![b'x'; length];
            end.receive(&by_hand.seal(&text)).unwrap();
            assert!(end.plain.split() == text);
            assert!(!end.codec.may_end());
        }
        // What was cut anywhere is put together.
        let pieces = [b"{\"na".to_vec(), b"me\":1".to_vec(), b"}\n".to_vec()];
        for piece in &pieces {
            end.receive(&by_hand.seal(piece)).unwrap();
        }
        assert_eq!(end.plain.split(), pieces.concat());
        end.receive(&by_hand.seal(b"")).unwrap();
        assert!(end.codec.may_end() && end.plain.is_empty());
        assert!(!end.is_mute(), "{side:?} may send on");
    }
}

#[test]
fn the_wire_shows_neither_texts_nor_the_clients_key() {
    for kind in SUITES.map(Kind::Encrypted) {
        let mut link = kind.new_link();
        let mut seen = [Vec::new(), Vec::new()];
        for round in 0..6 {
            if round >= 3 {
                link.left.send(b"{\"type\":\"pass\"}\n");
                link.right.send(b"{\"type\":\"pass\"}\n");
            }
            link.turn(|towards, bytes| {
                seen[usize::from(towards == crate::end::Towards::Left)].extend_from_slice(bytes);
                vec![bytes.to_vec()]
            });
        }
        assert_eq!(link.right.plain.len(), 3 * 16);
        let client = client_key().public();
        let server = server_key().public();
        for stream in &seen {
            assert!(stream.len() > 3 * (16 + 18));
            let shows = |text: &[u8]| stream.windows(text.len()).any(|window| window == text);
            assert!(!shows(b"\"type\":") && !shows(client.as_bytes()) && !shows(server.as_bytes()));
            // The same text never looks the same.
            let records: Vec<_> = stream[stream.len() - 3 * 34..].chunks(34).collect();
            assert!(records[0] != records[1] && records[1] != records[2]);
        }
    }
}

#[test]
fn only_the_client_says_a_preamble() {
    for suite in SUITES {
        let mut end = server();
        assert!(end.out.is_empty());
        end.receive(&preamble(suite)).unwrap();
        assert!(end.out.is_empty() && end.wire.is_empty());
    }
}
