//! What a server makes of the first byte of a link, for each byte and each of its policies.

use protocol_core::codec::{CodecError, Encryption, PeerIdentity};

use crate::kinds::{accept, server_key};

/// What a server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Plain,
    Encrypted,
    Both,
}

impl Policy {
    fn encryption(self) -> Encryption {
        match self {
            Self::Plain => Encryption::Plain,
            Self::Encrypted => Encryption::Encrypted(server_key()),
            Self::Both => Encryption::Both(server_key()),
        }
    }
}

/// What becomes of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// It is plain, and the byte belongs to its first frame.
    Plain,
    /// It is encrypted, and more of its preamble is waited for.
    Encrypted,
    Refused(CodecError),
}

fn specified(policy: Policy, first: u8) -> Fate {
    let starts_a_frame = matches!(first, b'{' | b' ' | b'\t' | b'\r' | b'\n');
    let malformed = "a link starts with a frame or with the preamble of encryption";
    match (first, policy) {
        (0x01, Policy::Plain) => Fate::Refused(CodecError::EncryptionRefused),
        (0x01, Policy::Encrypted | Policy::Both) => Fate::Encrypted,
        // What is no frame is found to be none where frames are read.
        (_, Policy::Plain) => Fate::Plain,
        (_, Policy::Both) if starts_a_frame => Fate::Plain,
        (_, Policy::Encrypted) if starts_a_frame => Fate::Refused(CodecError::EncryptionRequired),
        _ => Fate::Refused(CodecError::Malformed(malformed)),
    }
}

#[test]
fn each_byte_has_the_fate_that_is_specified() {
    for policy in [Policy::Plain, Policy::Encrypted, Policy::Both] {
        for first in 0..=u8::MAX {
            // Alone, and with more in the same read, which for the mark is the rest of the preamble.
            for rest in [&b""[..], b"TP\x01\x01"] {
                let which = format!("{policy:?}, {first:#04x}, then {rest:?}");
                let mut end = accept(policy.encryption());
                let read = end.receive(&[&[first], rest].concat());
                let fate = specified(policy, first);
                match &fate {
                    Fate::Plain => {
                        assert_eq!((read, end.open), (Ok(()), true), "{which}");
                        assert_eq!(end.plain, [&[first], rest].concat(), "{which}");
                        assert!(end.codec.may_end() && !end.is_mute());
                    }
                    Fate::Encrypted => {
                        assert_eq!((read, end.open), (Ok(()), false), "{which}");
                        assert!(end.is_mute(), "{which}");
                    }
                    Fate::Refused(error) => {
                        assert_eq!(read.as_ref(), Err(error), "{which}");
                        assert!(end.is_deaf(error), "{which}");
                    }
                }
                if fate != Fate::Plain {
                    assert!(end.plain.is_empty() && end.out.is_empty(), "{which}");
                }
                assert_eq!(end.codec.peer(), PeerIdentity::Anonymous);
            }
        }
    }
}

#[test]
fn a_server_may_speak_first_where_all_links_are_plain_and_not_elsewhere() {
    for policy in [Policy::Plain, Policy::Encrypted, Policy::Both] {
        let mut end = accept(policy.encryption());
        assert_eq!(end.open, policy == Policy::Plain);
        assert_eq!(end.is_mute(), policy != Policy::Plain);
        end.receive(b"").unwrap();
        assert_eq!(end.open, policy == Policy::Plain);
        assert!(end.codec.may_end(), "nothing has begun");
    }
}

/// The mark decides nothing more than that the link is encrypted.
#[test]
fn what_is_no_preamble_behind_the_mark_is_refused() {
    let no_preamble = CodecError::Malformed("no preamble of encryption");
    for policy in [Policy::Encrypted, Policy::Both] {
        for byte in 0..=u8::MAX {
            let refused = |start: &[u8]| {
                let mut end = accept(policy.encryption());
                let read = end.receive_in(1, start);
                let mut at_once = accept(policy.encryption());
                assert_eq!(at_once.receive(start), read);
                if let Err(error) = &read {
                    assert!(end.is_deaf(error) && end.is_mute());
                }
                assert!(end.out.is_empty() && end.plain.is_empty());
                read.err()
            };
            let unless = |right: bool, error| (!right).then_some(error);
            assert_eq!(
                refused(&[1, byte]),
                unless(byte == b'T', no_preamble.clone())
            );
            assert_eq!(
                refused(&[1, b'T', byte]),
                unless(byte == b'P', no_preamble.clone())
            );
            assert_eq!(
                refused(&[1, b'T', b'P', byte]),
                unless(byte == 1, CodecError::UnknownVersion(byte))
            );
            assert_eq!(
                refused(&[1, b'T', b'P', 1, byte]),
                unless(matches!(byte, 1 | 2), CodecError::UnknownSuite(byte))
            );
        }
    }
}
