//! Passes between the two ends themselves: that an answer is no longer awaited, that a session is over.

use serde::Deserialize;

use super::{FrameType, MAX_ID_BYTES, RawData, decode_data, write_head, write_tail};

/// Its name (`PROTOCOL.md` §3).
const NAME: &str = "cancel_request";

#[derive(Deserialize)]
struct CancelRequest {
    request_id: String,
}

/// Appends the word that nobody awaits the answer to the request `id`, a UUID.
pub(crate) fn write_cancel_request(out: &mut Vec<u8>, dest: Option<&str>, id: uuid::Uuid) {
    write_head(out, FrameType::Pass, dest, None, NAME);
    let mut text = uuid::Uuid::encode_buffer();
    out.extend_from_slice(br#"{"request_id":""#);
    out.extend_from_slice(id.hyphenated().encode_lower(&mut text).as_bytes());
    out.extend_from_slice(br#""}"#);
    write_tail(out, FrameType::Pass, None);
}

/// Appends the word that a session is over, so that nobody takes it up again.
pub(crate) fn write_session_over(out: &mut Vec<u8>) {
    write_head(out, FrameType::Pass, None, None, "session_over");
    out.extend_from_slice(b"{}");
    write_tail(out, FrameType::Pass, None);
}

/// The request that such a pass means; none where it says none that can be.
pub(crate) fn cancelled_request(data: RawData<'_>) -> Option<String> {
    let cancel: CancelRequest = decode_data(data).ok()?;
    (cancel.request_id.len() <= MAX_ID_BYTES).then_some(cancel.request_id)
}
