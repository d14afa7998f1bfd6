//! Who is here and in which rooms: names, sessions, the keys that ids
//! are bound to, rooms, attempts to log in. Synchronous code that
//! knows no socket and reads no clock; behind the [`Directory`] it may live elsewhere later.

mod attempts;
mod bindings;
mod code;
mod directory;
mod name;
mod resume_token;
pub mod rooms;
mod sessions;

pub(crate) use attempts::{AttemptLimits, Attempts};
pub(crate) use bindings::{Change, Day, Table, is_id};
pub(crate) use code::code;
pub use directory::{Applied, Directory, InMemory, Line};
pub use name::{MAX_NAME_CHARACTERS, Name, NameError, PeerName};
pub use resume_token::ResumeToken;
pub(crate) use sessions::Sessions;
pub use sessions::{OpenError, ResumeError, Session};
