//! Thin handlers: an event comes in, the state changes, the answer goes out.

mod gate;
mod login;
