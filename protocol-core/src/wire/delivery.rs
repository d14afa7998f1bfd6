//! The members by which deliveries are numbered, and what a receiver says about the numbers.
//!
//! Knows their form; must not know streams, windows or when something is sent again.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use super::envelope::Envelope;
use super::fault::{Member, Reason};
use super::write::member;
use super::{ErrorCode, FrameError, Json, MAX_ID_BYTES, MAX_SEQ, WireError};

/// The members of a frame that number its delivery (`PROTOCOL.md` §3); all of them optional.
///
/// ```
/// use protocol_core::wire::Frame;
///
/// let frame = Frame::parse(br#"{"type":"confirm_pass","pass_id":"7","since":3,"ack":5}"#)?;
/// assert_eq!((frame.delivery.since, frame.delivery.ack), (Some(3), Some(5)));
/// assert_eq!(frame.delivery.seq, None);
/// # Ok::<(), protocol_core::wire::FrameError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The event's number in its stream, 1 to [`MAX_SEQ`].
    pub seq: Option<u64>,
    /// The lowest number that its sender still waits for, 1 to [`MAX_SEQ`].
    pub base: Option<u64>,
    /// The highest number that an answer speaks for, 0 to [`MAX_SEQ`].
    pub ack: Option<u64>,
    /// The lowest number that an answer speaks for, 1 to [`MAX_SEQ`].
    pub since: Option<u64>,
    /// The incarnation of the sender, 1 to 64 bytes.
    pub from_inc: Option<Cow<'a, str>>,
    /// The incarnation of the receiver, 1 to 64 bytes.
    pub dest_inc: Option<Cow<'a, str>>,
}

impl<'a> Delivery<'a> {
    /// Judges the members where they stand. Out of the way of frames that have none.
    #[cold]
    pub(super) fn of(envelope: &Envelope<'a>) -> Result<Self, FrameError> {
        let seq = |member| envelope.number(member, 1, Reason::NotSeq);
        let inc = |member| envelope.bounded(member, MAX_ID_BYTES, Reason::IdLength);
        Ok(Self {
            seq: seq(Member::Seq)?,
            base: seq(Member::Base)?,
            ack: envelope.number(Member::Ack, 0, Reason::NotAck)?,
            since: seq(Member::Since)?,
            from_inc: inc(Member::FromInc)?,
            dest_inc: inc(Member::DestInc)?,
        })
    }
}

/// Appends the members that are there, between the data and [`write_tail`](super::write_tail).
///
/// ```
/// use protocol_core::wire::{Delivery, write_delivery};
///
/// let mut out = Vec::new();
/// let delivery = Delivery {
///     seq: Some(7),
///     base: Some(5),
///     dest_inc: Some("c0ffee".into()),
///     ..Delivery::default()
/// };
/// write_delivery(&mut out, &delivery);
/// assert_eq!(out, br#","dest_inc":"c0ffee","seq":7,"base":5"#);
/// ```
pub fn write_delivery(out: &mut Vec<u8>, delivery: &Delivery<'_>) {
    if let Some(inc) = &delivery.dest_inc {
        member(out, br#","dest_inc":"#, inc);
    }
    if let Some(inc) = &delivery.from_inc {
        member(out, br#","from_inc":"#, inc);
    }
    let mut number = |prefix: &[u8], value: Option<u64>| {
        if let Some(value) = value {
            out.extend_from_slice(prefix);
            out.extend_from_slice(value.to_string().as_bytes());
        }
    };
    number(br#","seq":"#, delivery.seq);
    number(br#","base":"#, delivery.base);
    number(br#","ack":"#, delivery.ack);
    number(br#","since":"#, delivery.since);
}

/// The data of `expect`.
#[derive(Deserialize)]
struct Expected {
    seq: u64,
}

/// The data of `stale_dest`.
#[derive(Deserialize)]
struct Named {
    /// `null` says that there is none; that the member is absent says nothing.
    #[serde(deserialize_with = "present")]
    dest_inc: Option<String>,
}

fn present<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(source)
}

impl WireError {
    /// `expect`, with the number that the receiver takes next.
    ///
    /// ```
    /// use protocol_core::wire::WireError;
    ///
    /// let error = WireError::expect(7);
    /// assert_eq!(error.data.as_ref().unwrap().get(), r#"{"seq":7}"#);
    /// assert_eq!(error.expected_seq(), Some(7));
    /// ```
    pub fn expect(seq: u64) -> Self {
        let message = "numbers are missing before this one: send again from `seq`";
        Self {
            data: Json::parse(&format!(r#"{{"seq":{seq}}}"#)).ok(),
            ..Self::new(ErrorCode::Expect, message)
        }
    }

    /// `stale_dest`, with the incarnation that the destination has now, if it has told one.
    ///
    /// ```
    /// use protocol_core::wire::WireError;
    ///
    /// let error = WireError::stale_dest(Some("c0ffee"));
    /// assert_eq!(error.data.as_ref().unwrap().get(), r#"{"dest_inc":"c0ffee"}"#);
    /// assert_eq!(error.named_inc(), Some(Some("c0ffee".to_owned())));
    /// assert_eq!(WireError::stale_dest(None).named_inc(), Some(None));
    /// ```
    pub fn stale_dest(dest_inc: Option<&str>) -> Self {
        let message = match dest_inc {
            Some(_) => "the destination is another process now: see `dest_inc`",
            None => "the destination takes no numbered events: send it without `seq`",
        };
        let data = serde_json::json!({ "dest_inc": dest_inc });
        Self {
            data: Json::from_value(&data).ok(),
            ..Self::new(ErrorCode::StaleDest, message)
        }
    }

    /// The number in the data of [`ErrorCode::Expect`]; `None` where the code is another, or the
    /// data holds no number that can be sent.
    pub fn expected_seq(&self) -> Option<u64> {
        let Expected { seq } = self.data_of(ErrorCode::Expect)?;
        (1..=MAX_SEQ).contains(&seq).then_some(seq)
    }

    /// The incarnation in the data of [`ErrorCode::StaleDest`], `Some(None)` where the destination
    /// has told none; `None` where the code is another, or the data holds nothing that can be sent.
    pub fn named_inc(&self) -> Option<Option<String>> {
        let Named { dest_inc } = self.data_of(ErrorCode::StaleDest)?;
        let fits = dest_inc
            .as_ref()
            .is_none_or(|inc| (1..=MAX_ID_BYTES).contains(&inc.len()));
        fits.then_some(dest_inc)
    }

    fn data_of<T: serde::de::DeserializeOwned>(&self, code: ErrorCode) -> Option<T> {
        if self.standard() != Some(code) {
            return None;
        }
        self.data.as_ref()?.decode().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Frame, RawData};
    use super::*;

    fn fault(member: &str, value: &str) -> Option<String> {
        let line = format!(r#"{{"type":"pass","name":"x","{member}":{value}}}"#);
        let error = Frame::parse(line.as_bytes()).err()?;
        assert_eq!(error.code(), ErrorCode::BadFrame);
        Some(error.to_string())
    }

    #[test]
    fn numbers_are_bounded_on_both_sides_and_written_plainly() {
        for (member, least) in [("seq", 1), ("base", 1), ("since", 1), ("ack", 0)] {
            let refusal = format!(
                "`{member}` must be an integer of {least} to 9007199254740991, written with digits alone (byte {})",
                29 + member.len()
            );
            for value in ["1", "9007199254740990", "9007199254740991", "null"] {
                assert_eq!(fault(member, value), None, "{member}: {value}");
            }
            assert_eq!(fault(member, "0").is_none(), least == 0, "{member}");
            for value in [
                "9007199254740992",
                "18446744073709551616",
                "-0",
                "-1",
                "1.0",
                "1e0",
                "0.0",
                "\"1\"",
                "true",
                "[1]",
                "{}",
            ] {
                assert_eq!(fault(member, value), Some(refusal.clone()), "{value}");
            }
            assert!(fault(member, "01").is_some(), "no JSON");
        }
    }

    #[test]
    fn incarnations_are_bounded_after_unescaping() {
        for member in ["from_inc", "dest_inc"] {
            let of = |unit: &str, count: usize| format!("\"{}\"", unit.repeat(count));
            for value in ["null", "\"a\"", &of("a", 64), &of("\\u0061", 64)] {
                assert_eq!(fault(member, value), None, "{member}: {value}");
            }
            for value in ["\"\"", &of("a", 65), &of("é", 33), &of("\\u0061", 65)] {
                let refusal = fault(member, value).expect(value);
                assert!(refusal.contains("must be 1 to 64 bytes long"), "{refusal}");
            }
            for value in ["1", "true", "[]", "{}"] {
                let refusal = fault(member, value).expect(value);
                assert!(refusal.contains("must be a string"), "{refusal}");
            }
        }
    }

    #[test]
    fn each_stands_only_once() {
        for member in ["seq", "base", "ack", "since", "from_inc", "dest_inc"] {
            let refusal = fault(member, &format!("null,\"{member}\":null")).unwrap();
            assert!(refusal.contains("must stand only once"), "{refusal}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let all = Delivery {
            seq: Some(1),
            base: Some(MAX_SEQ),
            ack: Some(0),
            since: Some(2),
            from_inc: Some("\"\n".into()),
            dest_inc: Some("é".repeat(32).into()),
        };
        for delivery in [all, Delivery::default()] {
            let mut out = br#"{"type":"pass","name":"x""#.to_vec();
            write_delivery(&mut out, &delivery);
            out.push(b'}');
            let frame = Frame::parse(&out).unwrap();
            assert_eq!(frame.delivery, delivery);
            let plain = Frame::parse(br#"{"type":"pass","name":"x"}"#).unwrap();
            assert_eq!(frame == plain, delivery == Delivery::default());
        }
    }

    fn error(text: &str) -> WireError {
        WireError::parse(RawData::parse(text).unwrap())
    }

    #[test]
    fn only_a_number_that_can_be_sent_is_expected() {
        let expected =
            |data: &str| error(&format!(r#"{{"code":"expect","data":{data}}}"#)).expected_seq();
        assert_eq!(expected(r#"{"seq":1,"more":2}"#), Some(1));
        assert_eq!(expected(r#"{"seq":9007199254740991}"#), Some(MAX_SEQ));
        for data in [
            r#"{"seq":0}"#,
            r#"{"seq":9007199254740992}"#,
            r#"{"seq":-1}"#,
            r#"{"seq":1.0}"#,
            r#"{"seq":"1"}"#,
            r#"{"seq":null}"#,
            "{}",
            "1",
            "null",
        ] {
            assert_eq!(expected(data), None, "{data}");
        }
        assert_eq!(
            error(r#"{"code":"busy","data":{"seq":1}}"#).expected_seq(),
            None
        );
    }

    #[test]
    fn only_an_incarnation_that_can_be_sent_is_named() {
        let named =
            |data: &str| error(&format!(r#"{{"code":"stale_dest","data":{data}}}"#)).named_inc();
        let of = |length| format!(r#"{{"dest_inc":"{}"}}"#, "a".repeat(length));
        assert_eq!(named(&of(1)), Some(Some("a".to_owned())));
        assert_eq!(named(&of(64)), Some(Some("a".repeat(64))));
        assert_eq!(named(r#"{"dest_inc":null}"#), Some(None));
        for data in [&of(0), &of(65), r#"{"dest_inc":1}"#, "{}", "[]", "null"] {
            assert_eq!(named(data), None, "{data}");
        }
        let other = error(r#"{"code":"busy","data":{"dest_inc":"a"}}"#);
        assert_eq!(other.named_inc(), None);
        let quoted = WireError::stale_dest(Some("\"\\"));
        assert_eq!(quoted.named_inc(), Some(Some("\"\\".to_owned())));
    }

    #[test]
    fn none_of_the_new_codes_says_that_it_may_be_repeated() {
        use ErrorCode::{Expect, Expired, IdConflict, SlowConsumer, StaleDest};
        for code in [Expect, StaleDest, Expired, IdConflict, SlowConsumer] {
            assert!(ErrorCode::ALL.contains(&code) && !code.is_retryable());
        }
    }
}
