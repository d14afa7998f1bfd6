//! Login, rooms and relay on top of [`protocol_core`]: peers find each other at a rendezvous server.

mod client;
mod config;
pub mod events;
mod handlers;
mod my_rooms;
mod service;
pub mod state;

#[cfg(feature = "program")]
#[doc(hidden)]
pub mod cli;

pub use client::LoginExt;
pub use config::{Config, Reach, Speaks};
pub use events::{Login, RoomNews, Rooms, SessionNews};
pub use handlers::{LoginPart, RoomsPart};
pub use my_rooms::{MyRooms, OutOfStep};
pub use service::Rendezvous;
