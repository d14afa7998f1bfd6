//! The limits of the wire, and which event names it allows.
//!
//! Numbers and names only; must not know how a frame is scanned or written.

/// How many brackets may be open at once inside a member's value (`PROTOCOL.md` §4).
///
/// Half of the depth at which common JSON libraries give up, so whatever passes here can be
/// decoded by every receiver.
pub const MAX_DEPTH: usize = 64;

/// The longest `pass_id`, `request_id`, `from_inc` or `dest_inc`, in bytes after unescaping
/// (`PROTOCOL.md` §3).
///
/// A UUID in text takes 36; a receiver stores the ids of others, so they must be small.
pub const MAX_ID_BYTES: usize = 64;

/// The highest number of a delivery (`PROTOCOL.md` §3).
///
/// The highest integer that every JSON library keeps exact, those with nothing but doubles too.
pub const MAX_SEQ: u64 = (1 << 53) - 1;

/// The longest name of an event, in bytes (`PROTOCOL.md` §3).
///
/// Room for `product:area.event`, and small enough to be a metric's label.
pub const MAX_NAME_BYTES: usize = 64;

/// The longest `dest` or `from`, in bytes after unescaping (`PROTOCOL.md` §3).
///
/// Four times the longest peer id, and more than `#` with any room id.
pub const MAX_ADDRESS_BYTES: usize = 1_024;

/// The longest frame that a server reads, in bytes without the line end (`PROTOCOL.md` §2).
///
/// What one peer can make the server hold before it says anything sensible.
pub const MAX_FRAME_SERVER: usize = 65_536;

/// The longest frame that a server reads before login, in bytes without the line end
/// (`PROTOCOL.md` §2).
///
/// A login fits easily; strangers get no more memory than that.
pub const MAX_FRAME_BEFORE_LOGIN: usize = 4_096;

/// The longest frame that a client reads, in bytes without the line end (`PROTOCOL.md` §2).
///
/// Far above [`MAX_FRAME_SERVER`], so that a relay that adds `from` can never push a legal frame
/// over the receiver's limit.
pub const MAX_FRAME_CLIENT: usize = 1 << 20;

/// Names with a meaning of their own, which no event of a user may take.
pub const RESERVED: &[&str] = &["protocol_error", "cancel_request", "session_over"];

/// Whether `name` can name an event: 1 to [`MAX_NAME_BYTES`] bytes of `a-z`, `0-9`, `_`, `.`,
/// `:` and `-`.
///
/// [`RESERVED`] names are well formed, so they are valid here.
///
/// ```
/// use protocol_core::wire::valid_name;
///
/// const _: () = assert!(valid_name("chess:take_seat"));
/// assert!(!valid_name("Take Seat"));
/// assert!(!valid_name(""));
/// ```
pub const fn valid_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_NAME_BYTES {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b':' | b'-') {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_bounded_on_both_sides() {
        assert!(!valid_name(""));
        assert!(valid_name("a"));
        assert!(valid_name(&"a".repeat(MAX_NAME_BYTES)));
        assert!(!valid_name(&"a".repeat(MAX_NAME_BYTES + 1)));
    }

    #[test]
    fn only_the_listed_bytes_are_allowed() {
        let allowed = "abcdefghijklmnopqrstuvwxyz0123456789_.:-";
        for code in 0..=0x2ff {
            let Some(char) = char::from_u32(code) else {
                continue;
            };
            let name = format!("a{char}");
            assert_eq!(valid_name(&name), allowed.contains(char), "{name:?}");
        }
    }

    #[test]
    fn reserved_names_are_well_formed() {
        assert!(RESERVED.iter().all(|name| valid_name(name)));
    }
}
