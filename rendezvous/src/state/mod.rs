//! Who is here: names, sessions, attempts to log in. Synchronous code that knows no socket and
//! reads no clock; behind the [`Directory`] it may live elsewhere later.

mod attempts;
mod directory;
mod name;
mod sessions;

pub(crate) use attempts::{AttemptLimits, Attempts};
pub use directory::{Directory, InMemory};
pub use name::{MAX_NAME_CHARACTERS, Name, NameError, PeerName};
pub(crate) use sessions::Sessions;
pub use sessions::{OpenError, Session};
