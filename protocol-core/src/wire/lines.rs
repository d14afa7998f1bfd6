//! Finds the lines in what was received so far.
//!
//! Knows line ends and the limit; must not know JSON, or who owns the buffer.

/// Finds one line after the other, remembering how far it looked: however the bytes arrive, each
/// is looked at once.
///
/// ```
/// use protocol_core::wire::LineSplitter;
///
/// let mut buffer = b"{\"a\":1}\r\n\n{\"b\":2}\n{\"c\"".to_vec();
/// let mut splitter = LineSplitter::default();
/// let mut lines = Vec::new();
/// while let Some(line) = splitter.next(&buffer, 100)? {
///     if !line.is_empty() {
///         lines.push(String::from_utf8(buffer[line.range()].to_vec())?);
///     }
///     buffer.drain(..line.consumed);
/// }
/// assert_eq!(lines, ["{\"a\":1}", "{\"b\":2}"]);
/// assert_eq!(buffer, b"{\"c\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct LineSplitter {
    /// So many bytes of the buffer hold no line end.
    scanned: usize,
}

/// Where a line stands in the buffer.
///
/// **An empty one is no frame:** it reports empty lines that can be dropped, so that a flood of
/// them fills no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Where the content starts, after any empty lines.
    pub start: usize,
    /// How long the content is, without the line end.
    pub len: usize,
    /// How many bytes of the buffer are done with: drop them before the next call.
    pub consumed: usize,
}

impl Line {
    /// The content's place in the buffer.
    pub const fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.len
    }

    /// Whether only empty lines were found: there is nothing to parse, only something to drop.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A line is longer than the limit; nothing after it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame may be at most {limit} bytes long")]
pub struct TooLong {
    /// The most bytes that a line may have, without its end.
    pub limit: usize,
}

impl LineSplitter {
    /// The next line (`PROTOCOL.md` §2), or `None` if more bytes are needed.
    ///
    /// `buffer` starts where the last line's `consumed` ended, and has kept what it held at the
    /// last call. `limit` may differ from call to call.
    ///
    /// # Errors
    /// As soon as it is certain that the line's content has more than `limit` bytes, even before
    /// its end has arrived.
    pub fn next(&mut self, buffer: &[u8], limit: usize) -> Result<Option<Line>, TooLong> {
        // Once a line has begun, no empty lines can stand before it.
        let start = if self.scanned == 0 {
            empty_lines(buffer)
        } else {
            0
        };
        let bytes = &buffer[start..];
        let scanned = self.scanned.min(bytes.len());
        // The content, `\r` and `\n`: beyond that, a line end would come too late.
        let window = &bytes[scanned..bytes.len().min(limit.saturating_add(2)).max(scanned)];
        if let Some(found) = memchr::memchr(b'\n', window) {
            let end = scanned + found;
            let len = without_cr(&bytes[..end]);
            if len > limit {
                return Err(TooLong { limit });
            }
            self.scanned = 0;
            return Ok(Some(Line {
                start,
                len,
                consumed: start + end + 1,
            }));
        }
        // A last `\r` may yet turn out to belong to the line end.
        if without_cr(&bytes[..bytes.len().min(limit.saturating_add(2))]) > limit {
            return Err(TooLong { limit });
        }
        self.scanned = bytes.len();
        Ok((start > 0).then_some(Line {
            start,
            len: 0,
            consumed: start,
        }))
    }
}

/// How many bytes of empty lines `buffer` starts with.
fn empty_lines(buffer: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += match buffer[at..] {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return at,
        };
    }
}

fn without_cr(line: &[u8]) -> usize {
    line.strip_suffix(b"\r").unwrap_or(line).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `stream` in the given pieces and returns the contents, the rest and any refusal.
    fn split(pieces: &[&[u8]], limit: usize) -> (Vec<Vec<u8>>, Vec<u8>, Option<TooLong>) {
        let mut splitter = LineSplitter::default();
        let mut buffer = Vec::new();
        let mut lines = Vec::new();
        for piece in pieces {
            buffer.extend_from_slice(piece);
            loop {
                match splitter.next(&buffer, limit) {
                    Ok(Some(line)) => {
                        assert!(line.consumed > 0 && line.consumed <= buffer.len());
                        if !line.is_empty() {
                            lines.push(buffer[line.range()].to_vec());
                        }
                        buffer.drain(..line.consumed);
                    }
                    Ok(None) => break,
                    Err(error) => return (lines, buffer, Some(error)),
                }
            }
        }
        (lines, buffer, None)
    }

    fn lines(stream: &str, limit: usize) -> Result<Vec<String>, TooLong> {
        let (whole, rest, error) = split(&[stream.as_bytes()], limit);
        for at in 0..=stream.len() {
            let (left, right) = stream.as_bytes().split_at(at);
            let parts = split(&[left, right], limit);
            assert_eq!((&parts.0, parts.2), (&whole, error));
            // After a refusal the rest depends on how much had arrived.
            assert!(error.is_some() || parts.1 == rest);
        }
        let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        let (single, _, single_error) = split(&bytes, limit);
        assert_eq!((&single, single_error), (&whole, error));
        match error {
            Some(error) => Err(error),
            None => Ok(whole
                .into_iter()
                .map(|line| String::from_utf8(line).unwrap())
                .collect()),
        }
    }

    #[test]
    fn lines_end_with_lf_or_cr_lf() {
        assert_eq!(lines("ab\ncd\r\nef", 10).unwrap(), ["ab", "cd"]);
        assert_eq!(lines("a\r\r\nb\rc\n", 10).unwrap(), ["a\r", "b\rc"]);
        assert_eq!(lines("", 10).unwrap(), [""; 0]);
    }

    #[test]
    fn empty_lines_are_dropped() {
        assert_eq!(lines("\n\r\n\na\n\r\n\n\nb\n\n", 10).unwrap(), ["a", "b"]);
        assert_eq!(split(&[b"\n\r\n\n"], 1).1, b"");
        assert_eq!(split(&[b"\n\n\r"], 1).1, b"\r");
    }

    #[test]
    fn a_flood_of_empty_lines_is_dropped_in_one_step() {
        let flood = vec![b'\n'; 100_000];
        let line = LineSplitter::default().next(&flood, 4).unwrap().unwrap();
        assert!(line.is_empty());
        assert_eq!(line.consumed, flood.len());
    }

    #[test]
    fn the_limit_counts_content_only() {
        assert_eq!(lines("abcd\n", 4).unwrap(), ["abcd"]);
        assert_eq!(lines("abcd\r\n", 4).unwrap(), ["abcd"]);
        assert_eq!(lines("abcd\r", 4).unwrap(), [""; 0]);
        assert_eq!(lines("abc\r\r\n", 4).unwrap(), ["abc\r"]);
        for stream in [
            "abcde",
            "abcde\n",
            "abcde\r\n",
            "abcd\r\r\n",
            "abcd\r\r",
            "abcd\rx",
        ] {
            assert_eq!(lines(stream, 4), Err(TooLong { limit: 4 }), "{stream:?}");
        }
        assert_eq!(lines("abcd\nabcde", 4), Err(TooLong { limit: 4 }));
    }

    #[test]
    fn a_line_begun_after_empty_ones_is_remembered() {
        let mut splitter = LineSplitter::default();
        let empty = splitter.next(b"\n\nab", 4).unwrap().unwrap();
        assert!(empty.is_empty());
        assert_eq!(empty.consumed, 2);
        // The next call comes only after more has arrived.
        let line = splitter.next(b"ab\ncd\n", 4).unwrap().unwrap();
        assert_eq!((line.range(), line.consumed), (0..2, 3));
    }

    #[test]
    fn a_refusal_stays() {
        let mut splitter = LineSplitter::default();
        for _ in 0..3 {
            assert_eq!(splitter.next(b"abcdefgh\n", 4), Err(TooLong { limit: 4 }));
        }
    }

    #[test]
    fn the_limit_may_change_between_calls() {
        let mut splitter = LineSplitter::default();
        assert_eq!(splitter.next(b"abcdefgh", 8), Ok(None));
        assert_eq!(splitter.next(b"abcdefgh", 4), Err(TooLong { limit: 4 }));
        assert_eq!(splitter.next(b"abcdefgh\n", 4), Err(TooLong { limit: 4 }));
        let line = splitter.next(b"abcdefgh\n", 8).unwrap().unwrap();
        assert_eq!((line.start, line.len, line.consumed), (0, 8, 9));
    }

    #[test]
    fn extreme_limits_hold() {
        assert_eq!(lines("abc\n", usize::MAX).unwrap(), ["abc"]);
        assert_eq!(lines("\n\r\n", 0).unwrap(), [""; 0]);
        assert_eq!(lines("a", 0), Err(TooLong { limit: 0 }));
    }
}
