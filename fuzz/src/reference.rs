//! What a line says, worked out slowly from a tree of JSON. Shares nothing with the scanner that it
//! judges but the numbers of `PROTOCOL.md` §3.

use std::fmt;

use protocol_core::wire::{
    Body, Frame, FrameError, MAX_ADDRESS_BYTES, MAX_DEPTH, MAX_ID_BYTES, MAX_SEQ,
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The members that mean something (`PROTOCOL.md` §3.1).
pub const MEMBERS: [&str; 14] = [
    "type",
    "name",
    "dest",
    "from",
    "data",
    "error",
    "pass_id",
    "request_id",
    "seq",
    "base",
    "ack",
    "since",
    "from_inc",
    "dest_inc",
];

/// Checks what was made of a line.
pub fn judge(line: &[u8], parsed: &Result<Frame<'_>, FrameError>) {
    match (read(line), parsed) {
        (Reading::Undecided, _) | (Reading::Refused, Err(_)) => {}
        (Reading::Refused, Ok(frame)) => panic!("this should be refused: {frame:?}"),
        (Reading::Frame(_), Err(error)) => panic!("this should be taken: {error}"),
        (Reading::Frame(expected), Ok(frame)) => {
            if let Some(expected) = expected {
                assert_eq!(Says::of(frame), *expected);
            } else {
                assert_eq!(frame.body, Body::Unknown);
            }
        }
    }
}

enum Reading {
    /// It holds a number that a tree of JSON has no place for.
    Undecided,
    Refused,
    /// None where its type is of a later version.
    Frame(Option<Box<Says>>),
}

/// What a frame says, as owned values.
#[derive(Debug, Default, PartialEq)]
struct Says {
    body: &'static str,
    name: Option<String>,
    id: Option<String>,
    data: Option<Value>,
    error: Option<Value>,
    /// `dest`, `from`, `from_inc`, `dest_inc`.
    texts: [Option<String>; 4],
    /// `seq`, `base`, `ack`, `since`.
    numbers: [Option<u64>; 4],
}

impl Says {
    fn of(frame: &Frame<'_>) -> Self {
        let owned = |text: &str| Some(text.to_owned());
        let delivery = &frame.delivery;
        let mut says = Self {
            texts: [
                &frame.dest,
                &frame.from,
                &delivery.from_inc,
                &delivery.dest_inc,
            ]
            .map(|text| text.as_deref().map(str::to_owned)),
            numbers: [delivery.seq, delivery.base, delivery.ack, delivery.since],
            ..Self::default()
        };
        let tree = |text: &str| serde_json::from_str(text).expect("the data is JSON");
        match &frame.body {
            Body::Pass { name, data } => {
                says.body = "pass";
                (says.name, says.data) = (owned(name), Some(tree(data.as_str())));
            }
            Body::ConfirmPass { id, name, data } => {
                says.body = "confirm_pass";
                (says.id, says.name, says.data) =
                    (owned(id), owned(name), Some(tree(data.as_str())));
            }
            Body::Acknowledgement { id, error } => {
                says.body = "acknowledgement";
                (says.id, says.error) = (owned(id), error.map(|error| tree(error.as_str())));
            }
            Body::Request { id, name, data } => {
                says.body = "request";
                (says.id, says.name, says.data) =
                    (owned(id), owned(name), Some(tree(data.as_str())));
            }
            Body::Response { id, name, result } => {
                says.body = "response";
                (says.id, says.name) = (owned(id), owned(name));
                match result {
                    Ok(data) => says.data = Some(tree(data.as_str())),
                    Err(error) => says.error = Some(tree(error.as_str())),
                }
            }
            other => panic!("a type of a later version: {other:?}"),
        }
        says
    }
}

/// The members of a line in their order, repeated ones too.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        source.deserialize_map(InOrder)
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn read(line: &[u8]) -> Reading {
    let members = match serde_json::from_slice::<Members>(line) {
        Ok(Members(members)) => members,
        Err(error) if error.to_string().contains("out of range") => return Reading::Undecided,
        Err(_) => return Reading::Refused,
    };
    if members.iter().any(|(_, value)| depth(value) > MAX_DEPTH) {
        return Reading::Refused;
    }
    let mut known: [Option<&Value>; MEMBERS.len()] = [None; MEMBERS.len()];
    for (name, value) in &members {
        let Some(place) = MEMBERS.iter().position(|member| member == name) else {
            continue;
        };
        if known[place].replace(value).is_some() {
            return Reading::Refused;
        }
    }
    let value = |member| known[MEMBERS.iter().position(|other| *other == member).unwrap()];
    let Some(Value::String(kind)) = value("type") else {
        return Reading::Refused;
    };
    if !["pass", "confirm_pass", "request", "response"].contains(&kind.as_str()) {
        return Reading::Frame(None);
    }
    match says(kind, value) {
        Some(says) => Reading::Frame(Some(Box::new(says))),
        None => Reading::Refused,
    }
}

/// What a frame of a known type says; none where it is refused.
fn says<'a>(kind: &str, value: impl Fn(&'static str) -> Option<&'a Value>) -> Option<Says> {
    let present = |member| value(member).filter(|value| !value.is_null());
    let text = |member, lengths: std::ops::RangeInclusive<usize>| match present(member) {
        None => Some(None),
        Some(Value::String(text)) if lengths.contains(&text.len()) => Some(Some(text.clone())),
        Some(_) => None,
    };
    let number = |member, least| match present(member) {
        None => Some(None),
        Some(value) => {
            let number = value.as_u64()?;
            (least..=MAX_SEQ).contains(&number).then_some(Some(number))
        }
    };
    let object = |member| match present(member) {
        None => Some(None),
        Some(object) => object.is_object().then(|| Some(object.clone())),
    };
    let address = 1..=MAX_ADDRESS_BYTES;
    let short = 1..=MAX_ID_BYTES;
    let mut says = Says {
        name: text("name", 0..=usize::MAX)?,
        texts: [
            text("dest", address.clone())?,
            text("from", address)?,
            text("from_inc", short.clone())?,
            text("dest_inc", short.clone())?,
        ],
        numbers: [
            number("seq", 1)?,
            number("base", 1)?,
            number("ack", 0)?,
            number("since", 1)?,
        ],
        ..Says::default()
    };
    let pass_id = text("pass_id", short.clone())?;
    let request_id = text("request_id", short)?;
    let data = || Some(value("data").cloned().unwrap_or(Value::Null));
    match (kind, &says.name) {
        ("pass", Some(_)) => (says.body, says.data) = ("pass", data()),
        ("confirm_pass", Some(_)) => {
            (says.body, says.id, says.data) = ("confirm_pass", Some(pass_id?), data());
        }
        ("confirm_pass", None) => {
            (says.body, says.id) = ("acknowledgement", Some(pass_id?));
            says.error = object("error")?;
        }
        ("request", Some(_)) => {
            (says.body, says.id, says.data) = ("request", Some(request_id?), data());
        }
        ("response", Some(_)) => {
            (says.body, says.id) = ("response", Some(request_id?));
            says.error = object("error")?;
            match (&says.error, value("data")) {
                (Some(_), Some(_)) => return None,
                (Some(_), None) => {}
                (None, _) => says.data = data(),
            }
        }
        _ => return None,
    }
    Some(says)
}
