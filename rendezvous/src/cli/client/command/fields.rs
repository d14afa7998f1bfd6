//! The fields of requests to the server, from words to JSON.
//!
//! Knows kinds of values; must not know what the server makes of them.

use protocol_core::Json;

use super::words::Value;

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::client) enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Whole,
    /// `true` or `false`.
    Flag,
    /// Any JSON.
    Json,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A room: its id, the start of it, or its name.
    Room,
    /// A peer's id.
    Peer,
}

/// A field with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::client) struct Field {
    pub(in crate::cli::client) key: &'static str,
    pub(in crate::cli::client) value: FieldValue,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::client) enum FieldValue {
    /// As it goes onto the wire.
    Known(Json),
    /// A room as it was typed.
    Room(String),
}

impl Field {
    /// Whether this is a password without a character: none, where a new room is to have one.
    pub(in crate::cli::client) fn is_empty_password(&self) -> bool {
        self.key == "password" && self.value == FieldValue::Known(json_text(""))
    }

    /// Text for a field.
    pub(in crate::cli::client) fn text(key: &'static str, text: &str) -> Self {
        Self {
            key,
            value: FieldValue::Known(json_text(text)),
        }
    }

    pub(super) fn parse(key: &'static str, kind: Kind, value: Value<'_>) -> Result<Self, String> {
        let json = match (kind, value) {
            (Kind::Room, value) => {
                let room = value.into_text();
                let value = FieldValue::Room(room.trim_start_matches('#').to_owned());
                return Ok(Self { key, value });
            }
            (Kind::Text | Kind::Peer, value) => json_text(&value.into_text()),
            (Kind::Whole, value) => {
                let text = value.into_text();
                let number: u64 = text
                    .parse()
                    .map_err(|_| format!("`{key}` is `{text}`: write a whole number"))?;
                Json::from_value(&number).unwrap_or_default()
            }
            (Kind::Flag, value) => {
                let text = value.into_text();
                let flag = match text.as_str() {
                    "true" | "yes" | "on" | "1" => true,
                    "false" | "no" | "off" | "0" => false,
                    _ => return Err(format!("`{key}` is `{text}`: write true or false")),
                };
                Json::from_value(&flag).unwrap_or_default()
            }
            (Kind::OneOf(choices), value) => {
                let text = value.into_text();
                if !choices.contains(&text.as_str()) {
                    let choices = choices.join(", ");
                    return Err(format!("`{key}` is `{text}`: write one of {choices}"));
                }
                json_text(&text)
            }
            (Kind::Json, Value::Json(json)) => json,
            (Kind::Json, Value::Quoted(text)) => json_text(&text),
            (Kind::Json, Value::Bare(text)) => Json::parse(text).map_err(|_| {
                format!("`{key}` is no JSON: write for example {key}={{\"level\":3}}")
            })?,
        };
        let value = FieldValue::Known(json);
        Ok(Self { key, value })
    }
}

/// Text as a JSON string.
pub(in crate::cli::client) fn json_text(text: &str) -> Json {
    Json::from_value(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(kind: Kind, text: &str) -> Result<String, String> {
        let field = Field::parse("key", kind, Value::Bare(text))?;
        match field.value {
            FieldValue::Known(json) => Ok(json.get().to_owned()),
            FieldValue::Room(room) => Ok(room),
        }
    }

    #[test]
    fn each_kind_takes_its_own() {
        const COLORS: Kind = Kind::OneOf(&["red", "blue"]);
        for (kind, text, json) in [
            (Kind::Text, "7", "\"7\""),
            (Kind::Peer, "bob", "\"bob\""),
            (Kind::Whole, "7", "7"),
            (Kind::Flag, "yes", "true"),
            (Kind::Flag, "off", "false"),
            (Kind::Json, "7.50", "7.50"),
            (COLORS, "blue", "\"blue\""),
            (Kind::Room, "#lobby", "lobby"),
        ] {
            assert_eq!(parsed(kind, text).unwrap(), json);
        }
        for (kind, text, fix) in [
            (Kind::Whole, "many", "a whole number"),
            (Kind::Whole, "-1", "a whole number"),
            (Kind::Flag, "perhaps", "true or false"),
            (Kind::Json, "{", "key={\"level\":3}"),
            (COLORS, "green", "one of red, blue"),
        ] {
            let error = parsed(kind, text).unwrap_err();
            assert!(error.contains(fix), "{error}");
        }
    }
}
