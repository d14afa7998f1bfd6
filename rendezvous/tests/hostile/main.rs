//! Clients that mean harm, against the program as a process of its own: its memory stays flat, and
//! two honest clients reach each other through it all the while.
#![cfg(feature = "program")]

mod attacked;
mod deaf;
mod floods;
mod forgeries;
mod lines;
#[path = "../login/peer.rs"]
mod peer;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod process;
mod reconnects;
mod rooms;
mod silence;
