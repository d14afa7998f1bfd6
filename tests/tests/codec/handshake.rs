//! Somebody in the middle of a handshake, who may alter, drop, repeat, move and add messages.

use protocol_core::codec::CodecError::{
    AlteredHandshake, AlteredRecord, EncryptionRequired, Malformed, UnknownSuite, UnknownVersion,
};
use protocol_core::codec::{CodecError, PeerIdentity, Suite};

use crate::end::End;
use crate::kinds::{SUITES, client, server};

const START: CodecError =
    Malformed("a link starts with a frame or with the preamble of encryption");
const PREAMBLE: CodecError = Malformed("no preamble of encryption");
const LENGTH: CodecError = Malformed("a message of the handshake has another length");

/// A client and a server, and what they have said so far; the middle passes it on.
pub(crate) struct Between {
    pub(crate) client: End,
    pub(crate) server: End,
}

impl Between {
    pub(crate) fn new(suite: Suite) -> Self {
        Self {
            client: client(suite),
            server: server(),
        }
    }

    /// The client's preamble and its first message, which has not reached the server.
    fn first(&mut self) -> Vec<u8> {
        self.client.written()
    }

    /// The server's message, which has not reached the client.
    pub(crate) fn second(&mut self) -> Vec<u8> {
        let first = self.first();
        self.server.receive(&first).unwrap();
        self.server.written()
    }

    /// The client's last message, which has not reached the server.
    fn third(&mut self) -> Vec<u8> {
        let second = self.second();
        self.client.receive(&second).unwrap();
        self.client.written()
    }
}

/// The end gave up with this error: it says nothing more and hears nothing more.
pub(crate) fn gave_up(
    end: &mut End,
    read: &Result<(), CodecError>,
    error: &CodecError,
    which: &str,
) {
    assert_eq!(read.as_ref(), Err(error), "{which}");
    assert!(!end.open, "{which}");
    assert!(end.out.is_empty() && end.plain.is_empty(), "{which}");
    assert_eq!(end.codec.peer(), PeerIdentity::Anonymous, "{which}");
    assert!(end.is_mute() && end.is_deaf(error), "{which}");
}

/// The end waits for more, and has said and heard nothing.
fn waits(end: &mut End, read: &Result<(), CodecError>, which: &str) {
    assert_eq!(*read, Ok(()), "{which}");
    assert!(!end.open && end.is_mute(), "{which}");
    assert!(end.out.is_empty() && end.plain.is_empty(), "{which}");
    assert!(
        !end.codec.may_end(),
        "{which}: the stream must not end here"
    );
}

/// Flips one bit of a message, and says in which byte it is and what that byte becomes.
fn flip(message: &mut [u8], bit: usize) -> (usize, u8) {
    let byte = bit / 8;
    message[byte] ^= 1 << (bit % 8);
    (byte, message[byte])
}

#[test]
fn each_bit_of_the_first_message_counts() {
    for suite in SUITES {
        let bits = 8 * Between::new(suite).first().len();
        assert_eq!(bits, 8 * 39);
        for bit in 0..bits {
            let mut between = Between::new(suite);
            let mut first = between.first();
            let (byte, value) = flip(&mut first, bit);
            let which = format!("{suite:?}, byte {byte} is {value:#04x}");
            let read = between.server.receive(&first);
            let error = match byte {
                0 if value == b'\t' => EncryptionRequired,
                0 => START,
                1 | 2 => PREAMBLE,
                3 => UnknownVersion(value),
                4 => UnknownSuite(value),
                5 | 6 => LENGTH,
                // The server cannot know it, but its answer binds it.
                _ => {
                    assert_eq!(read, Ok(()), "{which}");
                    let second = between.server.written();
                    let read = between.client.receive(&second);
                    gave_up(&mut between.client, &read, &AlteredHandshake, &which);
                    assert!(!between.server.open);
                    continue;
                }
            };
            gave_up(&mut between.server, &read, &error, &which);
        }
    }
}

#[test]
fn each_bit_of_the_second_message_counts() {
    for suite in SUITES {
        for bit in 0..8 * 98 {
            let mut between = Between::new(suite);
            let mut second = between.second();
            let (byte, value) = flip(&mut second, bit);
            let which = format!("{suite:?}, byte {byte} is {value:#04x}");
            let read = between.client.receive(&second);
            let error = if byte < 2 { LENGTH } else { AlteredHandshake };
            gave_up(&mut between.client, &read, &error, &which);
        }
    }
}

#[test]
fn each_bit_of_the_third_message_counts() {
    for suite in SUITES {
        for bit in 0..8 * 66 {
            let mut between = Between::new(suite);
            let mut third = between.third();
            let (byte, value) = flip(&mut third, bit);
            let which = format!("{suite:?}, byte {byte} is {value:#04x}");
            // The client is open, and what it says meanwhile is not heard either.
            between.client.send(b"early\n");
            let stream = [third, between.client.written()].concat();
            let read = between.server.receive(&stream);
            let error = if byte < 2 { LENGTH } else { AlteredHandshake };
            gave_up(&mut between.server, &read, &error, &which);
        }
    }
}

/// The other suite has messages of the same lengths, so only the prologue and the ciphers tell.
#[test]
fn another_suite_in_the_preamble_is_noticed() {
    for (suite, other) in [(Suite::AesGcm, 1), (Suite::ChaChaPoly, 2)] {
        let mut between = Between::new(suite);
        let mut first = between.first();
        first[4] = other;
        between.server.receive(&first).unwrap();
        let second = between.server.written();
        assert_eq!(second.len(), 98);
        let read = between.client.receive(&second);
        gave_up(
            &mut between.client,
            &read,
            &AlteredHandshake,
            "another suite",
        );
    }
}

#[test]
fn messages_that_are_cut_short_or_grow_are_noticed() {
    for suite in SUITES {
        // What is announced is not there.
        let mut between = Between::new(suite);
        let first = between.first();
        let read = between.server.receive(&first[..38]);
        waits(&mut between.server, &read, "first");
        let mut between = Between::new(suite);
        let second = between.second();
        let read = between.client.receive(&second[..97]);
        waits(&mut between.client, &read, "second");
        let mut between = Between::new(suite);
        let third = between.third();
        let read = between.server.receive(&third[..65]);
        waits(&mut between.server, &read, "third");

        // The announcement is changed too.
        for change in [-1, 1] {
            let resized = |message: &[u8], at: usize| {
                let mut message = message.to_vec();
                message[at] = message[at].checked_add_signed(change).unwrap();
                message.resize(message.len().saturating_add_signed(change.into()), 0);
                message
            };
            let mut between = Between::new(suite);
            let first = resized(&between.first(), 6);
            let read = between.server.receive(&first);
            gave_up(&mut between.server, &read, &LENGTH, "first");
            let mut between = Between::new(suite);
            let second = resized(&between.second(), 1);
            let read = between.client.receive(&second);
            gave_up(&mut between.client, &read, &LENGTH, "second");
            let mut between = Between::new(suite);
            let third = resized(&between.third(), 1);
            let read = between.server.receive(&third);
            gave_up(&mut between.server, &read, &LENGTH, "third");
        }
    }
}

#[test]
fn a_byte_that_is_dropped_or_added_is_noticed_at_each_place() {
    for suite in SUITES {
        for at in 2..98 {
            let mut between = Between::new(suite);
            let mut second = between.second();
            second.remove(at);
            let read = between.client.receive(&second);
            waits(&mut between.client, &read, "one is missing");
            let mut between = Between::new(suite);
            let mut second = between.second();
            second.insert(at, !second[at]);
            let read = between.client.receive(&second);
            gave_up(
                &mut between.client,
                &read,
                &AlteredHandshake,
                "one is added",
            );
        }
        for at in 2..66 {
            let mut between = Between::new(suite);
            let mut third = between.third();
            third.insert(at, !third[at]);
            let read = between.server.receive(&third);
            gave_up(
                &mut between.server,
                &read,
                &AlteredHandshake,
                "one is added",
            );
        }
    }
}

#[test]
fn messages_that_are_dropped_are_missed() {
    for suite in SUITES {
        let mut between = Between::new(suite);
        let first = between.first();
        let read = between.server.receive(&first[5..]);
        gave_up(&mut between.server, &read, &START, "no preamble");
        let read = between.client.receive(b"");
        waits(&mut between.client, &read, "no answer");

        // The third one: a record stands in its place, of any length or of the very same.
        for (text, error) in [(&b"short\n"[..], LENGTH), (&[b'x'; 48], AlteredHandshake)] {
            let mut between = Between::new(suite);
            between.third();
            between.client.send(text);
            let record = between.client.written();
            let read = between.server.receive(&record);
            gave_up(&mut between.server, &read, &error, "no third message");
        }
    }
}

#[test]
fn messages_that_are_repeated_are_noticed() {
    for suite in SUITES {
        let mut between = Between::new(suite);
        let first = between.first();
        between.server.receive(&first).unwrap();
        between.server.out.clear();
        let read = between.server.receive(&first);
        gave_up(&mut between.server, &read, &LENGTH, "all of the first");
        let mut between = Between::new(suite);
        let first = between.first();
        between.server.receive(&first).unwrap();
        between.server.out.clear();
        let read = between.server.receive(&first[5..]);
        gave_up(&mut between.server, &read, &LENGTH, "the first message");

        // Behind the last message of its handshake an end takes them for records.
        let mut between = Between::new(suite);
        let second = between.second();
        let read = between.client.receive(&second.repeat(2));
        assert_eq!(read, Err(AlteredRecord));
        assert!(between.client.plain.is_empty());
        let mut between = Between::new(suite);
        let third = between.third();
        assert_eq!(between.server.receive(&third.repeat(2)), Err(AlteredRecord));
        assert!(between.server.plain.is_empty());
    }
}

#[test]
fn messages_that_are_sent_back_are_noticed() {
    for suite in SUITES {
        let mut between = Between::new(suite);
        let first = between.first();
        let read = between.client.receive(&first);
        gave_up(
            &mut between.client,
            &read,
            &LENGTH,
            "the preamble to the client",
        );
        let mut between = Between::new(suite);
        let first = between.first();
        let read = between.client.receive(&first[5..]);
        gave_up(
            &mut between.client,
            &read,
            &LENGTH,
            "the first to the client",
        );
        let mut between = Between::new(suite);
        let second = between.second();
        let read = between.server.receive(&second);
        gave_up(
            &mut between.server,
            &read,
            &LENGTH,
            "the second to the server",
        );
        let mut between = Between::new(suite);
        let third = between.third();
        assert_eq!(between.client.receive(&third), Err(AlteredRecord));
        assert!(between.client.plain.is_empty());
    }
}

#[test]
fn messages_of_another_link_are_noticed() {
    for suite in SUITES {
        let (mut between, mut other) = (Between::new(suite), Between::new(suite));
        between.second();
        let second = other.second();
        let read = between.client.receive(&second);
        gave_up(&mut between.client, &read, &AlteredHandshake, "second");

        // A whole client, recorded: the server's ephemeral key is new.
        let mut recorded = Between::new(suite);
        let first = recorded.first();
        recorded.server.receive(&first).unwrap();
        let second = recorded.server.written();
        recorded.client.receive(&second).unwrap();
        recorded.client.send(b"pay\n");
        let rest = recorded.client.written();
        let mut again = server();
        again.receive(&first).unwrap();
        assert_eq!(again.written().len(), 98);
        let read = again.receive(&rest);
        gave_up(&mut again, &read, &AlteredHandshake, "third");
    }
}
