//! Credentials in what others sent, kept off the screen.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// Members whose values prove something.
const SECRETS: [&str; 4] = ["password", "resume", "secret", "token"];

/// What stands in the place of a credential, as JSON.
const REDACTED: &str = "\"[redacted]\"";

/// Valid JSON with the values of members that are credentials replaced; all else stays as it is.
pub(super) fn redacted(json: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = json[at..].find('"') {
        let start = at + found;
        let Some((key, end)) = value::<String>(json, start) else {
            break;
        };
        at = end;
        let Some(value_at) = json[end..].trim_start().strip_prefix(':') else {
            continue;
        };
        if !SECRETS.contains(&key.as_str()) {
            continue;
        }
        let value_at = json.len() - value_at.trim_start().len();
        let Some((secret, end)) = value::<&RawValue>(json, value_at) else {
            break;
        };
        at = end;
        if secret.get() != "null" {
            shown.push_str(&json[kept..value_at]);
            shown.push_str(REDACTED);
            kept = end;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(json);
    }
    shown.push_str(&json[kept..]);
    Cow::Owned(shown)
}

/// The value that starts at `start`, and where it ends.
fn value<'a, T: serde::Deserialize<'a>>(json: &'a str, start: usize) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(&json[start..]).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, start + values.byte_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_replaced_and_all_else_stays() {
        for (json, expected) in [
            (r#"{"id":"bob","n":1.50}"#, r#"{"id":"bob","n":1.50}"#),
            (
                r#"{"a": {"token" : "x\"y"} ,"b":[{"password":{"c":[1]}},2]}"#,
                r#"{"a": {"token" : "[redacted]"} ,"b":[{"password":"[redacted]"},2]}"#,
            ),
            (
                r#"{"pass\u0077ord":"x"}"#,
                r#"{"pass\u0077ord":"[redacted]"}"#,
            ),
            (
                r#"{"resume":null,"has_password":true}"#,
                r#"{"resume":null,"has_password":true}"#,
            ),
            (r#"["token","password"]"#, r#"["token","password"]"#),
            (r#""token""#, r#""token""#),
            ("7", "7"),
        ] {
            assert_eq!(redacted(json), expected);
        }
    }
}
