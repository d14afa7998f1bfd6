//! Clients in another language, those of `tests/python/`, and a typed one meet at the program and talk:
//! neither can tell what the other is written in.
#![cfg(feature = "program")]

mod encrypted;
mod interpreter;
mod meeting;
mod plain;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod process;
