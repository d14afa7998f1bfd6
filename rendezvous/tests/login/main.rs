//! Login over real sockets: what is answered, who gets which name, by which key or token, who is kept
//! out, how sessions end, and what no log shows.

mod answers;
mod endings;
mod full_disk;
mod house;
mod ids;
mod kept;
mod keyed;
mod keys;
mod limited;
mod log;
mod numbered;
mod peer;
mod races;
mod refusals;
mod secrets;
mod servers;
#[path = "../support/store.rs"]
mod store;
mod strangers;
mod tokens;
