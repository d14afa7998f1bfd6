//! Which links a server takes, and that it serves both kinds alike where it takes both.

use protocol_core::codec::{CodecError, Encryption};
use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{
    BindError, Client, CloseReason, ConnectError, PeerId, PeerIdentity, SecretKey, Server,
    ServerLimits,
};
use protocol_tests::run;

use crate::deeds::look;
use crate::pieces::Towards;
use crate::proxy::Proxy;
use crate::talk::{SUITES, encrypted};
use crate::vault::{
    Enter, Give, Heard, House, MARKER, Put, Safe, Seen, Swap, Swapped, Visitor, Wave,
};

async fn serve(encryption: Encryption) -> House {
    House::serve(encryption, ServerLimits::default()).await
}

fn new_key() -> SecretKey {
    SecretKey::generate().unwrap()
}

async fn plain(house: &House) -> Visitor {
    Visitor::connect(Client::connect(house.address()))
        .await
        .unwrap()
}

async fn is_served(visitor: &Visitor) {
    let answer = visitor.client.request(Swap("here".into())).await;
    assert_eq!(answer, Ok(Swapped("here".into())));
}

#[test]
fn a_plain_server_takes_plain_links() {
    run(async {
        let mut house = serve(Encryption::Plain).await;
        assert_eq!(house.server.public_key(), None);
        let visitor = plain(&house).await;
        assert_eq!(visitor.client.server_identity(), PeerIdentity::Anonymous);
        is_served(&visitor).await;
        let _watching = visitor.watch();
        assert_eq!(house.hears().await, Heard::Watches(PeerIdentity::Anonymous));
    });
}

#[test]
fn a_plain_server_refuses_encrypted_links() {
    run(async {
        for suite in SUITES {
            let house = serve(Encryption::Plain).await;
            let connect = encrypted(house.address(), suite, new_key().public(), &new_key());
            let Err(ConnectError::Refused(word)) = Visitor::connect(connect).await else {
                panic!("the server takes plain links only");
            };
            let text = CodecError::EncryptionRefused.to_string();
            assert_eq!(word, WireError::new(ErrorCode::EncryptionRefused, text));
            house.was_never_reached().await;
        }
    });
}

#[test]
fn an_encrypted_server_takes_encrypted_links() {
    run(async {
        for suite in SUITES {
            let (key, identity) = (new_key(), new_key());
            let mut house = serve(Encryption::Encrypted(key.clone())).await;
            assert_eq!(house.server.public_key(), Some(key.public()));
            let connect = encrypted(house.address(), suite, key.public(), &identity);
            let visitor = Visitor::connect(connect).await.unwrap();
            let server = visitor.client.server_identity();
            assert_eq!(server, PeerIdentity::Key(key.public()));
            is_served(&visitor).await;
            let _watching = visitor.watch();
            let client = PeerIdentity::Key(identity.public());
            assert_eq!(house.hears().await, Heard::Watches(client));
        }
    });
}

#[test]
fn an_encrypted_server_refuses_plain_links() {
    run(async {
        let house = serve(Encryption::Encrypted(new_key())).await;
        // The client's own empty line is enough.
        let visitor = plain(&house).await;
        let text = CodecError::EncryptionRequired.to_string();
        let word = WireError::new(ErrorCode::EncryptionRequired, text);
        let refused = CloseReason::RefusedByPeer(word);
        assert_eq!(visitor.client.closed().await, refused);
        let error = visitor.client.request(Swap("here".into())).await;
        assert!(error.unwrap_err().is_closed());
        house.was_never_reached().await;
    });
}

#[test]
fn a_server_of_both_kinds_talks_to_both_at_once() {
    run(async {
        let key = new_key();
        let house = serve(Encryption::Both(key.clone())).await;
        assert_eq!(house.server.public_key(), Some(key.public()));
        let mut alice = plain(&house).await;
        let connect = encrypted(house.address(), SUITES[0], key.public(), &new_key());
        let mut bob = Visitor::connect(connect).await.unwrap();
        let connect = encrypted(house.address(), SUITES[1], key.public(), &new_key());
        let mut carol = Visitor::connect(connect).await.unwrap();
        let names = ["alice", "bob", "carol"];
        for (visitor, name) in [&alice, &bob, &carol].into_iter().zip(names) {
            visitor.client.confirm(Enter(name.into())).await.unwrap();
            is_served(visitor).await;
        }

        assert_eq!(house.server.to_all().send(Give::new(1)).await, Ok(3));
        for visitor in [&mut alice, &mut bob, &mut carol] {
            assert_eq!(visitor.sees().await, Seen::Give(1));
        }
        // Each of them to each other.
        let [to_alice, to_bob, to_carol] = names.map(|name| PeerId::new(name).unwrap());
        alice.client.to(&to_bob).confirm(Wave(1)).await.unwrap();
        assert_eq!(bob.sees().await, Seen::Wave(1));
        bob.client.to(&to_carol).confirm(Wave(2)).await.unwrap();
        assert_eq!(carol.sees().await, Seen::Wave(2));
        carol.client.to(&to_alice).confirm(Wave(3)).await.unwrap();
        assert_eq!(alice.sees().await, Seen::Wave(3));
    });
}

#[test]
fn a_plain_client_that_only_listens_hears_a_server_of_both_kinds() {
    run(async {
        let house = serve(Encryption::Both(new_key())).await;
        let mut visitor = plain(&house).await;
        // It is a link, and no more one that is about to be, once it can be reached.
        while house.server.to_all().send(Give::new(4)).await != Ok(1) {
            tokio::task::yield_now().await;
        }
        assert_eq!(visitor.sees().await, Seen::Give(4));
        assert_eq!(house.admitted(), 0);
    });
}

#[test]
fn what_plain_clients_say_can_be_read_along() {
    run(async {
        let mut house = serve(Encryption::Both(new_key())).await;
        let proxy = Proxy::open(house.address(), look()).await;
        let connect = Client::connect(proxy.address());
        let mut visitor = Visitor::connect(connect).await.unwrap();
        visitor.client.send(Put::new(0)).await.unwrap();
        assert_eq!(house.hears().await, Heard::Put(0));
        house.server.to_all().send(Give::new(0)).await.unwrap();
        assert_eq!(visitor.sees().await, Seen::Give(0));
        assert!(proxy.tape.has(MARKER.as_bytes()));
        for (towards, name) in [(Towards::Server, "\"put\""), (Towards::Client, "\"give\"")] {
            let said = String::from_utf8(proxy.tape.read(towards)).unwrap();
            assert!(said.contains(name) && said.contains(MARKER), "{said}");
        }
    });
}

#[test]
fn an_address_that_others_reach_takes_a_word_on_encryption() {
    run(async {
        for address in ["0.0.0.0:0", "[::]:0"] {
            let bind = || Server::<Safe>::bind(address);
            let exposed = match House::open(bind()).await.map(|_| ()) {
                Err(BindError::Exposed { address }) => address,
                // There are machines without the newer kind of addresses.
                Err(BindError::Io(_)) if address.starts_with('[') => continue,
                other => panic!("{address}: {other:?}"),
            };
            assert!(exposed.ip().is_unspecified() && exposed.port() != 0);
            let key = new_key();
            let house = House::open(bind().encrypted(key.clone())).await.unwrap();
            assert_eq!(house.server.public_key(), Some(key.public()));
            let plain = bind().encryption(Encryption::Plain);
            let house = House::open(plain).await.unwrap();
            assert_eq!(house.server.public_key(), None);
        }
    });
}
