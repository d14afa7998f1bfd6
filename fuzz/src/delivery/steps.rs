//! What happens to streams, one byte a step and its arguments behind it.

/// Confirms a pass: to which end, of how many bytes, for how long.
pub const CONFIRM: u8 = 0;
/// Transmits: how many frames there is room for.
pub const TRANSMIT: u8 = 1;
/// Has a frame arrive: which.
pub const DELIVER: u8 = 2;
/// Has a copy of a frame arrive: which.
pub const REPEAT: u8 = 3;
/// Loses a frame: which.
pub const LOSE: u8 = 4;
/// Has a relay refuse a frame: which, and how.
pub const REFUSE: u8 = 5;
/// Ends a handler: of which end, and how.
pub const PROCESS: u8 = 6;
/// Has an answer arrive: which.
pub const ANSWER: u8 = 7;
/// Has a copy of an answer arrive: which.
pub const ANSWER_TWICE: u8 = 8;
/// Cuts all links; new ones stand at once.
pub const CUT: u8 = 9;
/// Lets time pass: how much.
pub const TIME: u8 = 10;
/// Starts an end anew: which.
pub const RESTART: u8 = 11;
/// Has whoever awaits a pass leave: which.
pub const LEAVE: u8 = 12;
/// Forges an acknowledgement: from which end, its number, where it begins, and its error.
pub const FORGE_ACK: u8 = 13;
/// Forges a refusal: from which end, of which pass, and how.
pub const FORGE_REFUSAL: u8 = 14;
/// Has a stranger send a numbered pass: to which end, its number and its base.
pub const STRAY: u8 = 15;
/// Has a stranger ask: which end, by which id, its number and its body.
pub const ASK: u8 = 16;
/// Ends a handler of a stranger's request: of which end, and how.
pub const REPLY: u8 = 17;
/// Steps that there are; any other byte is taken modulo this.
pub const COUNT: u8 = 18;
