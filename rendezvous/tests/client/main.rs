//! `rendezvous client` as its users meet it: scripts on standard input, and a terminal.

mod cut_off;
mod encrypted;
mod events;
mod failures;
// Only there a server can be told to stop in order.
#[cfg(unix)]
mod forgotten;
mod hostile;
mod pinned;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod process;
mod rooms;
mod scripts;
mod sealed;
#[cfg(target_os = "linux")]
mod stuck;
mod talk;
// The dependency that opens a terminal knows no other system.
#[cfg(unix)]
mod terminal;
mod tokens;
