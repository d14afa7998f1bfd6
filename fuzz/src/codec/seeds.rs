//! What a fuzzer starts from: for each kind of attack the shortest input that shows it.

use super::steps::{
    ANSWER, COPY, CUT, DROP, FINISH, FLIP, JUNK, PASS, REFLECT, REKEY, REPEAT, SAY, SWAP,
};

/// The parts of a first byte; what is not named is 0.
const PLAIN: u8 = 0;
const ENCRYPTED: u8 = 1;
const BOTH: u8 = 2;
const ANY_KEY: u8 = 0;
const WRONG_KEY: u8 = 1;
const RIGHT_KEY: u8 = 2;
const AES_GCM: u8 = 4;
const GENUINE: u8 = 8;
/// In pieces of this place in the table.
const fn pieces(place: u8) -> u8 {
    place << 4
}

/// A client says its preamble and its first message, then its last one.
const CLIENT_HANDSHAKE: &[u8] = &[PASS, PASS, PASS];
/// A server says one message.
const SERVER_HANDSHAKE: &[u8] = &[PASS];

fn attacks(setting: u8, handshake: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let after: [(&str, u8, &[u8]); 12] = [
        ("nothing", 0, &[SAY, 3, PASS, SAY, 1, PASS, FINISH, PASS]),
        (
            "sizes",
            AES_GCM | pieces(13),
            &[SAY, 7, PASS, PASS, ANSWER, 6, SAY, 5, PASS],
        ),
        ("flip-length", AES_GCM, &[SAY, 3, FLIP, 0, 1, 1]),
        (
            "flip-record",
            pieces(3),
            &[SAY, 2, SAY, 3, PASS, FLIP, 0, 20, 128],
        ),
        ("drop", AES_GCM | pieces(5), &[SAY, 1, SAY, 2, DROP, PASS]),
        ("swap", pieces(6), &[SAY, 1, SAY, 2, SWAP, PASS, PASS]),
        ("cut", AES_GCM, &[SAY, 3, CUT, 0, 100]),
        ("repeat", pieces(1), &[SAY, 3, COPY, PASS, REPEAT]),
        ("reflect", AES_GCM | pieces(2), &[ANSWER, 3, REFLECT]),
        (
            "inject",
            pieces(7),
            &[SAY, 2, PASS, JUNK, 4, 0, 2, b'{', b'}'],
        ),
        ("behind-the-end", pieces(4), &[FINISH, COPY, PASS, REPEAT]),
        (
            "around-the-rekey",
            AES_GCM | pieces(13),
            &[
                REKEY, SAY, 0, SAY, 0, SAY, 0, SAY, 0, PASS, PASS, COPY, PASS, PASS, REPEAT,
            ],
        ),
    ];
    after
        .into_iter()
        .map(|(name, first, steps)| {
            (
                name,
                [&[setting | first | GENUINE], handshake, steps].concat(),
            )
        })
        .collect()
}

/// Seeds of `codec_server`.
pub fn server() -> Vec<(&'static str, Vec<u8>)> {
    let hello = b"\x01TP\x01\x02\0\x20................................";
    let frame = b"{\"type\":\"pass\",\"name\":\"hello\",\"data\":{}}\n";
    let weak =
        b"\x01TP\x01\x01\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut seeds = attacks(BOTH, CLIENT_HANDSHAKE);
    seeds.extend([
        ("plain-at-plain", [&[PLAIN | pieces(3)][..], frame].concat()),
        ("plain-at-encrypted", [&[ENCRYPTED][..], frame].concat()),
        ("plain-at-both", [&[BOTH | pieces(1)][..], frame].concat()),
        (
            "encrypted-at-plain",
            [&[PLAIN | pieces(2)][..], hello].concat(),
        ),
        (
            "own-handshake",
            [&[ENCRYPTED | pieces(4)][..], hello].concat(),
        ),
        ("weak-key", [&[ENCRYPTED][..], weak].concat()),
        ("no-preamble", [&[BOTH][..], b"\x01TLS"].concat()),
        ("other-version", [&[BOTH][..], b"\x01TP\x02\x01"].concat()),
        ("other-suite", [&[BOTH][..], b"\x01TP\x01\x03"].concat()),
        ("no-link", [&[BOTH][..], b"GET / HTTP/1.1\r\n\r\n"].concat()),
        (
            "suite-altered",
            vec![ENCRYPTED | GENUINE, FLIP, 0, 4, 3, PASS, PASS],
        ),
        (
            "handshake-altered",
            vec![ENCRYPTED | GENUINE | AES_GCM, PASS, FLIP, 0, 9, 1, PASS],
        ),
        (
            "last-message-altered",
            vec![ENCRYPTED | GENUINE, PASS, PASS, FLIP, 0, 65, 1],
        ),
    ]);
    seeds
}

/// Seeds of `codec_client`.
pub fn client() -> Vec<(&'static str, Vec<u8>)> {
    let refusal = b"{\"type\":\"protocol_error\",\"data\":{\"code\":\"encryption_refused\"}}\n";
    let mut seeds = attacks(RIGHT_KEY, SERVER_HANDSHAKE);
    seeds.extend([
        (
            "answered-in-plain",
            [&[RIGHT_KEY | pieces(2)][..], refusal].concat(),
        ),
        ("any-key", vec![ANY_KEY | GENUINE, PASS, SAY, 3, PASS]),
        ("wrong-key", vec![WRONG_KEY | GENUINE, PASS, SAY, 3, PASS]),
        (
            "own-handshake",
            [&[ANY_KEY][..], &[0, 96], &[9; 96]].concat(),
        ),
        ("weak-key", [&[ANY_KEY][..], &[0, 96], &[0; 96]].concat()),
        ("other-length", vec![ANY_KEY, 0, 97, 0]),
        (
            "handshake-altered",
            vec![ANY_KEY | GENUINE | AES_GCM, FLIP, 0, 2, 1],
        ),
        ("reflected-handshake", vec![ANY_KEY | GENUINE, REFLECT]),
    ]);
    seeds
}
