//! Somebody between a real client and a real server, over sockets, who may do anything to the bytes:
//! what each end finds, that nothing is handled which was not sent, and that nobody reads along.

mod attempt;
mod deeds;
mod downgrade;
mod ends;
mod handshake;
mod impostor;
mod pieces;
mod policies;
mod proxy;
mod records;
mod replays;
mod silence;
mod talk;
mod vault;
mod weak_keys;
