//! The keys of a configuration file: the flags of a command, under their names.

use std::error::Error;
use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::{Arg, Command};

/// Names that are less like a key than this are no misspellings of it.
const ALIKE: f64 = 0.7;

/// The flags of `command` that a file may set, under their keys.
pub(in crate::cli) fn keys(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let flags = command.get_arguments();
    flags.filter_map(|arg| match arg.get_long() {
        // A file does not say where it is.
        Some("config") | None => None,
        Some(key) => Some((key, arg)),
    })
}

/// Where the flag `arg` does not take `text`: what to write instead, in the flag's own words.
pub(in crate::cli) fn fix(arg: &Arg, text: &OsStr) -> Option<String> {
    let mut written = OsString::from("--");
    written.push(arg.get_long()?);
    written.push("=");
    written.push(text);
    let flag = arg.clone().env(Resettable::Reset);
    let command = Command::new("").no_binary_name(true).arg(flag);
    let error = command.try_get_matches_from([written]).err()?;
    Some(
        error
            .source()
            .map_or_else(|| choices(arg), ToString::to_string),
    )
}

fn choices(arg: &Arg) -> String {
    let values = arg.get_possible_values();
    let names: Vec<&str> = values
        .iter()
        .map(clap::builder::PossibleValue::get_name)
        .collect();
    match names.as_slice() {
        [] => "write UTF-8, and not nothing".to_owned(),
        names => format!("write one of {}", names.join(", ")),
    }
}

/// What to say of `key`, which no flag of `command` has.
pub(super) fn unknown(command: &Command, key: &str, is_table: bool) -> String {
    let known: Vec<&str> = keys(command).map(|(known, _)| known).collect();
    let shown = super::shown(key);
    if is_table {
        let known = known.join(", ");
        return format!(
            "unknown table '{shown}': keys stand by themselves, in no table; they are {known}"
        );
    }
    match alike(&known, key) {
        Some(best) => format!("unknown key '{shown}': write '{best}'"),
        None => format!("unknown key '{shown}': the keys are {}", known.join(", ")),
    }
}

/// Which of the `known` names is likely meant by one that is not among them.
pub(in crate::cli) fn alike<'a>(known: &[&'a str], name: &str) -> Option<&'a str> {
    let likeness = |known: &&str| strsim::jaro(known, name);
    let best = known
        .iter()
        .copied()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.filter(|best| likeness(best) > ALIKE)
}
