//! Whoever answers a client's handshake in plain is not talked to, whatever it says.

use std::sync::Arc;

use protocol_core::codec::{CodecError, Encryption};
use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{Connect, ConnectError, SecretKey, ServerLimits};
use protocol_tests::run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::deeds::look;
use crate::pieces::{GREETING, Part, Towards};
use crate::proxy::{Act, Deed, Door, Proxy};
use crate::talk::{SUITES, encrypted};
use crate::vault::{House, MARKER, Safe, Visitor};

/// Why a client does not connect.
async fn refuses(connect: Connect<'static, Safe>) -> ConnectError {
    match Visitor::connect(connect).await {
        Ok(_) => panic!("the client talks to it"),
        Err(error) => error,
    }
}

/// What a client says where its handshake is answered with `answer`: why it did not connect.
async fn answered(answer: &'static [u8]) -> ConnectError {
    let door = Arc::new(Door::open().await);
    let address = door.address();
    let answering = tokio::spawn(async move {
        let mut client = door.accept().await;
        let mut greeting = [0; GREETING];
        client.read_exact(&mut greeting).await.unwrap();
        client.write_all(answer).await.unwrap();
        client.shutdown().await.unwrap();
        let mut more = Vec::new();
        // A client that leaves what it has not read resets the link.
        let _ = client.read_to_end(&mut more).await;
        assert_eq!(more, b"", "the client says nothing more");
    });
    let [key, identity] = [SecretKey::generate(), SecretKey::generate()].map(Result::unwrap);
    let connect = encrypted(address, SUITES[0], key.public(), &identity);
    let error = refuses(connect).await;
    answering.await.unwrap();
    error
}

#[test]
fn an_answer_of_plain_frames_is_none() {
    const FRAME: &[u8] = br#"{"type":"pass","name":"give","data":{"n":0,"secret":""}}
"#;
    const LONG: &[u8] = &[b'{'; 4_097];
    run(async {
        for answer in [FRAME, b"{}\n", b"{\n", LONG] {
            let ConnectError::Codec(error) = answered(answer).await else {
                panic!("{answer:?} is no answer");
            };
            assert_eq!(error, CodecError::AnsweredInPlain);
        }
    });
}

#[test]
fn an_answer_of_other_bytes_is_none() {
    run(async {
        for answer in [
            &b"\n{}\n"[..],
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            &[0; 64],
        ] {
            let ConnectError::Codec(error) = answered(answer).await else {
                panic!("{answer:?} is no answer");
            };
            let length = "a message of the handshake has another length";
            assert_eq!(error, CodecError::Malformed(length));
        }
        // What is cut off is nothing at all.
        for answer in [&b""[..], b"{", b"\x00", &[0, 96, 1, 2, 3]] {
            assert!(
                matches!(answered(answer).await, ConnectError::Io(_)),
                "{answer:?}"
            );
        }
    });
}

#[test]
fn a_last_word_is_shown_and_not_obeyed() {
    const WORD: &[u8] = br#"{"type":"pass","name":"protocol_error","data":{"code":"encryption_refused","message":"try without"}}
"#;
    run(async {
        let ConnectError::Refused(word) = answered(WORD).await else {
            panic!("the word is not shown");
        };
        let expected = WireError::new(ErrorCode::EncryptionRefused, "try without");
        assert_eq!(word, expected);
    });
}

/// A client that means the server of `house` and whose handshake meets `deed`.
async fn led_there(house: &House, deed: Deed) -> (ConnectError, Proxy) {
    let proxy = Proxy::open(house.address(), deed).await;
    let [key, identity] = [SecretKey::generate(), SecretKey::generate()].map(Result::unwrap);
    let connect = encrypted(proxy.address(), SUITES[1], key.public(), &identity);
    let error = refuses(connect).await;
    (error, proxy)
}

#[test]
fn led_to_a_plain_server_the_client_hears_its_refusal() {
    run(async {
        let house = House::serve(Encryption::Plain, ServerLimits::default()).await;
        let (error, _) = led_there(&house, look()).await;
        let ConnectError::Refused(word) = error else {
            panic!("{error:?}");
        };
        let text = CodecError::EncryptionRefused.to_string();
        assert_eq!(word, WireError::new(ErrorCode::EncryptionRefused, text));
        house.was_never_reached().await;
    });
}

#[test]
fn led_into_a_plain_talk_the_client_does_not_join_in() {
    run(async {
        let key = SecretKey::generate().unwrap();
        for encryption in [Encryption::Plain, Encryption::Both(key)] {
            let house = House::serve(encryption, ServerLimits::default()).await;
            // What the client would say in plain, said for it; the server's answer goes to the client.
            let request = format!(
                "{{\"type\":\"request\",\"name\":\"swap\",\"data\":\"{MARKER}\",\
                 \"request_id\":\"1\"}}\n"
            );
            let deed: Deed = Box::new(move |piece| match (piece.towards, piece.part) {
                (Towards::Server, Part::Preamble) => {
                    vec![Act::Say(Towards::Server, request.clone().into())]
                }
                (Towards::Server, _) => Vec::new(),
                (Towards::Client, _) => vec![Act::Say(Towards::Client, piece.bytes)],
            });
            let (error, mut proxy) = led_there(&house, deed).await;
            let ConnectError::Codec(error) = error else {
                panic!("{error:?}");
            };
            assert_eq!(error, CodecError::AnsweredInPlain);
            house.has_connections(0).await;
            assert_eq!(house.admitted(), 1, "the plain request was the proxy's own");
            proxy.ended().await;
            assert!(proxy.tape.has(MARKER.as_bytes()), "the server answered it");
            assert_eq!(proxy.tape.read(Towards::Server).len(), GREETING);
        }
    });
}
