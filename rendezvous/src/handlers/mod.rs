//! Thin handlers: an event comes in, the state changes, the answer goes out.

mod gate;
mod identity;
mod login;
mod parts;
mod passwords;
mod resume;
mod rooms;

pub use parts::{LoginPart, RoomsPart};
pub(crate) use passwords::Passwords;
