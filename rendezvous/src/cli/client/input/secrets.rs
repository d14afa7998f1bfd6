//! Credentials in a line that is typed: hidden while it is edited, left out of the history.

use std::borrow::Cow;
use std::ops::Range;

use crate::cli::client::command::parse;

/// Keys whose values are hidden on the screen.
const HIDDEN: [&str; 5] = ["pass=", "password=", "token=", "resume=", "secret="];

/// An invite's code lets in whoever has it. It is shown, but not kept.
const KEPT_OUT: [&str; 5] = ["password=", "token=", "resume=", "secret=", "invite="];

/// Words that may stand before a credential, however it is written.
const TELLING: [&str; 7] = [
    "pass", "passwd", "password", "token", "resume", "secret", "invite",
];

/// Words of JSON that may stand before one.
const IN_JSON: [&str; 7] = [
    "\"pass\":",
    "passwd",
    "password",
    "token",
    "resume",
    "secret",
    "invite",
];

/// The line with a star for each character of a credential.
pub(super) fn hidden(line: &str) -> Cow<'_, str> {
    replaced(
        line,
        &HIDDEN,
        |c| !c.is_alphanumeric(),
        |secret| "*".repeat(secret.chars().count()),
    )
}

/// The line as it may be kept; nothing where that is not certain, nor where it asks for nothing:
/// a credential may stand anywhere in what is no command.
pub(super) fn kept(line: &str) -> Option<Cow<'_, str>> {
    if !matches!(parse(line), Ok(Some(_))) {
        return None;
    }
    // Elsewhere than behind white space nobody knows where a value ends.
    let kept = replaced(line, &KEPT_OUT, char::is_whitespace, |_| String::new());
    let lower = kept.to_lowercase();
    if TELLING.iter().any(|word| gives(&lower, word)) {
        return None;
    }
    // Behind a `{` stands JSON, whose members can be written in many ways.
    if let Some(at) = lower.find(['{', '[']) {
        let json: String = lower[at..].split_whitespace().collect();
        if json.contains("\\u") || IN_JSON.iter().any(|word| json.contains(word)) {
            return None;
        }
    }
    Some(kept)
}

/// Whether a value seems to follow `word`: `password=X`, `password: X`, but not `password= x`,
/// which is what is left where one was taken out.
fn gives(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        let spaceless = after.trim_start();
        match after.strip_prefix('=') {
            Some(value) => value.starts_with(|c: char| !c.is_whitespace()),
            None => spaceless.starts_with(['=', ':']),
        }
    })
}

/// The line with the values of `keys` replaced; a key stands behind what `parts` words.
fn replaced<'a>(
    line: &'a str,
    keys: &[&str],
    parts: fn(char) -> bool,
    by: impl Fn(&str) -> String,
) -> Cow<'a, str> {
    let mut shown = String::new();
    let mut from = 0;
    while let Some(secret) = next(line, from, keys, parts) {
        shown.push_str(&line[from..secret.start]);
        shown.push_str(&by(&line[secret.clone()]));
        from = secret.end;
    }
    if from == 0 {
        return Cow::Borrowed(line);
    }
    shown.push_str(&line[from..]);
    Cow::Owned(shown)
}

/// Where the next value of one of `keys` stands.
fn next(line: &str, from: usize, keys: &[&str], parts: fn(char) -> bool) -> Option<Range<usize>> {
    let starts = keys.iter().filter_map(|key| {
        // In ASCII, lower case is as long as upper case.
        let lower = line[from..].to_ascii_lowercase();
        let mut found = lower.match_indices(key).map(|(at, _)| from + at);
        let at = found.find(|at| line[..*at].ends_with(parts))?;
        Some(at + key.len())
    });
    let start = starts.min()?;
    Some(start..start + length(&line[start..]))
}

/// How long a value is, up to the white space after it or after its closing quote.
fn length(value: &str) -> usize {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return value.find(char::is_whitespace).unwrap_or(value.len());
    };
    let mut escaped = false;
    for (at, c) in value.char_indices().skip(1) {
        if c == quote && !escaped {
            let end = at + 1;
            let more = value[end..].find(char::is_whitespace);
            return more.map_or(value.len(), |more| end + more);
        }
        escaped = quote == '"' && c == '\\' && !escaped;
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_stars_while_they_are_typed() {
        for (line, shown) in [
            ("join lobby", "join lobby"),
            ("join lobby password=", "join lobby password="),
            (
                "join lobby password=sesame x",
                "join lobby password=****** x",
            ),
            (
                r#"create x password="a \" b" y"#,
                "create x password=******** y",
            ),
            ("create x password='a b", "create x password=****"),
            (
                "login bob token=t password=ä",
                "login bob token=* password=*",
            ),
            ("say mypassword=x", "say mypassword=x"),
            ("join x PassWord=sesame", "join x PassWord=******"),
            ("join x pass=sesame", "join x pass=******"),
            ("join name=x,password=sesame", "join name=x,password=******"),
            ("join \"password=sesame", "join \"password=******"),
            ("join x password=\"a\"b c", "join x password=**** c"),
            ("join invite=c0de", "join invite=c0de"),
        ] {
            assert_eq!(hidden(line), shown);
        }
    }

    #[test]
    fn the_history_keeps_no_credential() {
        for (line, kept_line) in [
            ("rooms", Some("rooms")),
            ("join x password=sesame", Some("join x password=")),
            ("join invite=c0de", Some("join invite=")),
            ("send moved {\"x\":3}", Some("send moved {\"x\":3}")),
            ("request login {\"id\":\"bob\",\"token\":\"t\"}", None),
            ("raw {\"data\":{\"PassWord\":\"t\"}}", None),
            ("raw {\"data\":{\"pass\" : \"t\"}}", None),
            (
                r#"raw {"type":"pass","name":"x"}"#,
                Some(r#"raw {"type":"pass","name":"x"}"#),
            ),
            ("join x password= capacity", None),
            ("join x PASSWORD=sesame", None),
            ("join x pass=sesame", None),
            ("join x sesame", None),
            ("jion x password=sesame", None),
            ("join x password=\"a\"b", None),
            ("# password sesame", None),
            ("sesame", None),
            ("say PASSWORD=sesame x", Some("say PASSWORD= x")),
            ("say pass: sesame", None),
            ("say the token = sesame", None),
            ("say mypassword=sesame", None),
            ("say name=x,password=sesame", None),
            ("say \"Password=sesame\" x", None),
            ("create \"password=open sesame\"", None),
            ("raw {\"data\":{\"\\u0070assword\":\"t\"}}", None),
        ] {
            assert_eq!(kept(line).as_deref(), kept_line);
        }
    }
}
