//! Every way in which a call can end without what it asked for, and what to do about it.
//! Run it with `cargo run --example errors`; it prints one row a call and ends by itself.

use std::fmt::Display;
use std::time::Duration;

use protocol_core::{
    Client, Context, Event, EventError, EventSet, Limits, Protocol, RequestError, Server,
    ServerLimits,
};

#[derive(Debug, Event)]
#[event(request, response = Balance, error = Declined, max_size = "64B")]
struct Withdraw {
    cents: u64,
    note: String,
}

/// Answered after the given time only.
#[derive(Debug, Event)]
#[event(request, response = Balance)]
struct Audit {
    milliseconds: u64,
}

#[derive(Debug, Event)]
#[event(response)]
struct Balance(u64);

#[derive(Debug, thiserror::Error, EventError)]
enum Declined {
    #[error("only {left} cents are left")]
    TooLittle { left: u64 },
}

#[derive(Debug, EventSet)]
enum ToBank {
    Withdraw(Withdraw),
    Audit(Audit),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToBank)]
struct Bank;
