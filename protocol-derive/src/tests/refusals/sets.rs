//! Mistakes in event sets and protocols.

use super::{check, protocol, set};

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
    let version = "a protocol has a version: add `version = \"1\"`";
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
fn a_misspelled_attribute_is_not_missing() {
    check(
        &protocol("#[protocol(version = \"1\", to_sever = A)] struct Poker;"),
        &[(
            "to_sever",
            "unknown attribute `to_sever` (did you mean `to_server`?)",
        )],
    );
    check(
        &protocol("#[protocol(versoin = \"1\", to_server = A)] struct Poker;"),
        &[(
            "versoin",
            "unknown attribute `versoin` (did you mean `version`?)",
        )],
    );
    check(
        &protocol("#[protocol(version = \"1\", server = A)] struct Poker;"),
        &[
            ("server", "unknown attribute `server`: expected one of"),
            (
                "protocol(version = \"1\", server = A)",
                "a protocol has at least one event set",
            ),
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
