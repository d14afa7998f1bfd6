//! The conformance vectors, run through the public API.

use std::fs;
use std::path::Path;

use protocol_core::wire::{
    self, Body, Delivery, ErrorCode, Frame, FrameType, Json, LineSplitter, WireError,
    write_acknowledgement, write_data, write_delivery, write_error_response, write_head,
    write_tail,
};
use serde_json::{Map, Value};

fn cases(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text<'v>(case: &'v Value, member: &str) -> &'v str {
    case[member]
        .as_str()
        .unwrap_or_else(|| panic!("`{member}` of {case}"))
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let value = ALPHABET
            .iter()
            .position(|letter| *letter == byte)
            .expect("base64");
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    out
}

fn line(case: &Value) -> Vec<u8> {
    match case.get("frame_base64") {
        Some(encoded) => base64(encoded.as_str().unwrap()),
        None => text(case, "frame").as_bytes().to_vec(),
    }
}

/// What the vectors call `means`; `None` is `skip`.
fn meaning(frame: &Frame<'_>) -> Option<Map<String, Value>> {
    let mut means = Map::new();
    let mut put = |member: &str, value: &str| {
        means.insert(member.to_owned(), value.into());
    };
    match &frame.body {
        Body::Pass { name, data } => {
            put("type", "pass");
            put("name", name);
            put("data", data.as_str());
        }
        Body::ConfirmPass { id, name, data } => {
            put("type", "confirm_pass");
            put("name", name);
            put("data", data.as_str());
            put("pass_id", id);
        }
        Body::Acknowledgement { id, error } => {
            put("type", "confirm_pass");
            put("pass_id", id);
            if let Some(error) = error {
                put("error", error.as_str());
            }
        }
        Body::Request { id, name, data } => {
            put("type", "request");
            put("name", name);
            put("data", data.as_str());
            put("request_id", id);
        }
        Body::Response { id, name, result } => {
            put("type", "response");
            put("name", name);
            put("request_id", id);
            match result {
                Ok(data) => put("data", data.as_str()),
                Err(error) => put("error", error.as_str()),
            }
        }
        Body::Unknown => return None,
        other => panic!("a body that the vectors do not know: {other:?}"),
    }
    if let Some(dest) = &frame.dest {
        put("dest", dest);
    }
    if let Some(from) = &frame.from {
        put("from", from);
    }
    let Delivery {
        seq,
        base,
        ack,
        since,
        from_inc,
        dest_inc,
    } = &frame.delivery;
    for (member, number) in [("seq", seq), ("base", base), ("ack", ack), ("since", since)] {
        if let Some(number) = number {
            put(member, &number.to_string());
        }
    }
    for (member, inc) in [("from_inc", from_inc), ("dest_inc", dest_inc)] {
        if let Some(inc) = inc {
            put(member, inc);
        }
    }
    Some(means)
}

fn run_frames(file: &str, at_least: usize) {
    let cases = cases(file);
    assert!(
        cases.len() >= at_least,
        "{file} has only {} cases",
        cases.len()
    );
    for case in &cases {
        let name = text(case, "name");
        let line = line(case);
        let outcome = Frame::parse(&line);
        if let Some(code) = case.get("code") {
            let error = outcome.expect_err(name);
            assert_eq!(error.code().as_str(), code, "{file}: {name}: {error}");
            assert!(error.at() <= line.len(), "{file}: {name}: {error}");
            continue;
        }
        let frame = outcome.unwrap_or_else(|error| panic!("{file}: {name}: {error}"));
        let expected = case
            .get("means")
            .map(|means| means.as_object().unwrap().clone());
        assert_eq!(
            case.get("skip").is_some(),
            expected.is_none(),
            "{file}: {name}"
        );
        assert_eq!(meaning(&frame), expected, "{file}: {name}");

        // Relayed, it means the same and comes from its sender.
        for from_inc in [None, Some("1f")] {
            let mut out = Vec::new();
            frame.relay("ann", from_inc, &mut out);
            let relayed = out.strip_suffix(b"\n").expect("a line");
            assert!(!relayed.contains(&b'\n'), "{file}: {name}");
            let relayed =
                Frame::parse(relayed).unwrap_or_else(|error| panic!("{file}: {name}: {error}"));
            let mut stamped = frame.clone();
            if expected.is_some() {
                stamped.from = Some("ann".into());
                stamped.delivery.from_inc = from_inc.map(Into::into);
            }
            assert_eq!(relayed, stamped, "{file}: {name}");
        }
    }
}

#[test]
fn envelope() {
    run_frames("envelope.json", 130);
}

#[test]
fn strings() {
    run_frames("strings.json", 85);
}

#[test]
fn numbers() {
    run_frames("numbers.json", 80);
}

#[test]
fn depth() {
    run_frames("depth.json", 40);
}

#[test]
fn duplicates() {
    run_frames("duplicates.json", 35);
}

#[test]
fn ids() {
    run_frames("ids.json", 40);
}

#[test]
fn delivery() {
    run_frames("delivery.json", 95);
}

#[test]
fn errors() {
    run_frames("errors.json", 35);
}

/// Every file is run by a test, and within a file every case has its own name.
#[test]
fn no_vector_is_forgotten() {
    let mut files: Vec<String> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md")
            .collect();
    files.sort();
    let run = [
        "delivery.json",
        "depth.json",
        "duplicates.json",
        "envelope.json",
        "errors.json",
        "ids.json",
        "numbers.json",
        "streams.json",
        "strings.json",
    ];
    assert_eq!(files, run);
    for file in run {
        let cases = cases(file);
        let mut names: Vec<&str> = cases.iter().map(|case| text(case, "name")).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases.len(), "{file}");
        for case in &cases {
            let known = ["name", "limit", "stream", "chunks", "frames", "code"];
            let known_of_frames = ["name", "frame", "frame_base64", "means", "skip", "code"];
            let known = if file == "streams.json" {
                known
            } else {
                known_of_frames
            };
            let odd = case
                .as_object()
                .unwrap()
                .keys()
                .find(|key| !known.contains(&key.as_str()));
            assert_eq!(odd, None, "{file}: {case}");
        }
    }
}

/// Feeds the pieces to a splitter: the lines, and the code of the refusal that ended it.
fn split(pieces: &[&[u8]], limit: usize) -> (Vec<Vec<u8>>, Option<ErrorCode>) {
    let mut splitter = LineSplitter::default();
    let mut buffer = Vec::new();
    let mut lines = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match splitter.next(&buffer, limit) {
                Ok(Some(line)) => {
                    if !line.is_empty() {
                        lines.push(buffer[line.range()].to_vec());
                    }
                    buffer.drain(..line.consumed);
                }
                Ok(None) => break,
                Err(error) => return (lines, WireError::from(error).standard()),
            }
        }
        assert!(
            buffer.len() <= limit + 1,
            "more is held than a line can need"
        );
    }
    (lines, None)
}

#[test]
fn streams() {
    let cases = cases("streams.json");
    assert!(cases.len() >= 35);
    for case in &cases {
        let name = text(case, "name");
        let limit = usize::try_from(case["limit"].as_u64().unwrap()).unwrap();
        let chunks: Vec<&[u8]> = match case.get("chunks") {
            Some(chunks) => chunks
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c.as_str().unwrap().as_bytes())
                .collect(),
            None => vec![text(case, "stream").as_bytes()],
        };
        let frames = case["frames"].as_array().unwrap();
        let frames = frames
            .iter()
            .map(|frame| frame.as_str().unwrap().as_bytes().to_vec())
            .collect();
        let code = case
            .get("code")
            .map(|code| ErrorCode::from_str(code.as_str().unwrap()).unwrap());
        let expected = (frames, code);

        assert_eq!(split(&chunks, limit), expected, "{name}: as given");
        let stream = chunks.concat();
        for at in 0..=stream.len() {
            let (left, right) = stream.split_at(at);
            assert_eq!(
                split(&[left, right], limit),
                expected,
                "{name}: split at byte {at}"
            );
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(split(&bytes, limit), expected, "{name}: byte by byte");
    }
}

/// The writers give the examples of the protocol byte for byte.
#[test]
fn writers_give_the_examples() {
    let event = |kind, dest, id: Option<&str>| {
        let mut out = Vec::new();
        write_head(&mut out, kind, dest, None, "test_event");
        write_data(&mut out, "test_data").unwrap();
        write_tail(&mut out, kind, id);
        out
    };
    let mut acknowledgement = Vec::new();
    write_acknowledgement(
        &mut acknowledgement,
        None,
        "0193-1",
        &Delivery::default(),
        None,
    );
    let mut refusal = Vec::new();
    let error = WireError {
        code: "room_full".into(),
        message: "the room is full: 8 players".to_owned(),
        data: Some(Json::parse(r#"{"max":8}"#).unwrap()),
    };
    write_error_response(&mut refusal, None, "test_event", "0193-2", &error);

    let written = [
        event(FrameType::Pass, Some("bob"), None),
        event(FrameType::ConfirmPass, None, Some("0193-1")),
        acknowledgement,
        event(FrameType::Request, None, Some("0193-2")),
        event(FrameType::Response, None, Some("0193-2")),
        refusal,
    ];
    let examples = cases("envelope.json");
    let examples: Vec<&str> = examples
        .iter()
        .filter(|case| text(case, "name").starts_with("example: "))
        .map(|case| text(case, "frame"))
        .collect();
    assert_eq!(examples.len(), written.len());
    for (written, example) in written.iter().zip(examples) {
        assert_eq!(
            std::str::from_utf8(written).unwrap(),
            format!("{example}\n")
        );
    }
}

/// Likewise those of a delivery.
#[test]
fn writers_give_the_examples_of_a_delivery() {
    let delivery = Delivery {
        seq: Some(7),
        base: Some(5),
        dest_inc: Some("c0ffee".into()),
        ..Delivery::default()
    };
    let mut event = Vec::new();
    write_head(
        &mut event,
        FrameType::ConfirmPass,
        Some("bob"),
        None,
        "test_event",
    );
    write_data(&mut event, "test_data").unwrap();
    write_delivery(&mut event, &delivery);
    write_tail(&mut event, FrameType::ConfirmPass, Some("0193-1"));
    let answer = |dest, since, error: Option<&WireError>| {
        let delivery = Delivery {
            ack: Some(7),
            since,
            ..Delivery::default()
        };
        let mut out = Vec::new();
        write_acknowledgement(&mut out, dest, "0193-1", &delivery, error);
        out
    };
    let error = WireError {
        code: "room_full".into(),
        message: String::new(),
        data: None,
    };
    let written = [
        event,
        answer(Some("alice"), Some(6), None),
        answer(None, None, Some(&error)),
    ];
    for (written, case) in written.iter().zip(cases("delivery.json")) {
        let example = text(&case, "frame");
        assert!(text(&case, "name").starts_with("example: "));
        assert_eq!(
            std::str::from_utf8(written).unwrap(),
            format!("{example}\n")
        );
    }
}

/// What was written as an error is read as the same error.
#[test]
fn errors_survive_the_wire() {
    let mut error = WireError::new(ErrorCode::RateLimited, "wait \"a bit\"\n");
    error.data = Some(Json::parse(r#"{"retry_after_ms": 5}"#).unwrap());
    let mut out = Vec::new();
    let delivery = Delivery::default();
    write_acknowledgement(&mut out, Some("bob"), "7", &delivery, Some(&error));
    let frame = Frame::parse(out.strip_suffix(b"\n").unwrap()).unwrap();
    let Body::Acknowledgement {
        error: Some(raw), ..
    } = frame.body
    else {
        panic!("{frame:?}")
    };
    assert_eq!(WireError::parse(raw), error);
    assert!(error.standard().is_some_and(ErrorCode::is_retryable));
    assert!(wire::RESERVED.contains(&"protocol_error"));
}
