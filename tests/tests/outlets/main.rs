//! State that keeps ways to its clients: what is put into them arrives in order or ends the link,
//! and a relay gives one frame to many.

mod board;
mod inboxes;
mod order;
mod rooms;
