//! Every message that the derives own, with the text that it points at.

use syn::DeriveInput;

use crate::{data, error, event, protocol, set};

/// What is refused: the text that is pointed at, and the message.
type Refusals = Vec<(String, String)>;

fn item(source: &str) -> DeriveInput {
    syn::parse_str(source).unwrap_or_else(|error| panic!("{error} in {source}"))
}

fn refusals(errors: Option<syn::Error>) -> Refusals {
    let errors = errors.into_iter().flatten();
    errors
        .map(|error| {
            (
                error.span().source_text().expect("a place"),
                error.to_string(),
            )
        })
        .collect()
}

fn event(source: &str) -> Refusals {
    refusals(event::Model::parse(&item(source)).err())
}

fn data(source: &str) -> Refusals {
    refusals(data::Model::parse(&item(source)).err())
}

fn set(source: &str) -> Refusals {
    refusals(
        set::Model::parse(&item(source))
            .err()
            .map(|refused| refused.errors),
    )
}

fn protocol(source: &str) -> Refusals {
    refusals(
        protocol::Model::parse(&item(source))
            .err()
            .map(|refused| refused.errors),
    )
}

fn error(source: &str) -> Refusals {
    refusals(error::Model::parse(&item(source)).err())
}

/// Compares refusals, with messages by how they begin.
#[track_caller]
fn check(found: &Refusals, expected: &[(&str, &str)]) {
    let fits = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|((place, message), (at, start))| place == at && message.starts_with(start));
    assert!(fits, "found {found:#?}\nexpected {expected:#?}");
}

#[test]
fn a_kind_is_missing() {
    let message = "an event has a kind: add one of `pass`, `request`, `response`";
    check(
        &event("struct Moved;"),
        &[("Moved", &format!("{message}, as in `#[event(pass)]`"))],
    );
    check(&event("#[event()] struct Moved;"), &[("event()", message)]);
    check(
        &event("#[event(timeout = \"2s\")] struct Moved;"),
        &[("event(timeout = \"2s\")", message)],
    );
}

#[test]
fn more_than_one_kind() {
    check(
        &event("#[event(pass, request)] #[event(response)] struct Moved;"),
        &[
            (
                "request",
                "an event has one kind and this one is a `pass` already: remove one",
            ),
            (
                "response",
                "an event has one kind and this one is a `pass` already: remove one",
            ),
        ],
    );
}

#[test]
fn unknown_attributes() {
    let found = event("#[event(pass, nam = \"a\", colour(red, 2), max_sise = 1)] struct Moved;");
    check(
        &found,
        &[
            (
                "nam",
                "unknown attribute `nam` (did you mean `name`?): expected one of `pass`, `re",
            ),
            (
                "colour",
                "unknown attribute `colour`: expected one of `pass`, `request`, `respons",
            ),
            (
                "max_sise",
                "unknown attribute `max_sise` (did you mean `max_size`?): expected one",
            ),
        ],
    );
    check(
        &set("#[event_set(name = \"a\")] enum ToTable { Moved(Moved) }"),
        &[(
            "name",
            "unknown attribute `name`: expected `crate = \"path\"`",
        )],
    );
}

#[test]
fn repeated_attributes() {
    check(
        &event("#[event(pass, pass, name = \"a\", name = \"b\")] struct Moved;"),
        &[
            ("pass", "`pass` is given twice: keep one"),
            ("name", "`name` is given twice: keep one"),
        ],
    );
}

#[test]
fn malformed_attributes() {
    let forms = "expected `#[event(…)]` with one of `pass`, `request`";
    let kind = "an event has a kind";
    check(
        &event("#[event] struct Moved;"),
        &[("event", forms), ("event", kind)],
    );
    check(
        &event("#[event = \"pass\"] struct Moved;"),
        &[("event = \"pass\"", forms), ("event = \"pass\"", kind)],
    );
    check(
        &event("#[event(pass, \"name\", 3 4)] struct Moved;"),
        &[
            ("\"name\"", "expected one of `pass`"),
            ("3", "expected one of `pass`"),
        ],
    );
    check(
        &event("#[event(pass name = \"a\", timeout = \"2s\" 7)] struct Moved;"),
        &[("pass", "`pass` takes no value"), ("7", "expected `,`")],
    );
}

#[test]
fn values_of_the_wrong_shape() {
    check(
        &event("#[event(pass, name, timeout = 2, max_size = , serde = auto, error = 7)] struct A;"),
        &[
            ("name", "expected `name = \"…\"`"),
            ("2", "expected `timeout = \"2s\"`"),
            ("max_size", "expected `max_size = \"4KiB\"`"),
            ("auto", "expected `serde = manual`"),
            ("7", "expected `error = Type`"),
        ],
    );
    check(
        &event("#[event(pass, crate = \"a b\")] struct A;"),
        &[(
            "\"a b\"",
            "expected the path of `protocol-core`, as in `crate = \"::renamed_core\"`",
        )],
    );
}

#[test]
fn quantities() {
    for good in ["1ms", "2s", "10m"] {
        check(
            &event(&format!("#[event(pass, timeout = \"{good}\")] struct A;")),
            &[],
        );
    }
    for bad in [
        "",
        "2",
        "s",
        "0s",
        "2 s",
        "2h",
        "1.5s",
        "-1s",
        "18446744073709551615m",
    ] {
        check(
            &event(&format!("#[event(pass, timeout = \"{bad}\")] struct A;")),
            &[(
                &format!("\"{bad}\""),
                "expected a whole number above 0 and a unit: \"500ms\", ",
            )],
        );
    }
    for good in ["1B", "4KiB", "2MiB"] {
        check(
            &event(&format!("#[event(pass, max_size = \"{good}\")] struct A;")),
            &[],
        );
    }
    for bad in ["4", "4KB", "0B", "1GiB", "18446744073709551615MiB"] {
        check(
            &event(&format!("#[event(pass, max_size = \"{bad}\")] struct A;")),
            &[(
                &format!("\"{bad}\""),
                "expected a whole number above 0 and a unit: \"512B\", ",
            )],
        );
    }
}

#[test]
fn what_a_pass_cannot_have() {
    check(
        &event("#[event(pass, response = Seated, concurrent)] struct Moved;"),
        &[
            (
                "response",
                "a pass has no response: make it a `request`, or remove this",
            ),
            (
                "concurrent",
                "passes are handled in order: make it a `request`, or remove this",
            ),
        ],
    );
}

#[test]
fn what_a_request_needs() {
    check(
        &event("#[event(request)] struct TakeSeat;"),
        &[(
            "TakeSeat",
            "a request names what answers it: add `response = Type`, a struct with",
        )],
    );
    check(
        &event("#[event(request, response = ())] struct TakeSeat;"),
        &[(
            "()",
            "a request is answered with a response event: name a struct with",
        )],
    );
}

#[test]
fn what_a_response_cannot_have() {
    let elsewhere = "this belongs on the request: remove it here";
    check(
        &event(
            "#[event(response, name = \"a\", response = B, error = C, timeout = \"1s\", \
             concurrent, max_size = \"1B\")] struct Seated;",
        ),
        &[
            (
                "name",
                "a response travels under the name of its request: remove this",
            ),
            ("response", "a response is not answered: remove this"),
            ("error", elsewhere),
            ("timeout", elsewhere),
            ("concurrent", elsewhere),
            (
                "max_size",
                "a response is limited by the frame alone: remove this",
            ),
        ],
    );
}

#[test]
fn shapes_that_are_no_event() {
    check(
        &event("#[event(pass)] enum Moved { Left }"),
        &[(
            "enum",
            "an event is a struct: put the enum, with `#[derive(EventData)]`, into a field",
        )],
    );
    check(
        &event("#[event(pass)] union Moved { x: f32 }"),
        &[(
            "union",
            "an event is a struct: a union cannot be serialized",
        )],
    );
    check(
        &event("#[event(pass)] struct Moved<T, const N: usize>([T; N]);"),
        &[(
            "T, const N: usize",
            "an event cannot be generic: its shape on the wire has to be fixed",
        )],
    );
    check(
        &event("#[event(pass)] struct Moved where u8: Copy;"),
        &[(
            "where u8: Copy",
            "an event cannot be generic: remove the `where` clause",
        )],
    );
    check(
        &event("#[event(pass)] struct Named { name: &'static str }"),
        &[(
            "&'static str",
            "an event owns its data: use an owned type, as in `String` or `Vec<T>`",
        )],
    );
    check(
        &data("union Chair { seat: u8 }"),
        &[(
            "union",
            "`EventData` is for structs and enums: a union cannot be serialized",
        )],
    );
}

#[test]
fn serde_attributes_that_the_derive_needs_itself() {
    check(
        &event("#[event(pass)] #[serde(rename_all = \"a\", crate = \"b\")] struct Moved;"),
        &[(
            "crate",
            "`crate` is what the derive itself says to serde: remove it",
        )],
    );
    check(
        &data("#[serde(remote = \"b\")] struct Moved;"),
        &[(
            "remote",
            "`remote` is what the derive itself says to serde: remove it",
        )],
    );
}

#[test]
fn wire_names() {
    let named = |name: &str| event(&format!("#[event(pass, name = \"{name}\")] struct Moved;"));
    for good in ["a", "table.take-seat:2_", &"a".repeat(64)] {
        check(&named(good), &[]);
    }
    check(
        &named(""),
        &[(
            "\"\"",
            "a name on the wire has at least one character; choose another",
        )],
    );
    let long = "a".repeat(65);
    check(
        &named(&long),
        &[(
            &format!("\"{long}\""),
            &format!("`{long}` has 65 bytes, a name on the wire at most 64"),
        )],
    );
    for (bad, character) in [("Moved", 'M'), ("a b", ' '), ("größe", 'ö'), ("a/b", '/')] {
        check(
            &named(bad),
            &[(
                &format!("\"{bad}\""),
                &format!("`{character}` cannot stand in a name on the wire, only `[a-z0-9_.:-]`"),
            )],
        );
    }
    for reserved in ["protocol_error", "cancel_request"] {
        check(
            &named(reserved),
            &[(
                &format!("\"{reserved}\""),
                &format!("the wire name `{reserved}` is reserved for the protocol itself; choose"),
            )],
        );
    }
    check(
        &event("#[event(pass)] struct ProtocolError;"),
        &[(
            "ProtocolError",
            "the wire name `protocol_error` is reserved for the protocol itself; give one with \
             `#[event(name = \"…\")]`",
        )],
    );
}

#[test]
fn shapes_that_are_no_set() {
    let shape = "an event set is an enum with one variant an event, as in `Moved(Moved)`";
    check(
        &set("struct ToTable { moved: Moved }"),
        &[("struct", shape)],
    );
    check(&set("union ToTable { moved: Moved }"), &[("union", shape)]);
    check(
        &set("enum ToTable {}"),
        &[(
            "ToTable",
            &format!("an event set has at least one event: {shape}"),
        )],
    );
    check(
        &set("enum ToTable<T> { Moved(T) }"),
        &[(
            "T",
            "an event set cannot be generic: its shape on the wire has to be fixed",
        )],
    );
}

#[test]
fn variants_that_hold_no_event() {
    check(
        &set("enum ToTable { Wave, None(), Moved(A, B), Named { a: A } }"),
        &[
            ("Wave", "a variant holds its event: write `Wave(EventType)`"),
            (
                "()",
                "a variant holds exactly one event: write `None(EventType)`",
            ),
            (
                "(A, B)",
                "a variant holds exactly one event: write `Moved(EventType)`",
            ),
            (
                "{ a: A }",
                "a variant holds one event: move the fields to a struct that derives",
            ),
        ],
    );
    check(
        &set("enum ToTable { #[event_set(name = \"a\")] Moved(Moved) }"),
        &[(
            "event_set(name = \"a\")",
            "`#[event_set(…)]` stands on the enum, not on a variant",
        )],
    );
}

#[test]
fn variants_that_clash() {
    check(
        &set("enum ToTable { Moved(Moved), Jumped(Moved) }"),
        &[(
            "Moved",
            "`Moved` is in the set already, as `Moved`: keep one",
        )],
    );
    check(
        &set("enum ToTable { TakeSeat(A), Take_Seat(B) }"),
        &[(
            "Take_Seat",
            "`TakeSeat` has the method `on_take_seat` already: rename one",
        )],
    );
}

#[test]
fn what_a_protocol_needs() {
    let sets = "a protocol has at least one event set: add `to_server`, `to_client` or `to_peer`";
    let version = "a protocol has a version, which both ends compare: add `version = \"1\"`";
    check(
        &protocol("struct Poker;"),
        &[("Poker", sets), ("Poker", version)],
    );
    check(
        &protocol("#[protocol(to_server = ())] struct Poker;"),
        &[
            ("protocol(to_server = ())", sets),
            ("protocol(to_server = ())", version),
        ],
    );
    check(
        &protocol("#[protocol(version = \"\", name = \"\", to_peer = A)] struct Poker;"),
        &[
            ("\"\"", "a protocol's name has at least one character"),
            ("\"\"", "a protocol's version has at least one character"),
        ],
    );
}

#[test]
fn shapes_that_are_no_protocol() {
    let shape = "a protocol is a unit struct: write `struct MyProtocol;`";
    let attribute = "#[protocol(version = \"1\", to_server = A)]";
    for (rest, place) in [
        ("struct Poker { tables: u8 }", "{ tables: u8 }"),
        ("struct Poker(u8);", "(u8)"),
        ("enum Poker { A }", "enum"),
        ("union Poker { a: u8 }", "union"),
    ] {
        check(&protocol(&format!("{attribute} {rest}")), &[(place, shape)]);
    }
    check(
        &protocol(&format!("{attribute} struct Poker<T>;")),
        &[(
            "T",
            "a protocol cannot be generic: its shape on the wire has to be fixed",
        )],
    );
}

#[test]
fn sets_of_a_direction() {
    check(
        &protocol("#[protocol(version = \"1\", to_server = (A, (B, A)), to_client = A)] struct P;"),
        &[("A", "`A` is in this direction already: remove it here")],
    );
    check(
        &protocol("#[protocol(version = \"1\", to_server = (A, [B], &C))] struct P;"),
        &[
            (
                "[B]",
                "expected an event set or a tuple of them, as in `(Lobby, Table)`",
            ),
            (
                "&C",
                "expected an event set or a tuple of them, as in `(Lobby, Table)`",
            ),
        ],
    );
}

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
        "peer_not_found",
        "peer_reconnecting",
        "peer_slow",
        "no_handler",
        "not_allowed",
        "peer_gone",
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

#[test]
fn all_mistakes_of_an_item_are_reported() {
    check(
        &event(
            "#[event(request, nam = \"a\", timeout = \"soon\")] struct ProtocolError<T> { t: &T }",
        ),
        &[
            ("nam", "unknown attribute"),
            ("\"soon\"", "expected a whole number"),
            ("T", "an event cannot be generic"),
            ("ProtocolError", "a request names what answers it"),
            (
                "ProtocolError",
                "the wire name `protocol_error` is reserved",
            ),
            ("&T", "an event owns its data"),
        ],
    );
}
