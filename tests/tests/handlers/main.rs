//! What handlers may do, in which order they run, and what becomes of those that fail.

mod blocking;
mod callbacks;
mod concurrent;
mod failing;
mod full_inboxes;
mod gates;
mod inboxes;
mod mounts;
mod order;
mod sends;
