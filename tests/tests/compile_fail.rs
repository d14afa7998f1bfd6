//! What the compiler refuses, and what it says then: one file for each mistake in `compile-fail/`,
//! and beside it in `compile-fail/pass/` the same program without the mistake.
//!
//! The words are those of the toolchain that `rust-toolchain.toml` pins. After a change, look at
//! `TRYBUILD=overwrite cargo test -p protocol-tests --test compile_fail` and read each difference
//! as a user would.

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn mistakes_are_refused_and_their_twins_are_not() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("compile-fail/*.rs");
    cases.pass("compile-fail/pass/*.rs");
}

#[test]
fn each_mistake_has_its_message_and_its_twin() {
    let mistakes = stems("compile-fail", "rs");
    assert!(!mistakes.is_empty());
    assert_eq!(
        mistakes,
        stems("compile-fail", "stderr"),
        "a message without its mistake, or a mistake without its message"
    );
    assert_eq!(
        mistakes,
        stems("compile-fail/pass", "rs"),
        "a mistake without its passing twin, or the other way round"
    );
}

fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = folder.read_dir().expect("the folder of the cases");
    entries
        .map(|entry| entry.expect("a case").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect()
}
