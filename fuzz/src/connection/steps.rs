//! What happens to two connections, one byte a step and its arguments behind it. The byte's highest bit
//! says to which of the two: the client, or the server.

/// Has bytes arrive that the other end wrote: how many (two bytes).
pub const ARRIVE: u8 = 0;
/// Takes events: how many, and what is said to them.
pub const EVENTS: u8 = 1;
/// Reads on while a handler is at work.
pub const ASIDE: u8 = 2;
/// Answers an event: which, and how.
pub const ANSWER: u8 = 3;
/// Sends a call: of which kind, with how much data, and how long it may take.
pub const CALL: u8 = 4;
/// Has a caller leave: which.
pub const LEAVE: u8 = 5;
/// Writes: how many bytes get through (two bytes).
pub const WRITE: u8 = 6;
/// Finds that nothing can be written.
pub const BLOCKED: u8 = 7;
/// Lets time pass at both ends: how much.
pub const TIME: u8 = 8;
/// Asks for the end: how.
pub const END: u8 = 9;
/// Begins a session: under which terms.
pub const BEGIN: u8 = 10;
/// Cuts the link.
pub const CUT: u8 = 11;
/// Links both ends again.
pub const LINK: u8 = 12;
/// Sends what must not be missed.
pub const HELD: u8 = 13;
/// Takes note of how many frames the other end has.
pub const NOTE: u8 = 14;
/// Takes note that the other end is known, lives, or that the link is idle.
pub const TEND: u8 = 15;
/// Has any bytes arrive: how many, and they. Of a hostile end only.
pub const BYTES: u8 = 16;
/// Has a frame arrive that plays with numbers: see `frames`. Of a hostile end only.
pub const FRAME: u8 = 17;
/// Steps that there are; any other byte is taken modulo this.
pub const COUNT: u8 = 18;
/// The server's.
pub const SERVER: u8 = 0x80;
