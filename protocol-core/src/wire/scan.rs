//! A strict scanner of JSON text (RFC 8259): grammar, surrogates and depth, in one pass.
//!
//! Must not know which members an envelope has or what a value means. It neither recurses nor
//! allocates, so that no input can exhaust the stack or the heap.

use std::ops::Range;

use super::fault::Reason;
use super::text::plain_prefix;
use super::{FrameError, RawData};

/// The ways to step over the tokens of a text.
///
/// A position goes in and the position behind the token comes out: kept out of memory, that is
/// what makes the scanner fast. Nothing is at the end, and reads as NUL, which fits no place in
/// JSON either.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a> {
    text: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text }
    }

    #[inline]
    pub(super) fn peek(self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn space(self, mut at: usize) -> usize {
        // Frames are compact as a rule: one comparison says so.
        while self.peek(at) <= b' ' && matches!(self.peek(at), b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
        }
        at
    }

    /// Refuses anything but white space up to the end.
    pub(super) fn end(self, at: usize) -> Result<(), FrameError> {
        let at = self.space(at);
        if at == self.text.len() {
            Ok(())
        } else {
            Err(FrameError::new(Reason::Trailing, at))
        }
    }

    /// One value and nothing else.
    pub(super) fn only_value(self, limit: usize) -> Result<RawData<'a>, FrameError> {
        let start = self.space(0);
        let end = self.value(start, limit)?;
        self.end(end)?;
        Ok(RawData::scanned(&self.text[start..end]))
    }

    /// Shows each member of an object, at its first level, to `visit`; it is given the place of the
    /// name, in quotes, and where the value starts, and returns where that ends.
    #[inline]
    pub(super) fn members(
        self,
        mut visit: impl FnMut(Range<usize>, usize) -> Result<usize, FrameError>,
    ) -> Result<usize, FrameError> {
        let mut at = self.space(0);
        if self.peek(at) != b'{' {
            return Err(FrameError::new(Reason::NotAnObject, at));
        }
        at = self.space(at + 1);
        if self.peek(at) == b'}' {
            self.end(at + 1)?;
            return Ok(at + 1);
        }
        loop {
            let key = at..self.key(at)?;
            let start = self.colon(key.end)?;
            at = self.space(visit(key, start)?);
            match self.peek(at) {
                b',' => at = self.space(at + 1),
                b'}' => break,
                _ => return Err(FrameError::new(Reason::ObjectEnd, at)),
            }
        }
        self.end(at + 1)?;
        Ok(at + 1)
    }

    /// A member's name.
    #[inline]
    fn key(self, at: usize) -> Result<usize, FrameError> {
        if self.peek(at) == b'"' {
            self.string(at)
        } else {
            Err(FrameError::new(Reason::Key, at))
        }
    }

    /// What stands between a member's name and its value.
    #[inline]
    fn colon(self, at: usize) -> Result<usize, FrameError> {
        let at = self.space(at);
        if self.peek(at) == b':' {
            Ok(self.space(at + 1))
        } else {
            Err(FrameError::new(Reason::Colon, at))
        }
    }

    /// A value that starts at `at`, with at most `limit` (up to 64) brackets open at once.
    ///
    /// The open brackets are bits of `objects`, so that depth costs no call stack.
    pub(super) fn value(self, mut at: usize, limit: usize) -> Result<usize, FrameError> {
        debug_assert!(limit <= 64, "one bit a level");
        let mut objects = 0_u64;
        let mut depth = 0;
        loop {
            match self.peek(at) {
                b'"' => at = self.string(at)?,
                open @ (b'{' | b'[') => {
                    if depth == limit {
                        return Err(FrameError::new(Reason::TooDeep, at));
                    }
                    let object = open == b'{';
                    at = self.space(at + 1);
                    if self.peek(at) == closing(object) {
                        at += 1;
                    } else {
                        depth += 1;
                        objects = objects << 1 | u64::from(object);
                        if object {
                            at = self.colon(self.key(at)?)?;
                        }
                        continue;
                    }
                }
                b'-' | b'0'..=b'9' => at = self.number(at)?,
                b't' => at = self.literal(at, "true")?,
                b'f' => at = self.literal(at, "false")?,
                b'n' => at = self.literal(at, "null")?,
                _ => return Err(FrameError::new(Reason::Value, at)),
            }
            // A value ended: close what ends with it, then go to the next one.
            loop {
                if depth == 0 {
                    return Ok(at);
                }
                at = self.space(at);
                let object = objects & 1 == 1;
                let byte = self.peek(at);
                if byte == b',' {
                    at = self.space(at + 1);
                    if object {
                        at = self.colon(self.key(at)?)?;
                    }
                    break;
                }
                if byte != closing(object) {
                    let reason = if object {
                        Reason::ObjectEnd
                    } else {
                        Reason::ArrayEnd
                    };
                    return Err(FrameError::new(reason, at));
                }
                at += 1;
                depth -= 1;
                objects >>= 1;
            }
        }
    }

    /// A string whose opening quote is at `at`.
    #[inline]
    pub(super) fn string(self, at: usize) -> Result<usize, FrameError> {
        self.text(at).map(|(end, _)| end)
    }

    /// A string whose opening quote is at `at`, and whether it stands for itself, without an escape.
    #[inline]
    pub(super) fn text(self, at: usize) -> Result<(usize, bool), FrameError> {
        let start = at + 1;
        let end = start + plain_prefix(&self.text.as_bytes()[start..]);
        if self.peek(end) == b'"' {
            Ok((end + 1, true))
        } else {
            self.odd_string(end).map(|end| (end, false))
        }
    }

    /// The rest of a string from its first escape or fault.
    #[cold]
    fn odd_string(self, mut at: usize) -> Result<usize, FrameError> {
        loop {
            match self.peek(at) {
                b'"' => return Ok(at + 1),
                b'\\' => at = self.escape(at)?,
                _ if at == self.text.len() => return Err(FrameError::new(Reason::OpenString, at)),
                _ => return Err(FrameError::new(Reason::Control, at)),
            }
            at += plain_prefix(&self.text.as_bytes()[at..]);
        }
    }

    fn escape(self, at: usize) -> Result<usize, FrameError> {
        let wrong = |reason| Err(FrameError::new(reason, at));
        match self.peek(at + 1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => return Ok(at + 2),
            b'u' => {}
            _ => return wrong(Reason::Escape),
        }
        match self.hex4(at + 2) {
            None => wrong(Reason::Escape),
            Some(0xdc00..=0xdfff) => wrong(Reason::Surrogate),
            Some(0xd800..=0xdbff) => {
                let pair = self.peek(at + 6) == b'\\' && self.peek(at + 7) == b'u';
                match self.hex4(at + 8) {
                    Some(0xdc00..=0xdfff) if pair => Ok(at + 12),
                    _ => wrong(Reason::Surrogate),
                }
            }
            Some(_) => Ok(at + 6),
        }
    }

    fn hex4(self, at: usize) -> Option<u32> {
        let digits = self.text.as_bytes().get(at..at + 4)?;
        digits.iter().try_fold(0, |code, digit| {
            char::from(*digit)
                .to_digit(16)
                .map(|digit| code << 4 | digit)
        })
    }

    #[inline]
    fn number(self, mut at: usize) -> Result<usize, FrameError> {
        at += usize::from(self.peek(at) == b'-');
        at = if self.peek(at) == b'0' {
            at + 1
        } else {
            self.digits(at)?
        };
        if self.peek(at) == b'.' {
            at = self.digits(at + 1)?;
        }
        if matches!(self.peek(at), b'e' | b'E') {
            at += 1 + usize::from(matches!(self.peek(at + 1), b'+' | b'-'));
            at = self.digits(at)?;
        }
        Ok(at)
    }

    #[inline]
    fn digits(self, at: usize) -> Result<usize, FrameError> {
        let mut end = at;
        while self.peek(end).is_ascii_digit() {
            end += 1;
        }
        if end == at {
            Err(FrameError::new(Reason::Digit, at))
        } else {
            Ok(end)
        }
    }

    fn literal(self, at: usize, literal: &str) -> Result<usize, FrameError> {
        if self.text.as_bytes()[at..].starts_with(literal.as_bytes()) {
            Ok(at + literal.len())
        } else {
            Err(FrameError::new(Reason::Value, at))
        }
    }
}

#[inline]
const fn closing(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_closes_with_its_own_bracket() {
        let value = |json| Scanner::new(json).only_value(64).is_ok();
        assert!(value(r#"[{"a":[{},[]]},{"b":{}}]"#));
        assert!(!value(r#"[{"a":[{},[]}]"#));
        assert!(!value("[}"));
        assert!(!value("{]"));
        let mixed = "[{\"a\":".repeat(32) + "1" + &"}]".repeat(32);
        assert!(value(&mixed));
        assert!(Scanner::new(&mixed).only_value(63).is_err());
    }

    #[test]
    fn empty_brackets_count_as_a_level() {
        assert!(Scanner::new("[]").only_value(0).is_err());
        assert!(Scanner::new("[[],{}]").only_value(2).is_ok());
        assert!(Scanner::new("[[],{}]").only_value(1).is_err());
    }

    #[test]
    fn numbers_follow_the_grammar() {
        let value = |json| Scanner::new(json).only_value(64).is_ok();
        for json in [
            "0", "-0", "10", "1.0", "0e1", "1E+2", "1.5e-7", "-0.0", "1e999",
        ] {
            assert!(value(json), "{json}");
        }
        for json in [
            "", "-", "+1", "01", "-01", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "1_0",
        ] {
            assert!(!value(json), "{json}");
        }
    }
}
