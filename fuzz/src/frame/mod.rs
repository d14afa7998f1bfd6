//! Any bytes as a stream of lines and as one frame (`PROTOCOL.md` §2 to §4): how a stream is cut, what
//! a frame says, how it is relayed, and that what is written says the same.
//!
//! An input's first byte is the setting: two bits choose the longest line, four the size of the pieces
//! that the bytes arrive in. The rest is the stream.

pub mod seeds;

use protocol_core::wire::{
    self, Body, Delivery, ErrorCode, Frame, FrameType, LineSplitter, RawData, WireError,
};

use crate::reference;
use crate::script::Script;

/// Longest lines: around the sizes of inputs.
const LIMITS: [usize; 4] = [0, 20, 100, 4_096];

/// Bytes that arrive at once.
const PIECES: [usize; 16] = [1, 2, 3, 4, 5, 7, 8, 11, 16, 19, 20, 21, 22, 64, 101, 300];

/// Checks the laws of lines and frames; returns how many lines the stream had, and how many of them
/// are frames.
pub fn run(input: &[u8]) -> (usize, usize) {
    let mut script = Script::new(input);
    let setting = script.argument();
    let (limit, piece) = (LIMITS[setting % 4], PIECES[setting >> 4]);
    let stream = script.rest();
    let (lines, is_whole) = split(stream, limit, usize::MAX);
    assert_eq!(
        (&lines, is_whole),
        (
            &split(stream, limit, piece).0,
            split(stream, limit, piece).1
        ),
        "pieces of {piece} make a difference"
    );
    assert_eq!(
        (&lines, is_whole),
        (&slowly(stream, limit).0, slowly(stream, limit).1)
    );
    frame(stream);
    let frames = lines.iter().filter(|line| frame(line)).count();
    (lines.len(), frames)
}

/// The lines of a stream that arrives in pieces, and whether none was too long.
fn split(stream: &[u8], limit: usize, piece: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut lines, mut buffer) = (Vec::new(), Vec::new());
    let mut splitter = LineSplitter::default();
    for piece in stream.chunks(piece) {
        buffer.extend_from_slice(piece);
        loop {
            match splitter.next(&buffer, limit) {
                Ok(Some(line)) => {
                    assert!(line.consumed > 0, "nothing would change for ever");
                    assert!(line.start + line.len <= line.consumed && line.len <= limit);
                    if !line.is_empty() {
                        lines.push(buffer[line.range()].to_vec());
                    }
                    buffer.drain(..line.consumed);
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.limit, limit);
                    return (lines, false);
                }
            }
        }
        assert!(
            buffer.len() <= limit + 1,
            "more is kept than may come of it"
        );
    }
    (lines, true)
}

/// The same, worked out a byte at a time.
fn slowly(stream: &[u8], limit: usize) -> (Vec<Vec<u8>>, bool) {
    let mut lines = Vec::new();
    let mut rest = stream.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = rest.next() {
        // At the end of the stream a `\r` may belong to the line end that comes.
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        if content.len() > limit {
            return (lines, false);
        }
        if rest.peek().is_some() && !content.is_empty() {
            lines.push(content.to_vec());
        }
    }
    (lines, true)
}

/// Checks the laws of one line; whether it is a frame.
pub fn frame(line: &[u8]) -> bool {
    let parsed = Frame::parse(line);
    reference::judge(line, &parsed);
    let frame = match parsed {
        Ok(frame) => frame,
        Err(error) => {
            assert!(error.at() <= line.len(), "{error}");
            assert!(error.to_string().len() < 200, "nothing of the line is said");
            let codes = [ErrorCode::BadFrame, ErrorCode::BadType, ErrorCode::TooDeep];
            assert!(codes.contains(&error.code()), "{error}");
            return false;
        }
    };
    // White space that would end a line, or could: what is written has none.
    let flat: Vec<u8> = line
        .iter()
        .map(|byte| {
            if matches!(byte, b'\n' | b'\r') {
                b' '
            } else {
                *byte
            }
        })
        .collect();
    let flat = Frame::parse(&flat).expect("line breaks are white space");
    relayed(line, &frame, &flat);
    written(&flat);
    true
}

fn parsed(written: &[u8]) -> Frame<'_> {
    let line = written.strip_suffix(b"\n").expect("a line end");
    assert!(!line.contains(&b'\n'), "it is one line");
    Frame::parse(line).expect("what is written is read")
}

/// A frame names its relay's word as its sender, and else says what it said.
fn relayed(line: &[u8], frame: &Frame<'_>, flat: &Frame<'_>) {
    for inc in [None, Some("c0ffee\"\n")] {
        let mut out = b"before".to_vec();
        frame.relay("al\u{ef}ce\\", inc, &mut out);
        let out = out.strip_prefix(b"before").expect("it is appended");
        assert!(out.len() <= line.len() + 64, "only its sender is added");
        let again = parsed(out);
        let mut expected = if line.contains(&b'\n') { flat } else { frame }.clone();
        if expected.body != Body::Unknown {
            expected.from = Some("al\u{ef}ce\\".into());
            expected.delivery.from_inc = inc.map(Into::into);
        }
        assert_eq!(again, expected);
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        let other = inc.map(|_| "2");
        frame.relay("bob", other, &mut once);
        again.relay("bob", other, &mut twice);
        assert_eq!(
            parsed(&once),
            parsed(&twice),
            "the last relay's word counts"
        );
    }
}

/// What a frame says, written and read again.
fn written(frame: &Frame<'_>) {
    let mut out = Vec::new();
    let (dest, from) = (frame.dest.as_deref(), frame.from.as_deref());
    let whole = |out: &mut Vec<u8>, kind, name: &str, data: RawData<'_>, id| {
        wire::write_head(out, kind, dest, from, name);
        wire::write_data(out, &data.to_json()).expect("it is JSON already");
        wire::write_delivery(out, &frame.delivery);
        wire::write_tail(out, kind, id);
    };
    let mut expected = frame.clone();
    let refusal = match &frame.body {
        Body::Pass { name, data } => {
            whole(&mut out, FrameType::Pass, name, *data, None);
            None
        }
        Body::ConfirmPass { id, name, data } => {
            whole(&mut out, FrameType::ConfirmPass, name, *data, Some(id));
            None
        }
        Body::Request { id, name, data } => {
            whole(&mut out, FrameType::Request, name, *data, Some(id));
            None
        }
        Body::Response {
            id,
            name,
            result: Ok(data),
        } => {
            whole(&mut out, FrameType::Response, name, *data, Some(id));
            None
        }
        Body::Response {
            id,
            name,
            result: Err(error),
        } => {
            let error = WireError::parse(*error);
            wire::write_error_response(&mut out, dest, name, id, &error);
            (expected.from, expected.delivery) = (None, Delivery::default());
            Some(error)
        }
        Body::Acknowledgement { id, error } => {
            let error = error.map(WireError::parse);
            wire::write_acknowledgement(&mut out, dest, id, &frame.delivery, error.as_ref());
            expected.from = None;
            error
        }
        _ => return,
    };
    let again = parsed(&out);
    if let Some(error) = refusal {
        let (Body::Response {
            result: Err(raw), ..
        }
        | Body::Acknowledgement {
            error: Some(raw), ..
        }) = again.body
        else {
            panic!("the refusal is lost: {again:?}")
        };
        assert_eq!(WireError::parse(raw), error);
        // The words of an error may be written in many ways.
        expected.body = again.body.clone();
        last_word(&error);
    }
    assert_eq!(again, expected);
}

/// A last word carries code and message.
fn last_word(error: &WireError) {
    let mut out = Vec::new();
    wire::write_protocol_error(&mut out, error);
    let Body::Pass { name, data } = parsed(&out).body else {
        panic!("a last word is a pass")
    };
    assert_eq!(name, "protocol_error");
    let word = WireError::parse(data);
    assert_eq!((&word.code, &word.message), (&error.code, &error.message));
}
