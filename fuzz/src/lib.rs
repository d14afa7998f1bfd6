//! What must hold of the protocol whatever bytes a hostile peer sends, and in whatever order things
//! happen. Each target is a function of an input that panics where a law does not hold;
//! `fuzz_targets/` gives it to a fuzzer, `tests/` replays the committed corpus.
//!
//! Knows the public API alone. Opens no socket, and reads the clock only for a time to begin at, on
//! which nothing depends.

pub mod codec;
pub mod connection;
pub mod delivery;
pub mod envelope;
pub mod frame;
pub mod reference;
pub mod script;

/// A fuzz target, as what replays or writes its corpus sees it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of its program, and of its folder in `corpus/`.
    pub name: &'static str,
    /// Judges one input.
    pub run: fn(&[u8]),
    /// The inputs that a fuzzer starts from, by their file names.
    pub seeds: fn() -> Vec<(&'static str, Vec<u8>)>,
}

/// All targets. A new one is a line here, a `[[bin]]` and a file in `fuzz_targets/`.
pub const TARGETS: &[Target] = &[
    Target {
        name: "codec_server",
        run: |input| {
            codec::server(input);
        },
        seeds: codec::seeds::server,
    },
    Target {
        name: "codec_client",
        run: |input| {
            codec::client(input);
        },
        seeds: codec::seeds::client,
    },
    Target {
        name: "frame",
        run: |input| {
            frame::run(input);
        },
        seeds: frame::seeds::all,
    },
    Target {
        name: "envelope",
        run: |input| {
            envelope::run(input);
        },
        seeds: envelope::seeds::all,
    },
    Target {
        name: "delivery",
        run: |input| {
            delivery::run(input);
        },
        seeds: delivery::seeds::all,
    },
    Target {
        name: "connection",
        run: |input| {
            connection::run(input);
        },
        seeds: connection::seeds::all,
    },
];
