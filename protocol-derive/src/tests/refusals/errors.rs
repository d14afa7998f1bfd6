//! Mistakes in event errors.

use super::{check, error};

#[test]
fn shapes_that_are_no_error() {
    let shape = "an event error is an enum with one variant a reason, as in `enum SeatError";
    check(&error("struct SeatError { max: u8 }"), &[("struct", shape)]);
    check(&error("union SeatError { max: u8 }"), &[("union", shape)]);
    check(
        &error("enum SeatError<T> { Full(T) }"),
        &[(
            "T",
            "an event error cannot be generic: its shape on the wire has to be fixed",
        )],
    );
    let serde = "codes and data of an event error have a fixed form";
    check(
        &error("#[serde(tag = \"a\")] enum SeatError { #[serde(rename = \"b\")] Full }"),
        &[
            ("serde(tag = \"a\")", serde),
            ("serde(rename = \"b\")", serde),
        ],
    );
}

#[test]
fn attributes_of_a_variant_on_a_field() {
    check(
        &error("enum SeatError { Full { #[event_error(code = \"a\")] max: u8 } }"),
        &[(
            "event_error(code = \"a\")",
            "`#[event_error(…)]` stands on a variant, not on a field",
        )],
    );
}

#[test]
fn standard_codes() {
    let codes = [
        "bad_frame",
        "bad_type",
        "too_large",
        "too_deep",
        "unknown_event",
        "bad_data",
        "not_logged_in",
        "rate_limited",
        "timeout",
        "unavailable",
        "shutting_down",
        "internal",
        "busy",
        "encryption_required",
        "encryption_refused",
        "peer_not_found",
        "peer_reconnecting",
        "peer_slow",
        "no_handler",
        "not_allowed",
        "peer_gone",
        "expect",
        "stale_dest",
        "expired",
        "id_conflict",
        "slow_consumer",
    ];
    for code in codes {
        check(
            &error(&format!(
                "enum SeatError {{ #[event_error(code = \"{code}\")] Full }}"
            )),
            &[(
                &format!("\"{code}\""),
                &format!("`{code}` is a standard code of the wire; give the variant another code"),
            )],
        );
    }
    check(
        &error("enum SeatError { Full, NotAllowed }"),
        &[(
            "NotAllowed",
            "`not_allowed` is a standard code of the wire; give the variant another",
        )],
    );
}

#[test]
fn codes() {
    check(
        &error("enum SeatError { Full, #[event_error(code = \"full\")] NoChairs }"),
        &[(
            "\"full\"",
            "`full` is the code of `Full` already: give one of them another with",
        )],
    );
    check(
        &error("enum SeatError { NoChair, No_Chair }"),
        &[(
            "No_Chair",
            "`no_chair` is the code of `NoChair` already: give one of them another",
        )],
    );
    check(
        &error("enum SeatError { #[event_error(code = \"Full!\")] Full }"),
        &[(
            "\"Full!\"",
            "`F` cannot stand in a name on the wire, only `[a-z0-9_.:-]`; give the",
        )],
    );
    check(
        &error("enum SeatError { #[event_error(name = \"full\")] Full }"),
        &[("name", "unknown attribute `name`: expected `code = \"…\"`")],
    );
}
