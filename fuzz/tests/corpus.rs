//! The committed corpus, without a fuzzer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use protocol_core::codec::CodecError;
use protocol_fuzz::codec::{self, Outcome};
use protocol_fuzz::{TARGETS, Target, connection, delivery, envelope, frame};

fn committed(target: &Target) -> BTreeMap<String, Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    fs::read_dir(corpus.join(target.name))
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn every_input_keeps_the_laws() {
    for target in TARGETS {
        for (name, input) in committed(target) {
            println!("{}/{name}", target.name);
            (target.run)(&input);
        }
    }
}

#[test]
fn every_seed_is_committed() {
    for target in TARGETS {
        let committed = committed(target);
        for (name, seed) in (target.seeds)() {
            assert!(
                committed.get(name) == Some(&seed),
                "{}/{name} is missing or old: cargo run --example seeds",
                target.name
            );
        }
    }
}

#[test]
fn every_target_has_a_program_of_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let mut programs: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut targets: Vec<_> = TARGETS.iter().map(|t| format!("{}.rs", t.name)).collect();
    programs.sort();
    targets.sort();
    assert_eq!(programs, targets);
}

/// What became of the seed of this name.
fn outcome(
    seeds: Vec<(&'static str, Vec<u8>)>,
    name: &str,
    run: fn(&[u8]) -> Outcome,
) -> (Option<CodecError>, bool, usize) {
    let seed = seeds.into_iter().find(|seed| seed.0 == name);
    let outcome = run(&seed.unwrap().1);
    (outcome.error, outcome.is_open, outcome.heard)
}

/// The seeds attack what they are named after: none of them ends before it gets there.
#[test]
fn attacks_on_records_end_where_they_strike() {
    let altered = || Some(CodecError::AlteredRecord);
    let malformed = |what| Some(CodecError::Malformed(what));
    for (name, error, heard) in [
        ("nothing", None, 152),
        ("sizes", None, 8_175 + 8_173),
        ("flip-length", None, 0),
        ("flip-record", altered(), 16),
        ("drop", altered(), 0),
        ("swap", altered(), 0),
        ("cut", None, 0),
        ("repeat", altered(), 150),
        ("reflect", altered(), 0),
        ("inject", malformed("a record is shorter than its tag"), 16),
        (
            "behind-the-end",
            malformed("there are bytes behind the end"),
            0,
        ),
        ("around-the-rekey", altered(), 10_002),
    ] {
        let expected = (error, true, heard);
        assert_eq!(
            outcome(codec::seeds::server(), name, codec::server),
            expected,
            "{name}"
        );
        assert_eq!(
            outcome(codec::seeds::client(), name, codec::client),
            expected,
            "{name}"
        );
    }
}

#[test]
fn attacks_on_a_server_end_where_they_strike() {
    for (name, error) in [
        ("plain-at-encrypted", CodecError::EncryptionRequired),
        ("encrypted-at-plain", CodecError::EncryptionRefused),
        ("weak-key", CodecError::WeakKey),
        (
            "no-preamble",
            CodecError::Malformed("no preamble of encryption"),
        ),
        ("other-version", CodecError::UnknownVersion(2)),
        ("other-suite", CodecError::UnknownSuite(3)),
        ("last-message-altered", CodecError::AlteredHandshake),
    ] {
        let (found, _, heard) = outcome(codec::seeds::server(), name, codec::server);
        assert_eq!((found, heard), (Some(error), 0), "{name}");
    }
    for name in ["plain-at-plain", "plain-at-both"] {
        let (error, is_open, heard) = outcome(codec::seeds::server(), name, codec::server);
        assert_eq!((error, is_open, heard), (None, true, 41), "{name}");
    }
}

#[test]
fn attacks_on_a_client_end_where_they_strike() {
    for (name, error) in [
        ("answered-in-plain", CodecError::AnsweredInPlain),
        ("weak-key", CodecError::WeakKey),
        ("own-handshake", CodecError::AlteredHandshake),
        ("handshake-altered", CodecError::AlteredHandshake),
    ] {
        let (found, is_open, heard) = outcome(codec::seeds::client(), name, codec::client);
        assert_eq!((found, is_open, heard), (Some(error), false, 0), "{name}");
    }
    let (error, is_open, _) = outcome(codec::seeds::client(), "wrong-key", codec::client);
    assert!(matches!(error, Some(CodecError::WrongKey { .. })) && !is_open);
    let (error, is_open, heard) = outcome(codec::seeds::client(), "any-key", codec::client);
    assert_eq!((error, is_open, heard), (None, true, 150));
}

/// The seed of this name.
fn seed(seeds: &[(&'static str, Vec<u8>)], name: &str) -> Vec<u8> {
    let seed = seeds.iter().find(|seed| seed.0 == name);
    seed.unwrap_or_else(|| panic!("no seed {name}")).1.clone()
}

#[test]
fn seeds_of_frames_are_frames_unless_their_names_say_otherwise() {
    let seeds = frame::seeds::all();
    for (name, expected) in [
        ("lines", (2, 2)),
        ("line-breaks-within", (2, 0)),
        ("as-long-as-may-be", (1, 0)),
        ("too-long", (0, 0)),
        ("nothing-fits", (0, 0)),
        ("too-deep", (1, 0)),
        ("twice", (1, 0)),
        ("surrogate", (1, 0)),
    ] {
        assert_eq!(frame::run(&seed(&seeds, name)), expected, "{name}");
    }
    for name in [
        "pass",
        "confirm",
        "acknowledged",
        "refused",
        "request",
        "response",
        "failed",
        "later",
        "escaped",
        "deep",
    ] {
        assert_eq!(frame::run(&seed(&seeds, name)), (1, 1), "{name}");
    }
}

#[test]
fn seeds_of_envelopes_are_taken_where_the_rules_say_so() {
    let taken: Vec<_> = envelope::seeds::all()
        .into_iter()
        .filter_map(|(name, seed)| envelope::run(&seed).then_some(name))
        .collect();
    assert_eq!(
        taken,
        [
            "pass",
            "confirm",
            "acknowledged",
            "refused",
            "request",
            "failed",
            "later",
            "other-case",
            "address-of-full-length",
        ]
    );
}

#[test]
fn seeds_of_streams_confirm_what_they_say() {
    let seeds = delivery::seeds::all();
    for (name, confirmed) in [
        ("confirmed", 1),
        ("refused", 0),
        ("first-asks-for-the-life", 2),
        ("takes-no-numbers", 0),
        ("repeated", 1),
        ("out-of-order", 3),
        ("cut-while-it-runs", 1),
        ("refused-on-the-way", 1),
        ("started-anew", 0),
        ("given-up", 1),
        ("left", 0),
    ] {
        assert_eq!(delivery::run(&seed(&seeds, name)), confirmed, "{name}");
    }
}

#[test]
fn seeds_of_connections_have_their_calls_answered() {
    let seeds = connection::seeds::all();
    for (name, answered) in [
        ("confirmed", 1),
        ("asked", 1),
        ("asked-by-the-server", 0),
        ("numbered", 2),
        ("cut-before-the-answer", 2),
        ("cut-before-it-arrives", 2),
        ("session-begins-late", 1),
        ("left", 0),
        ("drained", 1),
        ("stalled", 0),
        ("silent", 0),
        ("numbers-forged", 1),
    ] {
        assert_eq!(connection::run(&seed(&seeds, name)), answered, "{name}");
    }
}
