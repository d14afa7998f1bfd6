//! Every message that the derives own, with the text that it points at.

use syn::DeriveInput;

use crate::{data, error, event, protocol, set};

mod errors;
mod events;
mod sets;

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
