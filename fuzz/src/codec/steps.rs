//! What a hostile network does, one byte a step and its arguments behind it.

/// Passes the next message on.
pub const PASS: u8 = 0;
/// Passes it on with one byte altered: the byte's place (two bytes) and a mask.
pub const FLIP: u8 = 1;
/// Drops it.
pub const DROP: u8 = 2;
/// Lets the one behind it go first.
pub const SWAP: u8 = 3;
/// Passes only its first bytes on: how many (two bytes).
pub const CUT: u8 = 4;
/// Sends bytes of its own: how many, and they.
pub const JUNK: u8 = 5;
/// Takes a copy of it.
pub const COPY: u8 = 6;
/// Sends the copy.
pub const REPEAT: u8 = 7;
/// Sends the attacked end what it said last itself.
pub const REFLECT: u8 = 8;
/// Has the genuine end send: which size.
pub const SAY: u8 = 9;
/// Has the attacked end send: which size.
pub const ANSWER: u8 = 10;
/// Has the genuine end say that it sends no more.
pub const FINISH: u8 = 11;
/// Steps that there are; any other byte is taken modulo this.
pub const COUNT: u8 = 12;
/// Has the genuine end send, and passes on, until its keys change two records later. It takes long,
/// so no other byte stands for it.
pub const REKEY: u8 = 0xb7;
