//! The file of tokens: who may log in, as the operator has written it down.
//!
//! No error shows what stands in it but the number of the line: an id may be a token whose place was
//! confused.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::cli::file::{line_at, read, shown};
use crate::cli::key_file::Unusable;
use crate::tokens::{TokenProblem, Tokens, TokensError};

/// Room for some 100,000 ids.
const LONGEST: u64 = 16 << 20;

/// Mistakes of a file that are told at once; a file of another kind is full of them.
const MISTAKES: usize = 10;

/// An id, its token, and their line.
type Entry = (String, String, usize);

/// Reads a table of ids and tokens, such as `alice = "kR3vVq0cJ7w2mZ9x"`.
///
/// # Errors
///
/// Where others can read the file, or with everything that is wrong in it, by file and line.
pub(super) fn read_tokens(path: &Path) -> Result<Tokens, Unusable> {
    let name = shown(&path.to_string_lossy());
    let of_file = |problem: String| Unusable(format!("{name}: {problem}"));
    let file = open(path).map_err(of_file)?;
    let text = read(file, LONGEST).map_err(of_file)?;
    let tokens = entries(&text).and_then(of).map_err(|mut mistakes| {
        mistakes.sort();
        let more = mistakes.len().saturating_sub(MISTAKES);
        let shown = mistakes.iter().take(MISTAKES);
        let mut lines: Vec<_> = shown
            .map(|(line, mistake)| format!("{name}:{line}: {mistake}"))
            .collect();
        if more > 0 {
            lines.push(format!("{name}: {more} more mistakes"));
        }
        Unusable(lines.join("\n"))
    })?;
    if tokens.is_empty() {
        let problem = "nobody could log in: write a line such as alice = \"a random token\" for \
                       each id, or leave --auth-token-file out";
        return Err(of_file(problem.to_owned()));
    }
    Ok(tokens)
}

fn open(path: &Path) -> Result<File, String> {
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such file: write one, with a line such as \
                                alice = \"a random token\" for each id"
            .to_owned(),
        _ => format!("cannot be opened: {error}"),
    })?;
    #[cfg(unix)]
    check_mode(&file)?;
    Ok(file)
}

#[cfg(unix)]
fn check_mode(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = file.metadata();
    let metadata = metadata.map_err(|error| format!("cannot be read: {error}"))?;
    if metadata.is_dir() {
        return Err("is a directory: name a file in it".to_owned());
    }
    let mode = metadata.permissions().mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others != 0 {
        return Err(format!(
            "others can read the tokens, for its mode is {mode:o}: run `chmod 600` on it, and \
             change the tokens if somebody may have"
        ));
    }
    Ok(())
}

/// What stands in the file, in its order, or its mistakes and their lines.
fn entries(text: &str) -> Result<Vec<Entry>, Vec<(usize, String)>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mistake = |error: &toml::de::Error| {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            (line, syntax(error.message()))
        };
        let mut mistakes: Vec<_> = errors.iter().map(mistake).collect();
        // Whatever follows the first mistake of a line follows from it.
        mistakes.dedup_by_key(|(line, _)| *line);
        return Err(mistakes);
    }
    let (mut entries, mut mistakes) = (Vec::new(), Vec::new());
    for (id, token) in table.get_ref() {
        let line = line_at(text, id.span().start);
        let id = id.get_ref();
        match token.get_ref() {
            DeValue::String(token) => entries.push((id.to_string(), token.to_string(), line)),
            DeValue::Table(_) => mistakes.push((line, IN_TABLE.to_owned())),
            _ => mistakes.push((line, "the token stands in no quotes".to_owned())),
        }
    }
    entries.sort_by_key(|(_, _, line)| *line);
    if mistakes.is_empty() {
        Ok(entries)
    } else {
        Err(mistakes)
    }
}

fn syntax(message: &str) -> String {
    if message == "duplicate key" {
        return "an id that has a token already: keep one".to_owned();
    }
    format!("no TOML ({message}): write an id and, in quotes, its token")
}

const IN_TABLE: &str = "this is a table: put ids with other characters than letters, digits, - and _ \
                        in quotes, and leave [ ] out";

/// The tokens, or which of them cannot be used.
fn of(entries: Vec<Entry>) -> Result<Tokens, Vec<(usize, String)>> {
    let at = |error: &TokensError, line: usize| match &error.problem {
        // These are about the id, and say so.
        problem @ (TokenProblem::Id(_) | TokenProblem::Twice) => (line, problem.to_string()),
        problem => (line, format!("the token cannot be used: {problem}")),
    };
    // One by one, so that all that is wrong is told at once.
    let wrong: Vec<_> = entries
        .iter()
        .filter_map(|(id, token, line)| {
            let error = Tokens::new([(id, token)]).err()?;
            Some(at(&error, *line))
        })
        .collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Tokens::new(entries.iter().map(|(id, token, _)| (id, token))).map_err(|error| {
        let mut entries = entries.iter();
        let entry = entries.find(|(id, _, _)| *id == error.id);
        vec![at(&error, entry.map_or(1, |(_, _, line)| *line))]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in(text: &str) -> Result<Tokens, Vec<(usize, String)>> {
        entries(text).and_then(of)
    }

    const TOKEN: &str = "kR3vVq0cJ7w2mZ9x";

    #[test]
    fn a_table_of_ids_and_tokens_is_read() {
        let text = format!("# mine\nalice = \"{TOKEN}\"\n\"b.o.b\" = '{TOKEN}'\n");
        assert_eq!(read_in(&text).unwrap().len(), 2);
        assert!(read_in("").unwrap().is_empty());
    }

    #[test]
    fn mistakes_are_told_with_their_lines_and_without_tokens() {
        for (text, line, part) in [
            (format!("\nalice = {TOKEN}"), 2, "in quotes, its token"),
            (format!("alice: \"{TOKEN}\""), 1, "no TOML ("),
            (format!("alice = \"{TOKEN}"), 1, "no TOML ("),
            (format!("alice {TOKEN}"), 1, "no TOML ("),
            (
                "alice = 1234567890123456".to_owned(),
                1,
                "stands in no quotes",
            ),
            (format!("al.ice = \"{TOKEN}\""), 1, "this is a table"),
            (format!("[tokens]\nalice = \"{TOKEN}\""), 1, "leave [ ] out"),
            (
                format!("alice = \"{TOKEN}\"\nalice = \"{TOKEN}\""),
                2,
                "keep one",
            ),
            (
                format!("bob = \"{TOKEN}\"\nBob = \"{TOKEN}\""),
                2,
                "an id that is or looks the same",
            ),
            (
                format!("bob = \"{TOKEN}\"\n\"a b\\n\" = \"{TOKEN}\""),
                2,
                "the id has the control character U+000A",
            ),
            ("bob = \"secret\"".to_owned(), 1, "it has 6 characters"),
            // An id and its token the wrong way round.
            (format!("{TOKEN} = \"alice\""), 1, "it has 5 characters"),
            (format!("{TOKEN} = 1"), 1, "stands in no quotes"),
            (format!("{TOKEN}.x = \"alice\""), 1, "this is a table"),
            (
                format!("\"#{TOKEN}\" = \"{TOKEN}\""),
                1,
                "which marks rooms",
            ),
            (format!("[{TOKEN}]"), 1, "this is a table"),
            (
                format!("{TOKEN} = \"{TOKEN}\"\n{TOKEN} = \"alice\""),
                2,
                "keep one",
            ),
            (
                format!("bob = \"{TOKEN} \""),
                1,
                "starts or ends with white space",
            ),
        ] {
            let mistakes = read_in(&text).unwrap_err();
            let [(found, mistake)] = mistakes.as_slice() else {
                panic!("{text}: {mistakes:?}");
            };
            assert_eq!(*found, line, "{text}: {mistake}");
            assert!(mistake.contains(part), "{text}: {mistake}");
            for secret in [TOKEN, "secret", "1234567890123456"] {
                assert!(!mistake.contains(secret), "{text}: {mistake}");
            }
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let mistakes = read_in("alice = \"a\"\nbob = \"b\"").unwrap_err();
        let lines: Vec<_> = mistakes.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2]);
    }
}
