//! What a fuzzer starts from: a call of each kind, each way to an end, and a session that loses its link.

use super::steps::{
    ANSWER, ARRIVE, ASIDE, BEGIN, BLOCKED, BYTES, CALL, CUT, END, EVENTS, FRAME, HELD, LEAVE, LINK,
    NOTE, SERVER, TEND, TIME, WRITE,
};

// The bits of a first byte.
const HOSTILE: u8 = 1;
const SMALL: u8 = 2;
const SESSION: u8 = 4;
const STRANGERS: u8 = 8;
const RATE: u8 = 16;
const CLOSES: u8 = 32;

// Kinds of calls.
const CONFIRM: u8 = 0;
const REQUEST: u8 = 1;
const TO_BOB: u8 = 2;

/// A call that may take so long.
const fn call(kind: u8, time: u8) -> [u8; 3] {
    [CALL, kind, time]
}

/// All that the client has written arrives at the server, which takes it.
const TO_SERVER: &[u8] = &[
    WRITE,
    255,
    255,
    SERVER | ARRIVE,
    255,
    255,
    SERVER | EVENTS,
    7,
    0,
];
/// The other way.
const TO_CLIENT: &[u8] = &[SERVER | WRITE, 255, 255, ARRIVE, 255, 255, EVENTS, 7, 0];
/// The server answers what it has taken.
const ANSWERED: &[u8] = &[SERVER | ANSWER, 0, 0];

/// Seeds of `connection`.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    [calls(), sessions(), breaks(), hostile()].concat()
}

fn calls() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", steps(CLOSES, &[])),
        (
            "confirmed",
            steps(CLOSES, &[&call(CONFIRM, 3), TO_SERVER, ANSWERED, TO_CLIENT]),
        ),
        (
            "asked",
            steps(
                0,
                &[
                    &call(REQUEST, 3),
                    TO_SERVER,
                    &[SERVER | ANSWER, 0, 1],
                    TO_CLIENT,
                ],
            ),
        ),
        (
            "asked-by-the-server",
            steps(
                CLOSES,
                &[
                    &[SERVER | CALL, REQUEST, 3],
                    TO_CLIENT,
                    &[ANSWER, 0, 2],
                    TO_SERVER,
                ],
            ),
        ),
        (
            "in-pieces",
            steps(
                RATE,
                &[
                    &call(REQUEST, 3),
                    &[
                        WRITE,
                        0,
                        9,
                        SERVER | ARRIVE,
                        0,
                        3,
                        SERVER | EVENTS,
                        0,
                        0,
                        TIME,
                        4,
                    ],
                    TO_SERVER,
                ],
            ),
        ),
    ]
}

fn sessions() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "numbered",
            steps(
                SESSION | CLOSES,
                &[
                    &call(CONFIRM, 6),
                    &call(REQUEST, 6),
                    &call(CONFIRM | TO_BOB, 2),
                    TO_SERVER,
                    ANSWERED,
                    ANSWERED,
                    TO_CLIENT,
                ],
            ),
        ),
        (
            "cut-before-the-answer",
            steps(
                SESSION | CLOSES,
                &[
                    &call(CONFIRM, 6),
                    &call(REQUEST, 6),
                    TO_SERVER,
                    ANSWERED,
                    &[CUT, LINK, 0, 0],
                    TO_SERVER,
                    ANSWERED,
                    TO_CLIENT,
                ],
            ),
        ),
        (
            "cut-before-it-arrives",
            steps(
                SESSION | SMALL,
                &[
                    &call(REQUEST, 6),
                    &call(CONFIRM, 6),
                    &[WRITE, 0, 200, CUT, TIME, 2, LINK, 0, 0],
                    TO_SERVER,
                    ANSWERED,
                    ANSWERED,
                    TO_CLIENT,
                ],
            ),
        ),
        (
            "held",
            steps(
                SESSION | SMALL,
                &[
                    &[SERVER | HELD, SERVER | WRITE, 0, 0, CUT, LINK, 0, 0],
                    TO_CLIENT,
                    &[
                        NOTE,
                        SERVER | HELD,
                        SERVER | HELD,
                        SERVER | HELD,
                        CUT,
                        LINK,
                        0,
                        0,
                    ],
                ],
            ),
        ),
    ]
}

fn breaks() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "session-begins-late",
            steps(
                CLOSES,
                &[
                    &call(CONFIRM, 6),
                    &[SERVER | BEGIN, 0, BEGIN, 0],
                    &call(CONFIRM, 6),
                    TO_SERVER,
                    ANSWERED,
                    TO_CLIENT,
                ],
            ),
        ),
        (
            "left",
            steps(
                SESSION,
                &[
                    &call(REQUEST, 3),
                    &[WRITE, 255, 255, LEAVE, 0],
                    TO_SERVER,
                    ANSWERED,
                    TO_CLIENT,
                ],
            ),
        ),
        (
            "drained",
            steps(
                SESSION,
                &[
                    &call(CONFIRM, 3),
                    &[
                        WRITE,
                        255,
                        255,
                        SERVER | ARRIVE,
                        255,
                        255,
                        SERVER | END,
                        1,
                        SERVER | END,
                        3,
                    ],
                    TO_SERVER,
                    ANSWERED,
                    TO_CLIENT,
                ],
            ),
        ),
        (
            "stalled",
            steps(0, &[&call(CONFIRM, 6), &[BLOCKED, TIME, 4]]),
        ),
        (
            "silent",
            steps(0, &[&call(CONFIRM, 6), &[SERVER | TEND, 1, TIME, 5]]),
        ),
    ]
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let plain = b"{\"type\":\"request\",\"name\":\"n\",\"data\":1,\"request_id\":\"r1\"}\n";
    let length = u8::try_from(plain.len()).expect("a short frame");
    vec![
        (
            "stranger",
            steps(
                STRANGERS | HOSTILE,
                &[
                    &[SERVER | BYTES, length],
                    plain,
                    &[SERVER | ARRIVE, 0, 50, SERVER | EVENTS, 0, 0, TIME, 3],
                ],
            ),
        ),
        (
            "aside",
            steps(
                SMALL | HOSTILE,
                &[
                    &[SERVER | BYTES, length],
                    plain,
                    &[SERVER | BYTES, length],
                    plain,
                    &[
                        SERVER | ARRIVE,
                        1,
                        0,
                        SERVER | EVENTS,
                        0,
                        0,
                        SERVER | ASIDE,
                        SERVER | EVENTS,
                        0,
                        1,
                    ],
                ],
            ),
        ),
        (
            "numbers-forged",
            steps(
                SESSION | HOSTILE,
                &[
                    &call(CONFIRM, 6),
                    &[WRITE, 255, 255],
                    // An acknowledgement of more than was sent, and refusals.
                    &[
                        FRAME, 16, 16, 4, 0, 255, 0, 0, ARRIVE, 255, 255, EVENTS, 7, 0,
                    ],
                    &[FRAME, 16, 64, 4, 0, 0, 0, ARRIVE, 255, 255, EVENTS, 7, 0],
                    // A pass with a number and its base.
                    &[
                        SERVER | FRAME,
                        4,
                        12,
                        0,
                        0,
                        5,
                        5,
                        8,
                        0,
                        SERVER | ARRIVE,
                        255,
                        255,
                        SERVER | EVENTS,
                        7,
                        0,
                    ],
                ],
            ),
        ),
    ]
}

/// A first byte and its steps.
fn steps(setting: u8, steps: &[&[u8]]) -> Vec<u8> {
    [&[setting], &steps.concat()[..]].concat()
}
