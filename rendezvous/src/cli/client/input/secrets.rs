//! Credentials in a line that is typed: hidden while it is edited, left out of the history.

use std::borrow::Cow;
use std::ops::Range;

/// Keys whose values are hidden on the screen.
const HIDDEN: [&str; 4] = ["password=", "token=", "resume=", "secret="];

/// An invite's code lets in whoever has it. It is shown, but not kept.
const KEPT_OUT: [&str; 5] = ["password=", "token=", "resume=", "secret=", "invite="];

/// Words of JSON that may stand before a credential.
const IN_JSON: [&str; 5] = ["password", "token", "resume", "secret", "invite"];

/// The line with a star for each character of a credential.
pub(super) fn hidden(line: &str) -> Cow<'_, str> {
    replaced(line, &HIDDEN, |secret| "*".repeat(secret.chars().count()))
}

/// The line as it may be kept; nothing where that is not certain.
pub(super) fn kept(line: &str) -> Option<Cow<'_, str>> {
    let kept = replaced(line, &KEPT_OUT, |_| String::new());
    // Behind a `{` stands JSON, whose members can be written in many ways.
    if let Some(json) = kept.find(['{', '[']).map(|at| kept[at..].to_lowercase())
        && (json.contains("\\u") || IN_JSON.iter().any(|word| json.contains(word)))
    {
        return None;
    }
    Some(kept)
}

fn replaced<'a>(line: &'a str, keys: &[&str], by: impl Fn(&str) -> String) -> Cow<'a, str> {
    let mut shown = String::new();
    let mut from = 0;
    while let Some(secret) = next(line, from, keys) {
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
fn next(line: &str, from: usize, keys: &[&str]) -> Option<Range<usize>> {
    let starts = keys.iter().filter_map(|key| {
        let mut found = line[from..].match_indices(key).map(|(at, _)| from + at);
        let at = found.find(|at| line[..*at].ends_with(char::is_whitespace))?;
        Some(at + key.len())
    });
    let start = starts.min()?;
    Some(start..start + length(&line[start..]))
}

/// How long a value is, up to its closing quote or the next white space.
fn length(value: &str) -> usize {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return value.find(char::is_whitespace).unwrap_or(value.len());
    };
    let mut escaped = false;
    for (at, c) in value.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
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
            ("raw {\"data\":{\"\\u0070assword\":\"t\"}}", None),
        ] {
            assert_eq!(kept(line).as_deref(), kept_line);
        }
    }
}
