//! The scanner of frames against a test suite for JSON parsers, and against `serde_json` on
//! mutated frames.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use protocol_core::wire::{Body, ErrorCode, Frame, MAX_DEPTH, RawData};
use serde_json::Value;
use serde_json::value::RawValue;

/// Where JSON leaves the choice, what this protocol chose: numbers of any size are text; UTF-8,
/// surrogates and depth are strict.
const CHOICES: &[(&str, Result<(), ErrorCode>)] = &[
    ("i_number_double_huge_neg_exp", Ok(())),
    ("i_number_huge_exp", Ok(())),
    ("i_number_neg_int_huge_exp", Ok(())),
    ("i_number_pos_double_huge_exp", Ok(())),
    ("i_number_real_neg_overflow", Ok(())),
    ("i_number_real_pos_overflow", Ok(())),
    ("i_number_real_underflow", Ok(())),
    ("i_number_too_big_neg_int", Ok(())),
    ("i_number_too_big_pos_int", Ok(())),
    ("i_number_very_big_negative_int", Ok(())),
    ("i_object_key_lone_2nd_surrogate", Err(ErrorCode::BadFrame)),
    (
        "i_string_1st_surrogate_but_2nd_missing",
        Err(ErrorCode::BadFrame),
    ),
    (
        "i_string_1st_valid_surrogate_2nd_invalid",
        Err(ErrorCode::BadFrame),
    ),
    ("i_string_UTF-16LE_with_BOM", Err(ErrorCode::BadFrame)),
    ("i_string_UTF-8_invalid_sequence", Err(ErrorCode::BadFrame)),
    ("i_string_UTF8_surrogate_U+D800", Err(ErrorCode::BadFrame)),
    (
        "i_string_incomplete_surrogate_and_escape_valid",
        Err(ErrorCode::BadFrame),
    ),
    (
        "i_string_incomplete_surrogate_pair",
        Err(ErrorCode::BadFrame),
    ),
    (
        "i_string_incomplete_surrogates_escape_valid",
        Err(ErrorCode::BadFrame),
    ),
    (
        "i_string_invalid_lonely_surrogate",
        Err(ErrorCode::BadFrame),
    ),
    ("i_string_invalid_surrogate", Err(ErrorCode::BadFrame)),
    ("i_string_invalid_utf-8", Err(ErrorCode::BadFrame)),
    (
        "i_string_inverted_surrogates_U+1D11E",
        Err(ErrorCode::BadFrame),
    ),
    ("i_string_iso_latin_1", Err(ErrorCode::BadFrame)),
    ("i_string_lone_second_surrogate", Err(ErrorCode::BadFrame)),
    (
        "i_string_lone_utf8_continuation_byte",
        Err(ErrorCode::BadFrame),
    ),
    ("i_string_not_in_unicode_range", Err(ErrorCode::BadFrame)),
    (
        "i_string_overlong_sequence_2_bytes",
        Err(ErrorCode::BadFrame),
    ),
    (
        "i_string_overlong_sequence_6_bytes",
        Err(ErrorCode::BadFrame),
    ),
    (
        "i_string_overlong_sequence_6_bytes_null",
        Err(ErrorCode::BadFrame),
    ),
    ("i_string_truncated-utf-8", Err(ErrorCode::BadFrame)),
    ("i_string_utf16BE_no_BOM", Err(ErrorCode::BadFrame)),
    ("i_string_utf16LE_no_BOM", Err(ErrorCode::BadFrame)),
    ("i_structure_500_nested_arrays", Err(ErrorCode::TooDeep)),
    (
        "i_structure_UTF-8_BOM_empty_object",
        Err(ErrorCode::BadFrame),
    ),
];

fn suite() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json-test-suite");
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn accepts(text: &[u8]) -> Result<(), ErrorCode> {
    let first = [b"{\"data\":", text, b",\"type\":\"pass\",\"name\":\"x\"}"].concat();
    let last = [b"{\"type\":\"pass\",\"name\":\"x\",\"data\":", text, b"}"].concat();
    let outcome = |line: &[u8]| match Frame::parse(line) {
        Ok(Frame {
            body: Body::Pass { data, .. },
            ..
        }) => {
            let trimmed = std::str::from_utf8(text)
                .unwrap()
                .trim_matches([' ', '\t', '\n', '\r']);
            assert_eq!(data.as_str(), trimmed);
            Ok(())
        }
        Ok(frame) => panic!("{frame:?}"),
        Err(error) => Err(error.code()),
    };
    assert_eq!(
        outcome(&first),
        outcome(&last),
        "{:?}",
        String::from_utf8_lossy(text)
    );
    outcome(&last)
}

#[test]
fn the_test_suite_is_judged_as_it_says() {
    let choices: HashMap<&str, Result<(), ErrorCode>> = CHOICES.iter().copied().collect();
    let (mut yes, mut no, mut chosen) = (0, 0, 0);
    for (name, text) in suite() {
        let outcome = accepts(&text);
        match name.as_bytes()[0] {
            b'y' => {
                assert_eq!(outcome, Ok(()), "{name}");
                yes += 1;
            }
            b'n' => {
                assert!(outcome.is_err(), "{name}");
                no += 1;
            }
            _ => {
                assert_eq!(Some(&outcome), choices.get(name.as_str()), "{name}");
                chosen += 1;
            }
        }
        if let Ok(text) = std::str::from_utf8(&text) {
            assert_eq!(
                RawData::parse(text).is_ok(),
                outcome.is_ok(),
                "{name}: alone"
            );
        }
    }
    assert_eq!((yes, no, chosen), (95, 188, CHOICES.len()));
}

/// `SplitMix64`: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

const SEEDS: &[&str] = &[
    r#"{"type":"pass","dest":"bob","name":"test_event","data":"test_data"}"#,
    r#"{"type":"confirm_pass","name":"x","data":{"a":[1,-2.5e-3,true,null]},"pass_id":"7"}"#,
    r#"{"type":"confirm_pass","pass_id":"0193-1","error":{"code":"busy","message":"later"}}"#,
    r#"{"type":"request","from":"ann","name":"x","data":["\ud834\udd1e","é","\"\\"],"request_id":"8"}"#,
    r#"{"type":"response","name":"x","data":{},"request_id":"0193-2","seq":12}"#,
    r#"{"type":"response","name":"x","request_id":"7","error":{"code":"room_full","data":{"max":8}}}"#,
    r#"{"type":"confirm_pass","dest":"bob","name":"x","dest_inc":"1f","seq":7,"base":5,"pass_id":"7"}"#,
    r#"{"type":"confirm_pass","from":"ann","from_inc":"1f","pass_id":"7","ack":0,"since":10}"#,
    r#"{"type":"later","name":"x","data":[[[[{"a":{"b":[]}}]]]]}"#,
];

/// Pieces that turn one construct of JSON into another, or into none.
const PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b" ",
    b"\t",
    b"\r",
    b"0",
    b"1",
    b"9",
    b"-",
    b"+",
    b".",
    b"e",
    b"E",
    b"null",
    b"true",
    b"false",
    b"\\u",
    b"\\ud83d",
    b"\\ude00",
    b"\\n",
    b"\\x",
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"\xc3\xa9",
    b"\xff",
    b"\xe2\x82",
    b"\xef\xbb\xbf",
    b"{}",
    b"[]",
    b"\"a\":1,",
    b"1,",
    b"\"\"",
    b"1e999",
    b"01",
    b"\"name\":\"y\",",
    b"\"data\":1,",
    b"\"error\":{},",
    b"\"type\"",
    b"\"pass\"",
    b"\"dest\":null,",
    b"[[[[[[[[[[[[[[[[[[[[",
    b"]]]]]]]]]]]]]]]]]]]]",
];

fn mutate(random: &mut Random, text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(text.len() + 1);
        match random.below(6) {
            0 if at < text.len() => text[at] ^= 1 << random.below(8),
            1 if at < text.len() => {
                text.remove(at);
            }
            2 => {
                let end = (at + random.below(12)).min(text.len());
                text.drain(at..end);
            }
            3 => {
                let end = (at + random.below(24)).min(text.len());
                let copy = text[at..end].to_vec();
                let to = random.below(text.len() + 1);
                text.splice(to..to, copy);
            }
            4 if at < text.len() => text[at] = u8::try_from(random.below(256)).unwrap(),
            _ => {
                let piece = random.pick(PIECES);
                text.splice(at..at, piece.iter().copied());
            }
        }
    }
    text
}

fn iterations() -> usize {
    std::env::var("FUZZ_ITERATIONS").map_or(20_000, |text| text.parse().expect("a number"))
}

/// The deepest nesting of valid JSON.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            b'[' | b'{' if !string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !string => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// Whether strings hold a lone surrogate, by another parser; `None` if it cannot tell.
fn lone_surrogate(text: &str) -> Option<bool> {
    match serde_json::from_str::<Value>(text) {
        Ok(_) => Some(false),
        Err(error) if error.to_string().contains("number out of range") => None,
        Err(error) if error.to_string().contains("recursion limit") => None,
        Err(_) => Some(true),
    }
}

/// What a line should be refused with, by rules written anew over a tree of values. A tree cannot
/// show duplicate members.
fn judge(line: &Value) -> Option<ErrorCode> {
    let Some(frame) = line.as_object() else {
        return Some(ErrorCode::BadFrame);
    };
    let Some(kind) = frame.get("type").and_then(Value::as_str) else {
        return Some(ErrorCode::BadType);
    };
    if !["pass", "confirm_pass", "request", "response"].contains(&kind) {
        return None;
    }
    let member = |name: &str| frame.get(name).filter(|value| !value.is_null());
    let fits = |name: &str, limit: usize| {
        member(name).is_none_or(|value| {
            value
                .as_str()
                .is_some_and(|text| (1..=limit).contains(&text.len()))
        })
    };
    let counts = |name: &str, least: u64| {
        member(name).is_none_or(|value| {
            value
                .as_u64()
                .is_some_and(|number| (least..1 << 53).contains(&number))
        })
    };
    let named = member("name").is_some();
    let error_fits = member("error").is_none_or(Value::is_object);
    let good = member("name").is_none_or(Value::is_string)
        && fits("dest", 1024)
        && fits("from", 1024)
        && fits("pass_id", 64)
        && fits("request_id", 64)
        && fits("from_inc", 64)
        && fits("dest_inc", 64)
        && counts("seq", 1)
        && counts("base", 1)
        && counts("since", 1)
        && counts("ack", 0)
        && match kind {
            "pass" => named,
            "confirm_pass" => member("pass_id").is_some() && (named || error_fits),
            "request" => named && member("request_id").is_some(),
            _ => {
                let both = member("error").is_some() && frame.contains_key("data");
                named && member("request_id").is_some() && error_fits && !both
            }
        };
    (!good).then_some(ErrorCode::BadFrame)
}

/// A relay stamps a frame with its sender and leaves it as it is otherwise.
fn is_relayed_unchanged(line: &[u8], frame: &Frame<'_>) {
    // No line holds its own end; between tokens, a space would take its place.
    if line.contains(&b'\n') {
        return;
    }
    for from_inc in [None, Some("c0ffee")] {
        let relayed = |frame: &Frame<'_>| {
            let mut out = Vec::new();
            frame.relay("alice", from_inc, &mut out);
            assert_eq!(out.pop(), Some(b'\n'));
            out
        };
        let mut stamped = frame.clone();
        if stamped.body != Body::Unknown {
            stamped.from = Some("alice".into());
            stamped.delivery.from_inc = from_inc.map(Into::into);
        }
        let once = relayed(frame);
        let arrived = Frame::parse(&once).expect("it was a frame before");
        assert_eq!(arrived, stamped);
        // So nothing else was changed the first time.
        assert_eq!(relayed(&arrived), once);
    }
}

#[test]
fn mutated_frames_are_judged_alike() {
    let mut random = Random(1);
    let (mut accepted, mut compared) = (0, 0);
    for round in 0..iterations() {
        let line = mutate(&mut random, seed(round).as_bytes());
        let shown = String::from_utf8_lossy(&line);
        let outcome = Frame::parse(&line)
            .map(|frame| is_relayed_unchanged(&line, &frame))
            .map_err(|error| {
                assert!(error.at() <= line.len(), "{shown}");
                (error.code(), error.to_string())
            });
        let grammar = serde_json::from_slice::<&RawValue>(&line);
        if outcome.is_ok() {
            assert!(grammar.is_ok(), "only this accepts {shown}");
            accepted += 1;
        }
        // The other way round, as far as a tree of values can tell.
        let Ok(raw) = grammar else { continue };
        let Ok(tree) = serde_json::from_str::<Value>(raw.get()) else {
            continue;
        };
        if nesting(raw.get()) > MAX_DEPTH {
            continue;
        }
        let code = outcome.as_ref().err().map(|(code, _)| *code);
        if outcome
            .as_ref()
            .is_err_and(|(_, message)| message.contains("only once"))
        {
            continue;
        }
        assert_eq!(code, judge(&tree), "{shown}: {outcome:?}");
        compared += 1;
    }
    // Most mutations break a frame, but enough must not, or this test says little.
    assert!(accepted >= iterations() / 50, "{accepted}");
    assert!(compared >= accepted / 2, "{compared}");
}

#[test]
fn mutated_data_is_judged_alike() {
    let mut random = Random(2);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..iterations() {
        let frame = seed(round);
        let member = ["\"data\":", "\"error\":", "\"seq\":", "\"ack\":"]
            .iter()
            .find_map(|member| frame.find(member));
        let value = frame[member.expect("every seed has one")..]
            .split_once(':')
            .expect("a member has a value")
            .1;
        let Ok(text) = String::from_utf8(mutate(&mut random, first_value(value).as_bytes())) else {
            continue;
        };
        let strict = RawData::parse(&text);
        let lenient = serde_json::from_str::<&RawValue>(&text);
        match (&strict, &lenient) {
            (Ok(strict), Ok(lenient)) => {
                assert_eq!(strict.as_str(), lenient.get());
                assert_ne!(lone_surrogate(&text), Some(true), "{text}");
                assert!(nesting(&text) <= MAX_DEPTH, "{text}");
                accepted += 1;
            }
            (Ok(_), Err(error)) => panic!("only this accepts {text}: {error}"),
            (Err(error), Ok(_)) => {
                let deep = nesting(&text) > MAX_DEPTH;
                assert_eq!(error.code() == ErrorCode::TooDeep, deep, "{text}: {error}");
                assert!(
                    deep || lone_surrogate(&text) != Some(false),
                    "{text}: {error}"
                );
                refused += 1;
            }
            (Err(_), Err(_)) => refused += 1,
        }
    }
    assert!(
        accepted.min(refused) >= iterations() / 20,
        "{accepted} of {refused}"
    );
}

fn seed(round: usize) -> &'static str {
    SEEDS[round % SEEDS.len()]
}

/// The JSON value that `text` starts with.
fn first_value(text: &str) -> &str {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values.next().expect("a value").expect("valid JSON");
    &text[..values.byte_offset()]
}
