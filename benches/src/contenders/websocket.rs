//! As much of a WebSocket's client as a tight client needs: its opening, and short texts.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::lines::Lines;

/// The first byte of a text that is one frame.
const TEXT: u8 = 0x81;

/// In the second byte: the payload is masked, as that of every client is.
const MASKED: u8 = 0x80;

/// In place of a length in seven bits: it follows in two bytes.
const TWO_BYTES: u8 = 126;

/// The mask that changes nothing; whoever reads it takes it off all the same.
const MASK: [u8; 4] = [0; 4];

/// What asks for a WebSocket.
pub(super) fn opening(target: &str, host: SocketAddr) -> String {
    format!(
        "GET {target} HTTP/1.1\r\n\
         Host: {host}\r\n\
         Connection: Upgrade\r\n\
         Upgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: c2lkZSBieSBzaWRlICEhIQ==\r\n\
         \r\n"
    )
}

/// Asks for a WebSocket, and reads the answer up to its empty line.
pub(super) async fn open(target: &str, stream: &mut TcpStream, lines: &mut Lines) -> Result<()> {
    let head = opening(target, stream.peer_addr()?);
    stream.write_all(head.as_bytes()).await?;
    let mut is_first = true;
    loop {
        let Some(line) = lines.next() else {
            ensure!(lines.fill(stream).await?, "the server hung up");
            continue;
        };
        if is_first {
            ensure!(
                line.starts_with(b"HTTP/1.1 101 "),
                "no WebSocket: {}",
                String::from_utf8_lossy(line)
            );
            is_first = false;
        }
        if line == b"\r" {
            return Ok(());
        }
    }
}

/// Appends the frame of a text of at most 65,535 bytes.
pub(super) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(TEXT);
    match u8::try_from(text.len()) {
        Ok(length) if length < TWO_BYTES => out.push(MASKED | length),
        _ => {
            let length = u16::try_from(text.len()).expect("all texts are short");
            out.push(MASKED | TWO_BYTES);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend_from_slice(text);
}

/// How long the first frame of the server's is, if its head is there.
pub(super) fn frame_length(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [_, TWO_BYTES, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([high, low]))),
        [_, TWO_BYTES, ..] | [] | [_] => None,
        [_, length, ..] => Some(2 + usize::from(length)),
    }
}

/// The text of a whole frame of the server's.
pub(super) fn text(frame: &[u8]) -> Result<&[u8]> {
    let (head, text) = match frame.get(1) {
        Some(&TWO_BYTES) => frame.split_at_checked(4),
        Some(length) if *length < TWO_BYTES => frame.split_at_checked(2),
        _ => None,
    }
    .context("a frame is masked or longer than 65,535 bytes")?;
    ensure!(
        head.first() == Some(&TEXT),
        "a frame that is no text: {head:x?}"
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server would send: the same without a mask.
    fn of_server(text: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        write_text(text, &mut frame);
        let head = frame.len() - text.len() - MASK.len();
        frame.drain(head..head + MASK.len());
        frame[1] &= !MASKED;
        frame
    }

    #[test]
    fn texts_around_the_longer_length_are_read_back() -> Result<()> {
        for length in [0, 1, 125, 126, 127, 65_535] {
            let said = vec![b'x'; length];
            let frame = of_server(&said);
            assert_eq!(frame_length(&frame), Some(frame.len()));
            assert_eq!(text(&frame)?, said);
        }
        Ok(())
    }

    #[test]
    fn a_head_that_is_not_whole_is_waited_for() {
        let frame = of_server(&[b'x'; 126]);
        for head in 0..4 {
            assert_eq!(frame_length(&frame[..head]), None, "{head} bytes");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for frame in [&b"\x89\x00"[..], b"\x81\xff", b"\x81", b""] {
            assert!(text(frame).is_err(), "{frame:x?}");
        }
    }
}
