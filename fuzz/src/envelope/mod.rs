//! Envelopes: any members in any order with any values (`PROTOCOL.md` §3), against the slow reference.
//!
//! An input is a list of members: one byte for its name, see [`member`], one for the form of its value,
//! see [`value`], and the value's arguments.

pub mod member;
pub mod seeds;
pub mod value;

use std::borrow::Cow;

use protocol_core::wire::{Body, Frame};
use serde::de::IgnoredAny;

use crate::frame;
use crate::script::Script;

/// Members of a line; more would only be slower.
const MOST: usize = 40;

/// Checks the laws of the line that an input stands for; whether it is a frame.
pub fn run(input: &[u8]) -> bool {
    let mut script = Script::new(input);
    let mut members = Vec::new();
    // Whether each value is one by itself, whatever bytes it was made of.
    let mut is_regular = true;
    while members.len() < MOST
        && let Some(name) = script.byte()
    {
        let mut text = member::write(name, &mut script);
        text.extend_from_slice(b":");
        let mut value = Vec::new();
        value::write(script.byte().unwrap_or_default(), &mut script, &mut value);
        is_regular &= serde_json::from_slice::<IgnoredAny>(&value).is_ok();
        text.append(&mut value);
        members.push(text);
    }
    let line = object(&members);
    let is_frame = frame::frame(&line);
    let parsed = Frame::parse(&line);
    if let Ok(parsed) = &parsed {
        assert!(text_len(parsed) <= line.len(), "more than arrived is kept");
    }
    if is_regular {
        members.reverse();
        let reversed = object(&members);
        let reversed = Frame::parse(&reversed);
        assert_eq!(
            parsed.as_ref().ok(),
            reversed.as_ref().ok(),
            "the order of members matters"
        );
    }
    is_frame
}

fn object(members: &[Vec<u8>]) -> Vec<u8> {
    [b"{", &members.join(&b',')[..], b"}"].concat()
}

/// The bytes of all that a frame holds.
fn text_len(frame: &Frame<'_>) -> usize {
    let texts = [
        &frame.dest,
        &frame.from,
        &frame.delivery.from_inc,
        &frame.delivery.dest_inc,
    ];
    let texts = texts
        .into_iter()
        .flatten()
        .map(|text| text.len())
        .sum::<usize>();
    let of = |texts: &[&Cow<'_, str>]| texts.iter().map(|text| text.len()).sum::<usize>();
    texts
        + match &frame.body {
            Body::Pass { name, data } => of(&[name]) + data_len(data.as_str()),
            Body::ConfirmPass { id, name, data } | Body::Request { id, name, data } => {
                of(&[id, name]) + data_len(data.as_str())
            }
            Body::Acknowledgement { id, error } => {
                of(&[id]) + error.map_or(0, |error| error.as_str().len())
            }
            Body::Response { id, name, result } => {
                let (Ok(data) | Err(data)) = result;
                of(&[id, name]) + data_len(data.as_str())
            }
            _ => 0,
        }
}

/// `null` may be what an absent member means.
fn data_len(data: &str) -> usize {
    if data == "null" { 0 } else { data.len() }
}
