//! Mistakes in events, their data and their attributes.

use super::{check, data, event, set};

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
fn a_misspelled_attribute_is_not_missing() {
    let response = "unknown attribute `respnse` (did you mean `response`?)";
    check(
        &event("#[event(request, respnse = Seated)] struct TakeSeat;"),
        &[("respnse", response)],
    );
    check(
        &event("#[event(respnse)] struct Seated;"),
        &[("respnse", response)],
    );
    check(
        &event("#[event(reqest, response = Seated)] struct TakeSeat;"),
        &[(
            "reqest",
            "unknown attribute `reqest` (did you mean `request`?)",
        )],
    );
    // With a value it is no kind, without one no type.
    check(
        &event("#[event(respnse = Seated)] struct TakeSeat;"),
        &[
            ("respnse", response),
            ("event(respnse = Seated)", "an event has a kind"),
        ],
    );
    check(
        &event("#[event(request, respnse)] struct TakeSeat;"),
        &[
            ("respnse", response),
            ("TakeSeat", "a request names what answers it"),
        ],
    );
}

#[test]
fn attributes_of_the_struct_on_a_field() {
    let message = "`#[event(…)]` stands on the struct, not on a field";
    check(
        &event("#[event(pass)] struct Moved { #[event(name = \"a\")] x: f32, y: f32 }"),
        &[("event(name = \"a\")", message)],
    );
    check(
        &event("#[event(pass, serde = manual)] struct Moved(#[event] f32);"),
        &[("event", message)],
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
        &data("struct Page<T>(Vec<T>);"),
        &[(
            "T",
            "event data cannot be generic: its shape on the wire has to be fixed",
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
