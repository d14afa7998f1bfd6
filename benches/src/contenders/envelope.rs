//! The project's envelope, written by hand: what the floors put on the wire.
//!
//! Knows no socket. The bytes are those of the project's own frames.

use std::borrow::Cow;

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::work::Work;

const NAME: &str = "echo";

/// An id as long as a UUID that costs next to nothing to make: a prefix and a counter in decimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestId([u8; Self::LEN]);

impl RequestId {
    pub(super) const LEN: usize = 36;

    pub(super) fn first() -> Self {
        Self(*b"01934f2c-7b1a-7c3e-9d55-000000000000")
    }

    pub(super) fn advance(&mut self) {
        for digit in self.0.iter_mut().rev() {
            match *digit {
                b'9' => *digit = b'0',
                b'-' => return,
                _ => {
                    *digit += 1;
                    return;
                }
            }
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Debug, Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    request_id: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Appends the frame of a request, line end included.
pub(super) fn write_request(work: &Work, id: &RequestId, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(br#"{"type":"request","name":"echo","data":"#);
    serde_json::to_writer(&mut *out, work)?;
    out.extend_from_slice(br#","request_id":""#);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b"\"}\n");
    Ok(())
}

/// The server's whole work: decodes a request to the struct and appends the answer's frame.
pub(super) fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let request: Envelope<'_> = serde_json::from_slice(line)?;
    ensure!(
        request.kind == "request" && request.name == NAME,
        "the server expects a request of `{NAME}`"
    );
    let work: Work = serde_json::from_str(request.data.get())?;
    out.extend_from_slice(br#"{"type":"response","name":"echo","data":"#);
    serde_json::to_writer(&mut *out, &work)?;
    out.extend_from_slice(br#","request_id":"#);
    // The id is the client's own: escaped like any string from outside.
    serde_json::to_writer(&mut *out, &request.request_id)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// Decodes an answer to the struct, and fails if it is not the answer to `id`.
pub(super) fn read_response(line: &[u8], id: &RequestId) -> Result<Work> {
    let response: Envelope<'_> = serde_json::from_slice(line)?;
    ensure!(
        response.kind == "response" && response.name == NAME,
        "the client expects a response of `{NAME}`"
    );
    ensure!(
        response.request_id.as_bytes() == id.as_bytes(),
        "an answer to another request: {}",
        response.request_id
    );
    Ok(serde_json::from_str(response.data.get())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count() {
        let mut id = RequestId::first();
        for _ in 0..1_000 {
            id.advance();
        }
        assert_eq!(id.as_bytes(), b"01934f2c-7b1a-7c3e-9d55-000000001000");
    }

    #[test]
    fn a_request_is_answered_with_its_work_and_id() -> Result<()> {
        let (work, id) = (Work::new(7), RequestId::first());
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        write_request(&work, &id, &mut asked)?;
        answer(&asked, &mut answered)?;
        assert_eq!(read_response(&answered, &id)?, work);
        assert_eq!(
            String::from_utf8(answered)?,
            concat!(
                r#"{"type":"response","name":"echo","data":{"id":7,"name":"Wanderer-of-Oaks","#,
                r#""tags":["explorer","redguild","level-42"],"pos":[1523.75,-48.0625,307.5]},"#,
                r#""request_id":"01934f2c-7b1a-7c3e-9d55-000000000000"}"#,
                "\n"
            )
        );
        Ok(())
    }

    #[test]
    fn an_answer_to_another_request_is_refused() -> Result<()> {
        let mut id = RequestId::first();
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        write_request(&Work::new(7), &id, &mut asked)?;
        answer(&asked, &mut answered)?;
        id.advance();
        assert!(read_response(&answered, &id).is_err());
        Ok(())
    }
}
