//! Who the server is: a client that was told its key goes on with no other one.

use protocol_core::codec::CodecError::WrongKey;
use protocol_core::codec::{PeerIdentity, Suite};
use protocol_core::{PublicKey, SecretKey};

use crate::by_hand::ByHand;
use crate::handshake::{Between, gave_up};
use crate::kinds::{SUITES, client, client_expecting, client_key, server_key};

#[test]
fn a_swapped_server_key_is_refused_before_the_client_says_its_own() {
    let expected = server_key().public();
    for (suite, secret) in SUITES
        .into_iter()
        .flat_map(|suite| [(suite, [9; 32]), (suite, [8; 32])])
    {
        let found = SecretKey::from_bytes(secret).public();
        let mut end = client(suite);
        let mut middle = ByHand::server(suite, &secret);
        middle.hear(&end.written()[5..]);
        let second = middle.say();
        let (last, before) = second.split_last().unwrap();
        end.receive_in(1, before).unwrap();
        assert!(end.out.is_empty());
        let read = end.receive(&[*last]);
        gave_up(&mut end, &read, &WrongKey { expected, found }, "swapped");
        assert_eq!(middle.peer(), None, "the middle never learns who asked");
    }
}

#[test]
fn an_expected_key_is_compared_in_each_of_its_bits() {
    for bit in 0..256 {
        let mut key = *server_key().public().as_bytes();
        key[bit / 8] ^= 1 << (bit % 8);
        let expected = PublicKey::from_bytes(key);
        let mut between = Between::new(Suite::ChaChaPoly);
        between.client = client_expecting(Suite::ChaChaPoly, Some(expected));
        let second = between.second();
        let read = between.client.receive(&second);
        let found = server_key().public();
        gave_up(
            &mut between.client,
            &read,
            &WrongKey { expected, found },
            "a bit",
        );
    }
}

/// A client that expects nobody takes whom it meets, and says who that is: so a middle shows its own
/// key to both.
#[test]
fn without_an_expected_key_the_middle_shows_its_own() {
    for suite in SUITES {
        let (mut end, secret) = (client_expecting(suite, None), [9; 32]);
        let mut middle = ByHand::server(suite, &secret);
        middle.hear(&end.written()[5..]);
        end.receive(&middle.say()).unwrap();
        let shown = SecretKey::from_bytes(secret).public();
        assert_eq!(end.codec.peer(), PeerIdentity::Key(shown));
        middle.hear(&end.written());
        assert_eq!(middle.peer().unwrap(), client_key().public().as_bytes());
    }
}
