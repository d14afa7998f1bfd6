//! Ends that shake hands slowly or not at all: who gives up, when, and whom that holds up.

use std::time::Duration;

use protocol_core::codec::Encryption;
use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{Client, CloseReason, ConnectError, SecretKey, ServerLimits};
use protocol_tests::run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::attempt::{word, word_behind};
use crate::deeds::forged;
use crate::proxy::Door;
use crate::talk::{SUITES, encrypted};
use crate::vault::{House, Swap, Visitor};

const PATIENCE: Duration = Duration::from_millis(200);

/// The preamble and a first message whose key is a point like any other.
fn greeting() -> Vec<u8> {
    let mut message = forged(32);
    message[33] = 0;
    [&b"\x01TP\x01\x01"[..], &message].concat()
}

fn limits(handshake_timeout: Duration) -> ServerLimits {
    let mut limits = ServerLimits::default();
    limits.connection.handshake_timeout = handshake_timeout;
    limits
}

fn too_late(after: Duration) -> WireError {
    WireError::new(
        ErrorCode::Timeout,
        format!("no link came about within {after:?}"),
    )
}

/// What the server says before it ends the link, behind its message of the handshake if it got to
/// say that.
async fn last_word(mut raw: TcpStream) -> WireError {
    let mut said = Vec::new();
    raw.read_to_end(&mut said).await.unwrap();
    word_behind(&said)
}

/// A link of which the greeting is said, and nothing more.
async fn begun(house: &House) -> TcpStream {
    let mut raw = TcpStream::connect(house.address()).await.unwrap();
    raw.write_all(&greeting()).await.unwrap();
    raw
}

/// Such a link whose handshake is under way.
async fn stuck(house: &House) -> TcpStream {
    let mut raw = begun(house).await;
    let mut answer = [0; 2 + 96];
    raw.read_exact(&mut answer).await.unwrap();
    raw
}

async fn connect(house: &House, key: &SecretKey) -> Result<Visitor, ConnectError> {
    let identity = SecretKey::generate().unwrap();
    Visitor::connect(encrypted(
        house.address(),
        SUITES[0],
        key.public(),
        &identity,
    ))
    .await
}

async fn is_served(visitor: &Visitor) {
    let answer = visitor.client.request(Swap("here".into())).await;
    assert_eq!(answer.unwrap(), crate::vault::Swapped("here".into()));
}

#[test]
fn a_client_gives_a_silent_server_up() {
    run(async {
        let door = Door::open().await;
        let [key, identity] = [SecretKey::generate(), SecretKey::generate()].map(Result::unwrap);
        let connect = encrypted(door.address(), SUITES[0], key.public(), &identity);
        let connecting = Visitor::connect(connect.timeout(PATIENCE));
        let (result, mut server) = tokio::join!(connecting, door.accept());
        let Err(ConnectError::Timeout { after }) = result else {
            panic!("nobody answered");
        };
        assert_eq!(after, PATIENCE);
        let mut said = Vec::new();
        server.read_to_end(&mut said).await.unwrap();
        assert_eq!(said.len(), greeting().len(), "and leaves");
    });
}

#[test]
fn a_server_gives_a_silent_client_up_wherever_it_falls_silent() {
    run(async {
        let key = SecretKey::generate().unwrap();
        for encryption in [Encryption::Encrypted(key.clone()), Encryption::Both(key)] {
            let house = House::serve(encryption, limits(PATIENCE)).await;
            for said in [0, 1, 4, 5, 6, 7, 38] {
                let began = Instant::now();
                let mut raw = TcpStream::connect(house.address()).await.unwrap();
                raw.write_all(&greeting()[..said]).await.unwrap();
                assert_eq!(last_word(raw).await, too_late(PATIENCE));
                assert!(began.elapsed() >= PATIENCE);
            }
            assert_eq!(last_word(stuck(&house).await).await, too_late(PATIENCE));
            let mut raw = stuck(&house).await;
            raw.write_all(&forged(64)[..65]).await.unwrap();
            assert_eq!(last_word(raw).await, too_late(PATIENCE));
            house.was_never_reached().await;
        }
    });
}

#[test]
fn a_client_that_says_a_byte_now_and_then_is_given_up() {
    run(async {
        let (house, _) = House::encrypted(limits(PATIENCE)).await;
        let raw = TcpStream::connect(house.address()).await.unwrap();
        let (mut from, mut to) = raw.into_split();
        // All of it would take four times as long as the server waits, and get an answer.
        let dripping = async {
            for byte in greeting() {
                sleep(PATIENCE / 10).await;
                if to.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        };
        let listening = async {
            let mut said = Vec::new();
            from.read_to_end(&mut said).await.unwrap();
            word(&said)
        };
        let ((), word) = tokio::join!(dripping, listening);
        assert_eq!(word, too_late(PATIENCE));
        house.was_never_reached().await;
    });
}

#[test]
fn who_is_given_up_frees_its_seat() {
    run(async {
        let mut limits = limits(PATIENCE);
        limits.connections = 1;
        let (house, key) = House::encrypted(limits).await;
        let raw = stuck(&house).await;
        let Err(ConnectError::Refused(full)) = connect(&house, &key).await else {
            panic!("there is one seat");
        };
        assert_eq!(full.standard(), Some(ErrorCode::Unavailable));
        assert_eq!(last_word(raw).await, too_late(PATIENCE));
        house.has_connections(0).await;
        is_served(&connect(&house, &key).await.unwrap()).await;
    });
}

#[test]
fn half_a_handshake_holds_up_nobody() {
    run(async {
        let mut limits = ServerLimits::default();
        limits.handshakes = 1;
        limits.handshakes_an_address = 1;
        let (house, key) = House::encrypted(limits).await;
        let crowd = [
            begun(&house).await,
            stuck(&house).await,
            stuck(&house).await,
            begun(&house).await,
        ];
        is_served(&connect(&house, &key).await.unwrap()).await;
        drop(crowd);
    });
}

#[test]
fn half_handshakes_are_given_up_in_time() {
    run(async {
        let mut limits = limits(PATIENCE);
        limits.handshakes = 1;
        let (house, key) = House::encrypted(limits).await;
        let crowd: [TcpStream; 3] = [
            stuck(&house).await,
            begun(&house).await,
            begun(&house).await,
        ];
        for raw in crowd {
            assert_eq!(last_word(raw).await, too_late(PATIENCE));
        }
        house.has_connections(0).await;
        is_served(&connect(&house, &key).await.unwrap()).await;
    });
}

#[test]
fn plain_clients_wait_for_no_handshake() {
    run(async {
        let key = SecretKey::generate().unwrap();
        let mut limits = ServerLimits::default();
        limits.handshakes = 1;
        let house = House::serve(Encryption::Both(key), limits).await;
        let raw = stuck(&house).await;
        let visitor = Visitor::connect(Client::connect(house.address()))
            .await
            .unwrap();
        is_served(&visitor).await;
        house.has_connections(2).await;
        drop(raw);
        visitor.client.clone().close().await;
        assert_eq!(visitor.client.close_reason(), Some(CloseReason::Closed));
    });
}
