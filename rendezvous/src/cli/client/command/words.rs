//! A line as words: bare text, quoted text, JSON, and `key=` before any of them.
//!
//! Quoting is JSON's own, `"my room"`, so that JSON can stand in a line unchanged; `'my room'` is
//! taken too. Must not know which commands there are.

use protocol_core::Json;

/// What is not read yet of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a>(&'a str);

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// A value by itself.
    Plain(Value<'a>),
    /// `key=value`.
    Pair(&'a str, Value<'a>),
}

/// What a word says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Text as it stands, up to the next white space.
    Bare(&'a str),
    /// Text that stood in quotes.
    Quoted(String),
    /// An object or an array.
    Json(Json),
}

impl Value<'_> {
    /// The value as text.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Bare(text) => text.to_owned(),
            Self::Quoted(text) => text,
            Self::Json(json) => json.get().to_owned(),
        }
    }
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self(line.trim())
    }

    /// What follows the words that were read, as it stands.
    pub(super) fn rest(self) -> &'a str {
        self.0
    }

    /// The next word; none at the end of the line.
    ///
    /// # Errors
    ///
    /// Where quotes or brackets are not closed, with what to write.
    pub(super) fn next(&mut self) -> Result<Option<Word<'a>>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let word = if let Some((key, value)) = self.0.split_once('=')
            && is_key(key)
        {
            self.0 = value;
            Word::Pair(key, self.value()?)
        } else {
            Word::Plain(self.value()?)
        };
        self.0 = self.0.trim_start();
        Ok(Some(word))
    }

    fn value(&mut self) -> Result<Value<'a>, String> {
        match self.0.as_bytes().first() {
            Some(b'"') => {
                let text = self.json::<String>("close the quotes, as in \"my room\"")?;
                Ok(Value::Quoted(text))
            }
            Some(b'{' | b'[') => {
                let json = self.json::<Json>("write it as JSON, such as {\"level\":3}")?;
                Ok(Value::Json(json))
            }
            Some(b'\'') => {
                let (text, rest) = self.0[1..]
                    .split_once('\'')
                    .ok_or("close the quotes, as in 'my room'")?;
                self.0 = rest;
                self.end()?;
                Ok(Value::Quoted(text.to_owned()))
            }
            _ => {
                let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
                let (text, rest) = self.0.split_at(end);
                self.0 = rest;
                Ok(Value::Bare(text))
            }
        }
    }

    /// One JSON value, up to where it ends.
    fn json<T: serde::de::DeserializeOwned>(&mut self, fix: &str) -> Result<T, String> {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter::<T>();
        let Some(Ok(value)) = values.next() else {
            return Err(format!("`{}` has no end: {fix}", self.0));
        };
        self.0 = &self.0[values.byte_offset()..];
        self.end()?;
        Ok(value)
    }

    /// A value that has an end of its own must end its word too.
    fn end(self) -> Result<(), String> {
        if self.0.is_empty() || self.0.starts_with(char::is_whitespace) {
            Ok(())
        } else {
            Err(format!("write a space before `{}`", self.0))
        }
    }
}

/// Keys are names of fields: anything else before a `=` is part of a plain word.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<Word<'_>>, String> {
        let mut words = Words::new(line);
        std::iter::from_fn(|| words.next().transpose()).collect()
    }

    #[test]
    fn words_are_bare_quoted_or_json() {
        let json = |text| Value::Json(Json::parse(text).unwrap());
        let line = r#" create "my \"room\"" 'it is' a=b meta={"a": [1, 2]} [3]	x=  Y=z "#;
        assert_eq!(
            words(line).unwrap(),
            [
                Word::Plain(Value::Bare("create")),
                Word::Plain(Value::Quoted("my \"room\"".to_owned())),
                Word::Plain(Value::Quoted("it is".to_owned())),
                Word::Pair("a", Value::Bare("b")),
                Word::Pair("meta", json(r#"{"a": [1, 2]}"#)),
                Word::Plain(json("[3]")),
                Word::Pair("x", Value::Bare("")),
                Word::Plain(Value::Bare("Y=z")),
            ]
        );
        assert_eq!(words("  ").unwrap(), []);
    }

    #[test]
    fn what_is_not_closed_is_refused_with_the_fix() {
        for (line, fix) in [
            ("join \"my room", "close the quotes, as in \"my room\""),
            ("join 'my room", "close the quotes, as in 'my room'"),
            ("update x meta={\"a\":", "write it as JSON"),
            ("join \"a\"b", "write a space before `b`"),
            ("join 'a'b", "write a space before `b`"),
            ("send x {}y", "write a space before `y`"),
        ] {
            let error = words(line).unwrap_err();
            assert!(error.contains(fix), "{line}: {error}");
        }
    }

    #[test]
    fn the_rest_of_a_line_stays_as_it_is() {
        let mut words = Words::new("say  hello  \"you\" {");
        words.next().unwrap();
        assert_eq!(words.rest(), "hello  \"you\" {");
    }
}
