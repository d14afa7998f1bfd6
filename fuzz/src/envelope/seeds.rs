//! What a fuzzer starts from: the members of each kind of frame, and each rule's edge.

use super::member::{ESCAPED, UNKNOWN, UPPER};
use super::value::{DEEP, LONG, NUMBER, OTHER, QUOTED, RAW, SMALL, TEXT};

// Places of members.
const TYPE: u8 = 0;
const NAME: u8 = 1;
const DEST: u8 = 2;
const FROM: u8 = 3;
const DATA: u8 = 4;
const ERROR: u8 = 5;
const PASS_ID: u8 = 6;
const REQUEST_ID: u8 = 7;
const SEQ: u8 = 8;
const BASE: u8 = 9;
const ACK: u8 = 10;
const SINCE: u8 = 11;
const FROM_INC: u8 = 12;
const DEST_INC: u8 = 13;

// Places of texts.
const PASS: u8 = 0;
const CONFIRM_PASS: u8 = 1;
const REQUEST: u8 = 2;
const RESPONSE: u8 = 3;
const LATER: u8 = 4;
const ALICE: u8 = 6;
const INC: u8 = 8;
const ID: u8 = 9;

// Places of other values.
const NULL: u8 = 0;
const ERROR_OBJECT: u8 = 5;

/// Seeds of `envelope`.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    [frames(), rules()].concat()
}

fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let text = |member, text| vec![member, TEXT, text];
    let kind = |kind| text(TYPE, kind);
    let name = || text(NAME, ALICE);
    let with = |members: &[&[u8]]| members.concat();
    vec![
        ("empty", Vec::new()),
        (
            "pass",
            with(&[&kind(PASS), &text(DEST, ALICE), &name(), &[DATA, OTHER, 7]]),
        ),
        (
            "confirm",
            with(&[
                &[SEQ, SMALL, 0, 7, BASE, SMALL, 0, 5],
                &text(DEST_INC, INC),
                &text(PASS_ID, ID),
                &name(),
                &kind(CONFIRM_PASS),
            ]),
        ),
        (
            "acknowledged",
            with(&[
                &kind(CONFIRM_PASS),
                &text(PASS_ID, ID),
                &[ACK, NUMBER, 4, SINCE, NUMBER, 1, NAME, OTHER, NULL],
            ]),
        ),
        (
            "refused",
            with(&[
                &kind(CONFIRM_PASS),
                &text(PASS_ID, ID),
                &[ACK, NUMBER, 0, ERROR, OTHER, ERROR_OBJECT],
            ]),
        ),
        (
            "request",
            with(&[
                &text(FROM_INC, INC),
                &text(FROM, ALICE),
                &kind(REQUEST),
                &name(),
                &text(REQUEST_ID, ID),
            ]),
        ),
        (
            "failed",
            with(&[
                &kind(RESPONSE),
                &name(),
                &text(REQUEST_ID, ID),
                &[ERROR, OTHER, ERROR_OBJECT],
            ]),
        ),
    ]
}

fn rules() -> Vec<(&'static str, Vec<u8>)> {
    let text = |member, text| vec![member, TEXT, text];
    let kind = |kind| text(TYPE, kind);
    let name = || text(NAME, ALICE);
    let with = |members: &[&[u8]]| members.concat();
    vec![
        (
            "both-data-and-error",
            with(&[
                &kind(RESPONSE),
                &name(),
                &text(REQUEST_ID, ID),
                &[DATA, OTHER, NULL, ERROR, OTHER, ERROR_OBJECT],
            ]),
        ),
        (
            "later",
            with(&[
                &kind(LATER),
                &[NAME, NUMBER, 1, SEQ, NUMBER, 8, UNKNOWN, DEEP, 64],
            ]),
        ),
        (
            "twice",
            with(&[
                &kind(PASS),
                &name(),
                &[SEQ, OTHER, NULL, ESCAPED, SEQ, OTHER, NULL],
            ]),
        ),
        (
            "other-case",
            with(&[&kind(PASS), &name(), &[UPPER, NAME, NUMBER, 1]]),
        ),
        ("too-high", with(&[&kind(PASS), &name(), &[SEQ, NUMBER, 5]])),
        (
            "no-digits-alone",
            with(&[&kind(PASS), &name(), &[ACK, NUMBER, 8]]),
        ),
        (
            "id-too-long",
            with(&[&kind(PASS), &name(), &[REQUEST_ID, LONG, 2, 0, 65]]),
        ),
        (
            "address-of-full-length",
            with(&[&kind(PASS), &name(), &[DEST, LONG, 3, 1, 0]]),
        ),
        ("too-deep", with(&[&kind(PASS), &name(), &[DATA, DEEP, 65]])),
        (
            "raw",
            with(&[
                &kind(PASS),
                &[NAME, QUOTED, 2, 0xc3, 0xa9, DATA, RAW, 5],
                b"1,2\n ",
            ]),
        ),
    ]
}
