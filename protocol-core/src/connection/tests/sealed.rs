//! What a connection makes of records: bad ones behind good ones, and what they cost a stranger.

use std::time::Instant;

use bytes::BytesMut;

use super::{admit, last_word};
use crate::SecretKey;
use crate::codec::{Accept, Codec, CodecError, Encryption, Noise, Progress, Suite};
use crate::connection::{Connection, IdSource, Limits, Role, StrangerLimits};
use crate::error::CloseReason;

const WAVE: &str = "{\"type\":\"pass\",\"name\":\"wave\"}\n";

/// A client's codec, and the server's connection to it, with the handshake done.
fn open(limits: Limits) -> (Noise, Connection) {
    let key = SecretKey::from_bytes([1; 32]);
    let mut server = Accept::new(Encryption::Encrypted(key.clone()));
    let mut client = Noise::client(Suite::AesGcm, &key, Some(key.public())).unwrap();
    let (mut up, mut down, mut plain) = (BytesMut::new(), BytesMut::new(), BytesMut::new());
    client.start(&mut up).unwrap();
    while server.receive(&mut up, &mut plain, &mut down).unwrap() == Progress::Handshaking {
        client.receive(&mut down, &mut plain, &mut up).unwrap();
    }
    let ids = IdSource::new(7, Instant::now(), 0);
    (
        client,
        Connection::new(Role::Server, limits, Box::new(server), ids),
    )
}

/// Lets the bytes arrive in one read and returns how many events come of them.
fn arrive(connection: &mut Connection, bytes: &[u8]) -> usize {
    connection.read_buffer().extend_from_slice(bytes);
    connection.received();
    let now = Instant::now();
    std::iter::from_fn(|| connection.next_event(now, admit)).count()
}

/// What the client makes of all that is due to it.
fn heard(client: &mut Noise, connection: &mut Connection) -> String {
    let (mut wire, mut plain) = (BytesMut::from(connection.output()), BytesMut::new());
    client
        .receive(&mut wire, &mut plain, &mut BytesMut::new())
        .unwrap();
    String::from_utf8(plain.to_vec()).unwrap()
}

#[test]
fn what_came_before_a_bad_record_is_handled_however_it_is_read() {
    for in_one_read in [true, false] {
        let (mut client, mut server) = open(Limits::server());
        let (mut good, mut bad) = (BytesMut::new(), BytesMut::new());
        client.send(WAVE.as_bytes(), &mut good).unwrap();
        client.send(WAVE.as_bytes(), &mut bad).unwrap();
        bad[20] ^= 1;
        let handled = if in_one_read {
            arrive(&mut server, &[good, bad].concat())
        } else {
            arrive(&mut server, &good) + arrive(&mut server, &bad)
        };
        assert_eq!(handled, 1, "in one read: {in_one_read}");
        let reason = CloseReason::Codec(CodecError::AlteredRecord);
        assert_eq!(server.close_reason(), Some(&reason));
        assert_eq!(last_word(&heard(&mut client, &mut server)), "bad_frame");
        // Nothing is taken any more.
        let mut later = BytesMut::new();
        client.send(WAVE.as_bytes(), &mut later).unwrap();
        assert_eq!(arrive(&mut server, &later), 0);
    }
}

fn of_a_stranger() -> Limits {
    let mut limits = Limits::server();
    limits.stranger = Some(StrangerLimits::default());
    limits
}

#[test]
fn records_cost_a_stranger_what_they_take() {
    let (mut client, mut server) = open(of_a_stranger());
    // 19 bytes for one of white space: 8,192 are gone after 455 of them.
    let mut taken = 0;
    while server.close_reason().is_none() {
        let mut record = BytesMut::new();
        client.send(b" ", &mut record).unwrap();
        taken += record.len();
        arrive(&mut server, &record);
    }
    assert!((8_192..8_192 + 500).contains(&taken), "{taken}");
    assert_eq!(last_word(&heard(&mut client, &mut server)), "too_large");
}

#[test]
fn a_record_of_a_stranger_may_take_as_much_as_all_that_it_sends() {
    for (length, ends) in [(8_190, false), (8_191, true)] {
        let (_, mut server) = open(of_a_stranger());
        let mut begun = vec![0xff; 2 + length];
        begun[..2].copy_from_slice(&u16::MAX.to_be_bytes());
        assert_eq!(arrive(&mut server, &begun), 0);
        assert_eq!(server.close_reason().is_some(), ends, "{length}");
    }
}

#[test]
fn what_follows_a_login_in_records_of_its_own_is_no_strangers() {
    let (mut client, mut server) = open(of_a_stranger());
    let mut wire = BytesMut::new();
    for _ in 0..501 {
        client.send(WAVE.as_bytes(), &mut wire).unwrap();
    }
    let now = Instant::now();
    server.read_buffer().extend_from_slice(&wire);
    server.received();
    assert!(server.next_event(now, admit).is_some());
    server.identified();
    let rest = std::iter::from_fn(|| server.next_event(now, admit)).count();
    assert_eq!((rest, server.close_reason()), (500, None));
}
