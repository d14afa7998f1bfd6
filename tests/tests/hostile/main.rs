//! Peers that break the rules, over real sockets, against a real server: what they are told, what
//! they cannot take from others, and that nothing hangs.

mod counted;
mod desk;
mod ends;
mod events;
mod floods;
mod frames;
mod links;
mod peer;
mod servers;
mod streams;
