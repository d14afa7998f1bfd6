//! Rooms, through the public API and over real sockets: what each member hears and in which order,
//! how they are left, what slow, greedy and guessing clients come to, and how a server is extended.

mod bare;
mod basics;
mod commands;
mod crossings;
mod directory;
mod endings;
mod entering;
mod extending;
#[path = "../support/log.rs"]
mod log;
mod order;
mod passwords;
mod races;
mod rates;
mod reach;
mod relays;
mod shutdown;
mod slow;
#[path = "../support/store.rs"]
mod store;
mod values;
mod world;
