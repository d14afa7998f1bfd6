//! A handler's reply on its way back to the wire.

use super::scratch::Scratch;
use crate::event::{Answer, EventError};
use crate::wire::{self, ErrorCode, Json, RawData, WireError};

/// Where generated code writes what a handler returned: into a buffer of its thread, so that neither
/// a handler at work nor an idle link holds one, and an answer costs no allocation of its own.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct ReplyBuffer {
    data: Scratch,
    refusal: Option<Box<WireError>>,
}

impl ReplyBuffer {
    pub(crate) fn result(&self) -> Result<&[u8], &WireError> {
        match &self.refusal {
            None => Ok(&self.data),
            Some(error) => Err(error),
        }
    }

    pub(crate) fn refused(mut self, error: WireError) -> Self {
        self.refusal = Some(Box::new(error));
        self
    }

    pub(crate) fn fill<R: Answer, E: EventError>(mut self, result: Result<R, E>) -> Self {
        self.data = Scratch::of_thread();
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
                let error = refusal(&error, &mut self.data);
                self.refused(error)
            }
        }
    }
}

/// A handler's error as the wire's error object (`PROTOCOL.md` §5).
fn refusal<E: EventError>(error: &E, scratch: &mut Vec<u8>) -> WireError {
    scratch.clear();
    let data = match error.write_data(scratch) {
        Ok(true) => str::from_utf8(scratch)
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
