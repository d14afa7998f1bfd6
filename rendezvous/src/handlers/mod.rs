//! Thin handlers: an event comes in, the state changes, the answer goes out.

mod gate;
mod login;
mod passwords;
mod rooms;

pub(crate) use passwords::Passwords;
