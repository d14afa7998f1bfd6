//! Login over real sockets: what is answered, who gets which name, who is kept out, how sessions
//! end, and what no log shows.

mod answers;
mod endings;
mod house;
mod ids;
mod log;
mod peer;
mod refusals;
mod secrets;
mod servers;
#[path = "../support/store.rs"]
mod store;
mod strangers;
