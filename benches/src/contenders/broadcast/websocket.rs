//! WebSocket frames of a client, as far as they are needed: text, short, unbroken.
//!
//! Knows no Socket.IO.

use anyhow::{Result, ensure};

/// A whole frame of text.
const TEXT: u8 = 0x81;

/// The bit of a client's frames, which are masked.
const MASKED: u8 = 0x80;

/// The first payload length that takes two bytes more, and the sign of that.
const LONG: usize = 126;

/// The request that opens a WebSocket.
pub(super) fn upgrade(path: &str, host: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIGJlbmNoIGlzIGhlcmU=\r\n\r\n"
    )
}

/// Appends a frame. Its mask is zero, so that the text stays as it is and costs the client nothing.
pub(super) fn write_text(text: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let length = u16::try_from(text.len())?;
    out.push(TEXT);
    match u8::try_from(length) {
        Ok(length) if usize::from(length) < LONG => out.push(MASKED | length),
        _ => {
            out.push(MASKED | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(text);
    Ok(())
}

/// The text of the first frame and how many bytes the frame takes; none if it is not whole yet.
pub(super) fn first_text(bytes: &[u8]) -> Result<Option<(usize, &[u8])>> {
    let [kind, length, rest @ ..] = bytes else {
        return Ok(None);
    };
    ensure!(*kind == TEXT, "a WebSocket frame of kind {kind:#x}");
    let (head, length) = match (usize::from(*length), rest) {
        (short, _) if short < LONG => (2, short),
        (LONG, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (LONG, _) => return Ok(None),
        (other, _) => anyhow::bail!("a WebSocket frame with length {other:#x}"),
    };
    Ok(bytes
        .get(head..head + length)
        .map(|text| (head + length, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_frames_have_an_empty_mask() -> Result<()> {
        let mut out = Vec::new();
        write_text(b"3", &mut out)?;
        assert_eq!(out, [0x81, 0x81, 0, 0, 0, 0, b'3']);
        out.clear();
        write_text(&[b'.'; 150], &mut out)?;
        assert_eq!(out[..8], [0x81, 0xfe, 0, 150, 0, 0, 0, 0]);
        assert_eq!(out.len(), 158);
        Ok(())
    }

    #[test]
    fn a_servers_frames_are_whole_or_none() -> Result<()> {
        for length in [0_u8, 125, 126, 150] {
            let mut frame = vec![TEXT];
            match length {
                0..126 => frame.push(length),
                _ => frame.extend_from_slice(&[126, 0, length]),
            }
            frame.extend(std::iter::repeat_n(b'.', usize::from(length)));
            let text = vec![b'.'; usize::from(length)];
            assert_eq!(first_text(&frame)?, Some((frame.len(), &text[..])));
            for short in 0..frame.len() {
                assert_eq!(first_text(&frame[..short])?, None, "{short} of {length}");
            }
        }
        assert!(first_text(&[0x88, 0]).is_err(), "a close");
        Ok(())
    }
}
