//! What a fuzzer starts from: each way in which a pass can go, as short as it can be.

use super::steps::{
    ANSWER, ANSWER_TWICE, ASK, CONFIRM, CUT, DELIVER, FORGE_ACK, FORGE_REFUSAL, LEAVE, LOSE,
    PROCESS, REFUSE, REPEAT, REPLY, RESTART, STRAY, TIME, TRANSMIT,
};

// The parts of a first byte.
const SMALL: u8 = 1;
const ALICE_TAKES_NONE: u8 = 2;

// Ends.
const SERVER: u8 = 0;
const ALICE: u8 = 1;

// What handlers do.
const DONE: u8 = 0;
const REFUSED: u8 = 1;
const LATER: u8 = 2;

/// A pass that may take two minutes.
const fn confirm(to: u8) -> [u8; 4] {
    [CONFIRM, to, 10, 3]
}

/// Seeds of `delivery`.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    [answers(), losses(), ends()].concat()
}

fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let send = [TRANSMIT, 9, DELIVER, 0];
    vec![
        (
            "confirmed",
            steps(
                0,
                &[&confirm(SERVER), &send, &[PROCESS, SERVER, DONE, ANSWER, 0]],
            ),
        ),
        (
            "refused",
            steps(
                0,
                &[
                    &confirm(SERVER),
                    &send,
                    &[PROCESS, SERVER, REFUSED, ANSWER, 0],
                ],
            ),
        ),
        (
            "first-asks-for-the-life",
            steps(
                0,
                &[
                    &confirm(ALICE),
                    &confirm(ALICE),
                    &send,
                    &[ANSWER, 0],
                    &send,
                    &[PROCESS, ALICE, LATER, ANSWER, 0, TIME, 3],
                ],
            ),
        ),
        (
            "takes-no-numbers",
            steps(
                ALICE_TAKES_NONE,
                &[&confirm(ALICE), &send, &[ANSWER_TWICE, 0]],
            ),
        ),
    ]
}

fn losses() -> Vec<(&'static str, Vec<u8>)> {
    let send = [TRANSMIT, 9, DELIVER, 0];
    vec![
        (
            "repeated",
            steps(
                0,
                &[
                    &confirm(SERVER),
                    &[
                        TRANSMIT,
                        0,
                        REPEAT,
                        0,
                        PROCESS,
                        SERVER,
                        DONE,
                        DELIVER,
                        0,
                        ANSWER_TWICE,
                        0,
                    ],
                ],
            ),
        ),
        (
            "out-of-order",
            steps(
                SMALL,
                &[
                    &confirm(SERVER),
                    &confirm(SERVER),
                    &confirm(SERVER),
                    &[TRANSMIT, 9, DELIVER, 1, ANSWER, 0, LOSE, 0, TIME, 4],
                ],
            ),
        ),
        (
            "cut-while-it-runs",
            steps(
                0,
                &[
                    &confirm(SERVER),
                    &send,
                    &[CUT, TRANSMIT, 0, DELIVER, 0, PROCESS, SERVER, DONE],
                ],
            ),
        ),
        (
            "refused-on-the-way",
            steps(
                0,
                &[
                    &confirm(ALICE),
                    &send,
                    &[ANSWER, 0, TRANSMIT, 0, REFUSE, 0, 0, ANSWER, 0, TIME, 2],
                ],
            ),
        ),
        (
            "started-anew",
            steps(
                0,
                &[
                    &confirm(ALICE),
                    &send,
                    &[ANSWER, 0],
                    &send,
                    &[RESTART, ALICE, TIME, 4],
                    &send,
                    &[ANSWER, 0],
                ],
            ),
        ),
    ]
}

fn ends() -> Vec<(&'static str, Vec<u8>)> {
    let send = [TRANSMIT, 9, DELIVER, 0];
    vec![
        (
            "given-up",
            steps(
                0,
                &[
                    &confirm(SERVER),
                    &[TRANSMIT, 0, TIME, 8],
                    &confirm(SERVER),
                    &send,
                ],
            ),
        ),
        (
            "left",
            steps(
                0,
                &[
                    &confirm(SERVER),
                    &confirm(SERVER),
                    &[TRANSMIT, 0, LEAVE, 0, LEAVE, 1, TIME, 6],
                ],
            ),
        ),
        (
            "forged",
            steps(
                0,
                &[
                    &confirm(SERVER),
                    &[TRANSMIT, 0, FORGE_ACK, SERVER, 255, 0, 0, 0],
                    &confirm(SERVER),
                    &[TRANSMIT, 0, FORGE_REFUSAL, SERVER, 0, 0, 2, 1],
                ],
            ),
        ),
        (
            "stranger",
            steps(
                SMALL,
                &[&[
                    STRAY, SERVER, 250, 250, STRAY, SERVER, 1, 1, PROCESS, SERVER, DONE, STRAY,
                    SERVER, 255, 255, STRAY, SERVER, 251, 0,
                ]],
            ),
        ),
        (
            "asked",
            steps(
                SMALL,
                &[&[
                    ASK, ALICE, 1, 5, 0, ASK, ALICE, 1, 5, 1, REPLY, ALICE, 60, ASK, ALICE, 1, 5,
                    0, ASK, ALICE, 2, 4, 0, ASK, ALICE, 3, 9, 0, REPLY, ALICE, 255, ASK, ALICE, 3,
                    9, 0,
                ]],
            ),
        ),
    ]
}

/// A first byte and its steps.
fn steps(setting: u8, steps: &[&[u8]]) -> Vec<u8> {
    [&[setting], &steps.concat()[..]].concat()
}
