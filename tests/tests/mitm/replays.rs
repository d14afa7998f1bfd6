//! A whole link that somebody recorded, played to one of its ends again.

use protocol_core::codec::{CodecError, Suite};
use protocol_core::{ConnectError, SecretKey};
use protocol_tests::run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::attempt::{bad_frame, word_behind};
use crate::deeds::look;
use crate::pieces::Towards;
use crate::proxy::{Door, Tape};
use crate::talk::{ROUNDS, SUITES, Talk, encrypted};
use crate::vault::{House, Visitor};

/// What went by, the server and the keys of both ends.
async fn recorded(suite: Suite) -> (Tape, House, [SecretKey; 2]) {
    let mut talk = Talk::begin(suite, look()).await;
    talk.disturb(Towards::Server, ROUNDS).await;
    let tape = talk.proxy.tape.clone();
    let (_, house, keys) = talk.part().await;
    assert_eq!(house.admitted(), 1 + ROUNDS);
    (tape, house, keys)
}

#[test]
fn the_server_takes_nothing_of_it() {
    run(async {
        for suite in SUITES {
            let (tape, mut house, _) = recorded(suite).await;
            let mut raw = TcpStream::connect(house.address()).await.unwrap();
            raw.write_all(&tape.read(Towards::Server)).await.unwrap();
            let mut said = Vec::new();
            raw.read_to_end(&mut said).await.unwrap();
            let altered = bad_frame(&CodecError::AlteredHandshake);
            assert_eq!(word_behind(&said), altered);
            house.has_connections(0).await;
            assert_eq!(house.admitted(), 1 + ROUNDS, "nothing more");
            assert!(house.heard.try_recv().is_err());
        }
    });
}

#[test]
fn the_client_takes_nothing_of_it() {
    run(async {
        for suite in SUITES {
            let (tape, _house, [key, identity]) = recorded(suite).await;
            let door = Door::open().await;
            let connect = encrypted(door.address(), suite, key.public(), &identity);
            let playing = async {
                let mut client = door.accept().await;
                client.write_all(&tape.read(Towards::Client)).await.unwrap();
                client
            };
            let (result, _client) = tokio::join!(Visitor::connect(connect), playing);
            let Err(ConnectError::Codec(error)) = result else {
                panic!("the client took it for the server");
            };
            assert_eq!(error, CodecError::AlteredHandshake);
        }
    });
}
