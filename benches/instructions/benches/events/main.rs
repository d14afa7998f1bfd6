//! What a server does for each event, to be counted in instructions: without sockets, on one thread,
//! with all buffers warm.

#![allow(
    missing_docs,
    reason = "what gungraun's macros make has no documentation"
)]

mod links;
mod place;
mod work;

use std::hint::black_box;

use gungraun::prelude::*;
use gungraun::{Callgrind, library_benchmark_group};
use protocol_core::wire::Frame;

use links::Exchange;
use work::Echo;

// From the struct of a request to its frame.
#[library_benchmark]
#[bench::request(work::to_encode())]
fn encode((echo, out): (Echo, Vec<u8>)) -> (Echo, Vec<u8>) {
    let out = work::encode(black_box(&echo), out);
    (echo, black_box(out))
}

// From the frame of a request to its struct.
#[library_benchmark]
#[bench::request(work::to_decode())]
fn decode(line: Vec<u8>) -> (Vec<u8>, Echo) {
    let frame = Frame::parse(black_box(&line)).expect("a frame");
    let echo = black_box(work::decode(&frame));
    (line, echo)
}

// From frames that were read to a handler of each, and to its answer.
#[library_benchmark(teardown = Exchange::check)]
#[bench::requests(place::requests())]
fn dispatch(mut exchange: Exchange) -> Exchange {
    exchange.run();
    exchange
}

// From one connection to another.
#[library_benchmark(teardown = Exchange::check)]
#[bench::passes(place::passes())]
fn relay(mut exchange: Exchange) -> Exchange {
    exchange.run();
    exchange
}

// From one connection to a hundred others.
#[library_benchmark(teardown = Exchange::check)]
#[bench::pass(place::pass_to_room())]
fn broadcast(mut exchange: Exchange) -> Exchange {
    exchange.run();
    exchange
}

library_benchmark_group!(
    name = events,
    benchmarks = [encode, decode, dispatch, relay, broadcast]
);

gungraun::main!(
    // Instructions alone: caches are a model of some machine.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = events
);
