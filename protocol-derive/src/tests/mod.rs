//! What the derives refuse and what they expand to, without a compiler in between.

mod expansions;
mod refusals;
