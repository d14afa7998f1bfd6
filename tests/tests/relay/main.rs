//! Clients that reach each other through a server: what arrives, who answers, and what becomes of
//! calls whose peer leaves, is slow or lies.

mod bytes;
mod ends;
mod farewells;
mod forged;
mod gone;
mod hall;
mod limits;
mod lines;
mod names;
mod policies;
mod rates;
mod slow;
mod strangers;
mod typed;
