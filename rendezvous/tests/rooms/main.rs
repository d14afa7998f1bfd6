//! Rooms, through the public API and over real sockets.

mod basics;
mod world;
