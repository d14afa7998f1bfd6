//! The content of JSON strings: where it ends, what its escapes mean, and how to escape it.
//!
//! Must not know where a string stands or what it is for.

use std::borrow::Cow;

/// How many bytes from the start stand for themselves in a string: no quote, backslash or control
/// character.
#[inline]
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    // Small enough to be inlined everywhere: most strings end within eight bytes.
    let Some(chunk) = bytes.first_chunk() else {
        return plain_words(bytes, 0);
    };
    match special(u64::from_le_bytes(*chunk)) {
        0 => plain_words(bytes, chunk.len()),
        marks => marks.trailing_zeros() as usize / 8,
    }
}

/// What a string that passed the scanner says; `content` is what stands between its quotes.
#[inline]
pub(super) fn unescaped(content: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', content.as_bytes()).is_some() {
        Cow::Owned(unescape(content))
    } else {
        Cow::Borrowed(content)
    }
}

/// Appends `text` as the content of a string.
#[inline]
pub(super) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let plain = plain_prefix(bytes);
    out.extend_from_slice(&bytes[..plain]);
    if plain < bytes.len() {
        escape(out, &bytes[plain..]);
    }
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = ONES << 7;

/// Goes on at a whole word.
#[inline(never)]
fn plain_words(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes[at..].first_chunk() {
        let marks = special(u64::from_le_bytes(*chunk));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at == 64 {
            at = plain_blocks(bytes, at);
        }
    }
    while at < bytes.len() && !matches!(bytes[at], b'"' | b'\\' | 0..0x20) {
        at += 1;
    }
    at
}

/// Steps over whole blocks without a special byte: pays off in long strings only.
#[inline(never)]
fn plain_blocks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes[at..].first_chunk::<32>() {
        // Combined without an early end: they compile to comparisons of the whole block.
        let special = block.iter().fold(0, |any, byte| {
            any | u8::from(*byte == b'"') | u8::from(*byte == b'\\') | u8::from(*byte < 0x20)
        });
        if special != 0 {
            break;
        }
        at += block.len();
    }
    at
}

/// Sets the high bit of each byte that is special in a string.
///
/// A borrow can mark a plain byte too, but only above a special one: the lowest mark is right.
const fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGHS
}

#[cold]
fn unescape(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let (kind, after) = escape.split_at(1);
        rest = after;
        out.push(match kind {
            "b" => '\u{8}',
            "f" => '\u{c}',
            "n" => '\n',
            "r" => '\r',
            "t" => '\t',
            "u" => {
                let mut code = hex(&rest[..4]);
                rest = &rest[4..];
                if (0xd800..0xdc00).contains(&code) {
                    code = 0x1_0000 + ((code - 0xd800) << 10) + (hex(&rest[2..6]) - 0xdc00);
                    rest = &rest[6..];
                }
                char::from_u32(code).expect("the scanner refuses lone surrogates")
            }
            _ => kind
                .chars()
                .next()
                .expect("the scanner refuses an escape without its letter"),
        });
    }
    out.push_str(rest);
    out
}

fn hex(digits: &str) -> u32 {
    u32::from_str_radix(digits, 16).expect("the scanner refuses other digits")
}

#[cold]
fn escape(out: &mut Vec<u8>, mut rest: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    while let Some((special, after)) = rest.split_first() {
        match special {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *special]),
            0x08 => out.extend_from_slice(br"\b"),
            0x09 => out.extend_from_slice(br"\t"),
            0x0a => out.extend_from_slice(br"\n"),
            0x0c => out.extend_from_slice(br"\f"),
            0x0d => out.extend_from_slice(br"\r"),
            control => {
                out.extend_from_slice(br"\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 0xf)]);
            }
        }
        let plain = plain_prefix(after);
        out.extend_from_slice(&after[..plain]);
        rest = &after[plain..];
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::Scanner;
    use super::*;

    fn read(json: &str) -> Option<String> {
        assert_eq!(Scanner::new(json).string(0).ok()?, json.len());
        Some(unescaped(&json[1..json.len() - 1]).into_owned())
    }

    #[test]
    fn special_bytes_are_found_at_every_offset() {
        for length in 0..=112 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    let special = matches!(byte, b'"' | b'\\' | 0..0x20);
                    assert_eq!(plain_prefix(&bytes), if special { at } else { length });
                }
            }
        }
    }

    #[test]
    fn a_mark_above_a_special_byte_does_not_mislead() {
        // Each pair borrows from the byte after the special one.
        for pair in [
            [b'"', b'#'],
            [b'\\', b']'],
            [0x1f, 0x20],
            [0, 0x20],
            [b'"', b'"'],
        ] {
            for at in 0..14 {
                let mut bytes = [b'a'; 16];
                bytes[at..at + 2].copy_from_slice(&pair);
                assert_eq!(plain_prefix(&bytes), at);
                bytes[at] = b'a';
                bytes[at + 1] = pair[1];
                let next = matches!(pair[1], b'"').then_some(at + 1).unwrap_or(16);
                assert_eq!(plain_prefix(&bytes), next);
            }
        }
    }

    #[test]
    fn escapes_resolve() {
        assert_eq!(
            read(r#""\"\\\/\b\f\n\r\t""#).unwrap(),
            "\"\\/\u{8}\u{c}\n\r\t"
        );
        assert_eq!(
            read(r#""\u0000\u00e9\u20AC\uD834\udd1e!""#).unwrap(),
            "\0é€𝄞!"
        );
        assert_eq!(read(r#""é\\u0041""#).unwrap(), "é\\u0041");
        assert_eq!(
            read(r#""\ud800\udc00\udbff\udfff""#).unwrap(),
            "\u{10000}\u{10ffff}"
        );
    }

    #[test]
    fn half_surrogates_are_refused() {
        for json in [
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800x""#,
            r#""\ud800\n""#,
            r#""\ud800\ud800""#,
            r#""\udbff\ue000""#,
            r#""\ud800\u12""#,
        ] {
            assert!(read(json).is_none(), "{json}");
        }
        assert!(read(r#""\ud7ff\ue000""#).is_some());
    }

    #[test]
    fn strings_are_escaped_as_json_wants() {
        for code in 0..0x300 {
            let Some(char) = char::from_u32(code) else {
                continue;
            };
            for value in [
                format!("{char}"),
                format!("abcdefgh{char}"),
                format!("{char}{char}é"),
            ] {
                let mut out = Vec::new();
                write_escaped(&mut out, &value);
                let quoted = format!("\"{}\"", String::from_utf8(out).unwrap());
                assert_eq!(quoted, serde_json::to_string(&value).unwrap());
            }
        }
    }
}
