//! Frames and their bytes: the envelope around an event, its data and its errors, as JSON lines.
//!
//! The only place that knows JSON. Must not know sockets, time, connections or what an event
//! means; it borrows from the caller's buffer on the way in and appends to it on the way out.
//!
//! ```
//! use protocol_core::wire::{self, Body, Frame, FrameType};
//!
//! let mut out = Vec::new();
//! wire::write_head(&mut out, FrameType::Request, Some("bob"), None, "add");
//! wire::write_data(&mut out, &[1, 2])?;
//! wire::write_tail(&mut out, FrameType::Request, Some("0193-2"));
//!
//! let line = out.strip_suffix(b"\n").unwrap();
//! let frame = Frame::parse(line)?;
//! assert_eq!(frame.dest.as_deref(), Some("bob"));
//! let Body::Request { id, name, data } = frame.body else { unreachable!() };
//! assert_eq!((&*id, &*name), ("0193-2", "add"));
//! assert_eq!(wire::decode_data::<(u8, u8)>(data)?, (1, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod cancel;
mod data;
mod delivery;
mod envelope;
mod error;
mod fault;
mod frame;
mod json;
mod lines;
mod name;
mod raw;
mod relay;
mod scan;
mod text;
mod write;

pub use answer::{write_acknowledgement, write_error_response, write_protocol_error};
pub(crate) use cancel::{cancelled_request, write_cancel_request, write_session_over};
pub use data::{DataError, decode_data};
pub use delivery::{Delivery, write_delivery};
pub use error::{ErrorCode, WireError};
pub use fault::FrameError;
pub use frame::{Body, Frame};
pub use json::Json;
pub use lines::{Line, LineSplitter, TooLong};
pub use name::{
    MAX_ADDRESS_BYTES, MAX_DEPTH, MAX_FRAME_BEFORE_LOGIN, MAX_FRAME_CLIENT, MAX_FRAME_SERVER,
    MAX_ID_BYTES, MAX_NAME_BYTES, MAX_SEQ, RESERVED, valid_name,
};
pub use raw::RawData;
pub use write::{EncodeError, FrameType, write_data, write_head, write_tail};
