//! Which handler receives which set: values and tuples of values, found by inferred indices.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::protocol::{Either, EventSet, Never, Origin, PassSet, Protocol, Sets, Side};
use crate::router::{Context, InboxHandler, ReplyBuffer};
use crate::wire::{ErrorCode, WireError};

/// Set `Self` can hand its events to a handler of type `H`. Generated for the set's handler trait.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{H}` does not handle the event set `{Self}` of protocol `{P}`",
    label = "no handler for `{Self}`",
    note = "implement the set's handler trait, called like the set with `Handler` behind it, for `{H}` and this protocol"
)]
pub trait Dispatch<P: Protocol, W: Side, H>: EventSet {
    fn dispatch(
        self,
        handler: &H,
        cx: &Context<P, W>,
        reply: ReplyBuffer,
    ) -> impl Future<Output = ReplyBuffer> + Send;
}

/// `Self` handles set `S`; `I` says where in it the handler stands and is inferred.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "no handler for the event set `{S}` of protocol `{P}` is mounted",
    label = "no handler for `{S}` in here",
    note = "a value given to `.handle(…)` needs `impl {S}Handler<{P}, {W}> for …` (the last may be left out for `AtServer`); several values go into a tuple"
)]
pub trait Handle<S: EventSet, P: Protocol, W: Side, I> {
    fn handle(
        &self,
        cx: &Context<P, W>,
        event: S,
        reply: ReplyBuffer,
    ) -> impl Future<Output = ReplyBuffer> + Send;
}

/// Index of a value that implements the set's handler trait itself.
#[doc(hidden)]
#[derive(Debug)]
pub struct Itself;

/// Index of an inbox.
#[doc(hidden)]
#[derive(Debug)]
pub struct Queued;

/// Index of a handler that does nothing.
#[doc(hidden)]
#[derive(Debug)]
pub struct Unheard;

#[diagnostic::do_not_recommend]
impl<S, P, W, H> Handle<S, P, W, Itself> for H
where
    S: Dispatch<P, W, H>,
    P: Protocol,
    W: Side,
    H: Sync,
{
    fn handle(
        &self,
        cx: &Context<P, W>,
        event: S,
        reply: ReplyBuffer,
    ) -> impl Future<Output = ReplyBuffer> + Send {
        event.dispatch(self, cx, reply)
    }
}

#[diagnostic::do_not_recommend]
impl<S, T, P, W> Handle<S, P, W, Queued> for InboxHandler<S, T>
where
    S: PassSet<()>,
    T: Send + 'static,
    P: Protocol,
    W: Side,
{
    async fn handle(&self, cx: &Context<P, W>, event: S, reply: ReplyBuffer) -> ReplyBuffer {
        let origin = cx.origin();
        let (from, room) = (origin.peer().cloned(), origin.room().cloned());
        if self.put(from, room, event).await {
            reply
        } else {
            let text = "the inbox for this event was dropped";
            reply.refused(WireError::new(ErrorCode::Unavailable, text))
        }
    }
}

/// Index of a value behind an [`Arc`], so that its owner can keep it too.
#[doc(hidden)]
#[derive(Debug)]
pub struct Shared<I>(PhantomData<I>);

#[diagnostic::do_not_recommend]
impl<S, P, W, I, H> Handle<S, P, W, Shared<I>> for Arc<H>
where
    S: EventSet,
    P: Protocol,
    W: Side,
    H: Handle<S, P, W, I>,
{
    fn handle(
        &self,
        cx: &Context<P, W>,
        event: S,
        reply: ReplyBuffer,
    ) -> impl Future<Output = ReplyBuffer> + Send {
        H::handle(self, cx, event, reply)
    }
}

macro_rules! tuple {
    ($index:ident: $position:tt of $($handler:ident),+ => $found:ident) => {
        #[diagnostic::do_not_recommend]
        impl<S, P, W, I, $($handler),+> Handle<S, P, W, $index<I>> for ($($handler,)+)
        where
            S: EventSet,
            P: Protocol,
            W: Side,
            $found: Handle<S, P, W, I>,
        {
            fn handle(
                &self,
                cx: &Context<P, W>,
                event: S,
                reply: ReplyBuffer,
            ) -> impl Future<Output = ReplyBuffer> + Send {
                self.$position.handle(cx, event, reply)
            }
        }
    };
}

macro_rules! indices {
    ($($name:ident),+) => {$(
        /// Index of a tuple's part.
        #[doc(hidden)]
        #[derive(Debug)]
        pub struct $name<I>(PhantomData<I>);
    )+};
}

indices!(At0, At1, At2, At3, At4, At5, At6, At7);

tuple!(At0: 0 of A => A);
tuple!(At0: 0 of A, B => A);
tuple!(At1: 1 of A, B => B);
tuple!(At0: 0 of A, B, C => A);
tuple!(At1: 1 of A, B, C => B);
tuple!(At2: 2 of A, B, C => C);
tuple!(At0: 0 of A, B, C, D => A);
tuple!(At1: 1 of A, B, C, D => B);
tuple!(At2: 2 of A, B, C, D => C);
tuple!(At3: 3 of A, B, C, D => D);
tuple!(At0: 0 of A, B, C, D, E => A);
tuple!(At1: 1 of A, B, C, D, E => B);
tuple!(At2: 2 of A, B, C, D, E => C);
tuple!(At3: 3 of A, B, C, D, E => D);
tuple!(At4: 4 of A, B, C, D, E => E);
tuple!(At0: 0 of A, B, C, D, E, F => A);
tuple!(At1: 1 of A, B, C, D, E, F => B);
tuple!(At2: 2 of A, B, C, D, E, F => C);
tuple!(At3: 3 of A, B, C, D, E, F => D);
tuple!(At4: 4 of A, B, C, D, E, F => E);
tuple!(At5: 5 of A, B, C, D, E, F => F);
tuple!(At0: 0 of A, B, C, D, E, F, G => A);
tuple!(At1: 1 of A, B, C, D, E, F, G => B);
tuple!(At2: 2 of A, B, C, D, E, F, G => C);
tuple!(At3: 3 of A, B, C, D, E, F, G => D);
tuple!(At4: 4 of A, B, C, D, E, F, G => E);
tuple!(At5: 5 of A, B, C, D, E, F, G => F);
tuple!(At6: 6 of A, B, C, D, E, F, G => G);
tuple!(At0: 0 of A, B, C, D, E, F, G, H => A);
tuple!(At1: 1 of A, B, C, D, E, F, G, H => B);
tuple!(At2: 2 of A, B, C, D, E, F, G, H => C);
tuple!(At3: 3 of A, B, C, D, E, F, G, H => D);
tuple!(At4: 4 of A, B, C, D, E, F, G, H => E);
tuple!(At5: 5 of A, B, C, D, E, F, G, H => F);
tuple!(At6: 6 of A, B, C, D, E, F, G, H => G);
tuple!(At7: 7 of A, B, C, D, E, F, G, H => H);

/// Handlers `H` handle every set of the list `Self`; `I` lists the indices and is inferred. The
/// list is `Self` so that what the compiler says of a missing handler is said of its set.
#[doc(hidden)]
pub trait Serve<H, P: Protocol, W: Side, I>: Sets {
    fn serve(
        handlers: &H,
        cx: &Context<P, W>,
        event: Self::Event,
        reply: ReplyBuffer,
    ) -> impl Future<Output = ReplyBuffer> + Send;
}

impl<P: Protocol, W: Side, H: Sync> Serve<H, P, W, ()> for () {
    async fn serve(_: &H, _: &Context<P, W>, event: Never, _: ReplyBuffer) -> ReplyBuffer {
        match event {}
    }
}

/// A list without sets, for which no handler is needed.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "protocol `{P}` has events for this end, and no handler is named",
    label = "call `.handle(…)` before `.await`",
    note = "several values go into a tuple: `.handle((tables, chat))`"
)]
pub trait Unhandled<P: Protocol, W: Side>: Serve<(), P, W, ()> {}

impl<P: Protocol, W: Side> Unhandled<P, W> for () {}

impl<S, R, P, W, I, J, H> Serve<H, P, W, (I, J)> for (S, R)
where
    S: EventSet,
    R: Serve<H, P, W, J>,
    P: Protocol,
    W: Side,
    H: Handle<S, P, W, I> + Sync,
{
    fn serve(
        handlers: &H,
        cx: &Context<P, W>,
        event: Either<S, R::Event>,
        reply: ReplyBuffer,
    ) -> impl Future<Output = ReplyBuffer> + Send {
        match event {
            Either::First(event) => OneOf::First {
                future: handlers.handle(cx, event, reply),
            },
            Either::Rest(event) => OneOf::Rest {
                future: R::serve(handlers, cx, event, reply),
            },
        }
    }
}

pin_project! {
    /// One future or the other. An `async fn` around them would hold the event a second time.
    #[project = Chosen]
    enum OneOf<A, B> {
        First { #[pin] future: A },
        Rest { #[pin] future: B },
    }
}

impl<T, A: Future<Output = T>, B: Future<Output = T>> Future for OneOf<A, B> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<T> {
        match self.project() {
            Chosen::First { future } => future.poll(cx),
            Chosen::Rest { future } => future.poll(cx),
        }
    }
}
