//! The examples of the workspace; run one with `cargo run --example hello`.

/// Keeps the code of the `README.md` true: each block is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
