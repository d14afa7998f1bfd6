//! Both ends in one process, over a pipe: the same handlers and the same bytes, and time that
//! jumps to the next deadline.

mod deadlines;
mod pipe;
mod sphinx;
