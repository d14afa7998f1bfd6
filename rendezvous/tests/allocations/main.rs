//! What a server allocates: nothing for a frame that it relays but the buffer that it waits in, nothing
//! for a request but what its struct holds.
//!
//! A link that is idle holds little, whatever it did before.
//!
//! Only the server's thread is counted. Its clients are sockets with frames written by hand.
//! `ALLOCATION_TRACE=1` with `--nocapture` also prints where the allocations come from.

mod idle;
mod peer;
mod relayed;
mod requests;
mod rooms;
mod server;
mod tally;
mod work;

use counting_allocator::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;
