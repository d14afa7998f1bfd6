//! Login, rooms and relay on top of [`protocol_core`]: peers find each other at a rendezvous server.

mod bindings;
mod client;
mod config;
pub mod events;
mod handlers;
pub mod metrics;
mod my_rooms;
mod service;
pub mod state;
mod tokens;

#[cfg(feature = "program")]
#[doc(hidden)]
pub mod cli;

pub use bindings::{Bindings, BindingsError};
pub use client::LoginExt;
pub use config::{Config, Reach, Speaks};
pub use events::{Login, RoomNews, Rooms, SessionNews};
pub use handlers::{LoginPart, RoomsPart};
pub use my_rooms::{MyRooms, OutOfStep};
pub use service::Rendezvous;
pub use tokens::{MAX_TOKEN_BYTES, MIN_TOKEN_CHARACTERS, TokenProblem, Tokens, TokensError};
