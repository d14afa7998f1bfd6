//! A handler that does nothing, for sets that an end does not care about.

use std::fmt;
use std::marker::PhantomData;

use crate::protocol::{PassSet, Protocol, Side};
use crate::router::mount::{Handle, Unheard};
use crate::router::{Context, ReplyBuffer};

/// Makes a handler that takes the events of set `S` and does nothing with them. A confirmed pass is
/// confirmed. A set with requests is refused by the compiler, since nobody would answer.
///
/// # Examples
///
/// ```
/// # use protocol_core::{Event, EventSet};
/// # #[derive(Debug, Event)] #[event(pass)] struct Dealt { card: u8 }
/// # #[derive(Debug, EventSet)] enum FromTable { Dealt(Dealt) }
/// use protocol_core::ignore;
///
/// // Goes to `Client::connect(addr).handle(…)`.
/// let nothing = ignore::<FromTable>();
/// ```
pub fn ignore<S: PassSet<()>>() -> Ignored<S> {
    Ignored(PhantomData)
}

/// The handler of [`ignore`].
pub struct Ignored<S>(PhantomData<fn() -> S>);

impl<S> Clone for Ignored<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Ignored<S> {}

impl<S> fmt::Debug for Ignored<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ignored")
    }
}

#[diagnostic::do_not_recommend]
impl<S: PassSet<()>, P: Protocol, W: Side> Handle<S, P, W, Unheard> for Ignored<S> {
    async fn handle(&self, _: &Context<P, W>, _: S, reply: ReplyBuffer) -> ReplyBuffer {
        reply
    }
}
