//! How links begin and end, and what becomes of everything that was under way.

mod bulk;
mod closing;
mod connecting;
mod depot;
mod handler_closes;
mod handlers;
mod lost;
mod shutdown;
mod zeros;
