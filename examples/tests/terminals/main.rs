//! The examples that people type into, as processes.
//!
//! `cargo test -p protocol-examples` builds the examples first. With `--test terminals` alone it
//! does not: then `cargo build --examples` comes before.

mod by_hand;
mod process;
mod scripts;
