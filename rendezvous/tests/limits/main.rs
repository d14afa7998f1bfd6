//! Limits in virtual time, and what is counted of them: those who do not read, what they miss, and
//! when their sessions end.

mod confirmed;
mod counted;
mod dropped;
mod meeting;
mod overflowed;
mod relayed;
mod stalled;
