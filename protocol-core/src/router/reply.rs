//! A handler's reply on its way back to the wire.

use std::mem;

use crate::event::{Answer, EventError};
use crate::wire::{self, ErrorCode, Json, RawData, WireError};

/// Bytes that an idle link keeps for its next answer.
const KEPT_BYTES: usize = 1_024;

/// Where generated code writes what a handler returned. Moves into the handler's future and out
/// again, so that an answer costs no allocation of its own.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct ReplyBuffer {
    data: Vec<u8>,
    refusal: Option<Box<WireError>>,
}

impl ReplyBuffer {
    pub(crate) fn result(&self) -> Result<&[u8], &WireError> {
        match &self.refusal {
            None => Ok(&self.data),
            Some(error) => Err(error),
        }
    }

    pub(crate) fn clear(mut self) -> Self {
        self.data.clear();
        self.refusal = None;
        self
    }

    /// Frees what a long answer took.
    pub(crate) fn release_idle(&mut self) {
        if self.data.capacity() > KEPT_BYTES {
            self.data = Vec::new();
        }
    }

    pub(crate) fn refused(mut self, error: WireError) -> Self {
        self.refusal = Some(Box::new(error));
        self
    }

    pub(crate) fn fill<R: Answer, E: EventError>(mut self, result: Result<R, E>) -> Self {
        match result {
            // A pass is answered with `()`, which is no data.
            Ok(_) if R::TYPE.is_none() => self,
            Ok(response) => match wire::write_data(&mut self.data, &response) {
                Ok(()) => self,
                Err(error) => self.refused(WireError::new(
                    ErrorCode::Internal,
                    format!("the answer cannot be written: {error}"),
                )),
            },
            Err(error) => {
                let error = refusal(&error, mem::take(&mut self.data));
                self.refused(error)
            }
        }
    }
}

/// A handler's error as the wire's error object (`PROTOCOL.md` §5).
fn refusal<E: EventError>(error: &E, mut scratch: Vec<u8>) -> WireError {
    scratch.clear();
    let data = match error.write_data(&mut scratch) {
        Ok(true) => str::from_utf8(&scratch)
            .ok()
            .and_then(|text| RawData::parse(text).ok())
            .map(RawData::to_json),
        Ok(false) => None,
        Err(error) => {
            let text = format!("the refusal cannot be written: {error}");
            return WireError::new(ErrorCode::Internal, text);
        }
    };
    WireError {
        code: error.code().into(),
        message: error.to_string(),
        data: data.filter(|data: &Json| data.get() != "null"),
    }
}
