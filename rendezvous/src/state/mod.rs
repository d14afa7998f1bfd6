//! Who is here: names and sessions. Synchronous; the clock, ids and connections are passed in.

mod name;

pub use name::{Name, NameError};
