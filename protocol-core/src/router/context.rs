//! What a handler knows and can do: who sent the event, and the way back.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::codec::PeerIdentity;
use crate::connection::SessionTerms;
use crate::error::{CloseReason, RequestError, SendError};
use crate::event::{Pass, Request};
use crate::ids::{ConnectionId, PeerId, RoomId};
use crate::protocol::{
    AtPeer, AtServer, ClientSide, Includes, Origin, Protocol, Side, ToClient, Travels,
};
use crate::router::link::OpenSession;
use crate::router::send;
use crate::router::target::{Recipient, Remote, Remotes};
use crate::router::{Call, Hub, Link, LinkRef, LinkStatus, Outlet, Peer, Room};

/// The connection that an event came from, as its handler sees it.
///
/// `W` is the side on which the handler stands: [`AtServer`], where it sends back to the client;
/// [`AtClient`](crate::AtClient), where it sends to the server; or [`AtPeer`], where it sends to
/// the peer that the event came from.
///
/// A handler may call back while it runs: answers are read beside it. Two handlers that wait for
/// each other end by their deadline.
pub struct Context<P, W: Side = AtServer> {
    link: Arc<Link>,
    origin: W::Origin,
    protocol: PhantomData<fn() -> P>,
}

impl<P: Protocol, W: Side> Context<P, W> {
    pub(crate) fn new(link: Arc<Link>, origin: W::Origin) -> Self {
        Self {
            link,
            origin,
            protocol: PhantomData,
        }
    }

    /// Sends a pass back.
    ///
    /// # Errors
    ///
    /// Where it never left this end; see [`SendError`].
    pub fn send<E, S>(&self, event: E) -> Call<'_, Result<(), SendError>>
    where
        E: Pass + Travels<S, P, W::Out>,
    {
        send::send(
            LinkRef::Borrowed(&self.link),
            self.origin.peer().map(PeerId::as_str),
            &event,
        )
    }

    /// Sends a pass back and waits until the other end's handler has processed it.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn confirm<E, S>(&self, event: E) -> Call<'_, Result<(), RequestError<E::Error>>>
    where
        E: Pass + Travels<S, P, W::Out>,
    {
        send::confirm(LinkRef::Borrowed(&self.link), self.origin.peer(), &event)
    }

    /// Sends a request back and waits for the other end's answer.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn request<E, S>(&self, event: E) -> Call<'_, Result<E::Response, RequestError<E::Error>>>
    where
        E: Request + Travels<S, P, W::Out>,
    {
        send::request(LinkRef::Borrowed(&self.link), self.origin.peer(), &event)
    }

    /// Why the link has ended, once it has. It counts as the end where the other end has said that
    /// it sends no more, though what is due to it is still written.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.link.outbox.leave_reason()
    }

    /// Waits for the link's end. A handler keeps running when its link is lost; one that has long
    /// work may watch for this. Behind 64 KiB of events that wait for the handler, the end is found
    /// only when the handler is done.
    pub async fn closed(&self) -> CloseReason {
        self.link.left().await
    }

    pub(crate) fn origin(&self) -> &W::Origin {
        &self.origin
    }
}

impl<P: Protocol> Context<P, AtServer> {
    /// The connection that the event came by, unique while the process runs.
    pub fn connection(&self) -> ConnectionId {
        self.link.id
    }

    /// The client's address; none over an in-memory pipe.
    pub fn address(&self) -> Option<SocketAddr> {
        self.link.address()
    }

    /// Who the client proved to be: on an encrypted link the holder of its key, whatever it calls
    /// itself.
    pub fn identity(&self) -> PeerIdentity {
        self.link.identity
    }

    /// The peer that this connection speaks for, once [`identify`](Self::identify) said so. Events
    /// that had arrived when the link was lost are still handled; by then the name may have gone to
    /// another connection.
    pub fn peer(&self) -> Option<&PeerId> {
        self.link.peer.get()
    }

    /// Lets this connection be reached as `peer` from now on: by `server.to(&peer)`, by
    /// `cx.to(&peer)` and, where the server relays, by other clients. The connection may use the
    /// relay itself, and the bounds for strangers hold no more. A connection keeps its first name.
    ///
    /// Returns `false`, and changes nothing, where another connection has the name or this one has
    /// another.
    #[must_use = "the name may be taken"]
    pub fn identify(&self, peer: PeerId) -> bool {
        self.hub().is_some_and(|hub| hub.identify(&self.link, peer))
    }

    /// Does `farewell` once the connection is gone: nothing can be sent to it any more, and its name
    /// is free. If it is gone already, at once. Must be quick; long work goes into a task. Whoever
    /// closes the connection does it, before [`close`](Self::close) returns: so hold no lock there that
    /// `farewell` takes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::{Arc, Mutex};
    /// # use protocol_core::{Context, Protocol};
    /// fn seat<P: Protocol>(cx: &Context<P>, taken: &Arc<Mutex<Vec<u64>>>, seat: u64) {
    ///     taken.lock().unwrap().push(seat);
    ///     let taken = Arc::clone(taken);
    ///     cx.on_leave(move || taken.lock().unwrap().retain(|other| *other != seat));
    /// }
    /// ```
    pub fn on_leave(&self, farewell: impl FnOnce() + Send + 'static) {
        self.link.on_leave(Box::new(farewell));
    }

    /// Opens the session of this connection under `terms`: confirmed passes and requests are numbered
    /// where the client understands that, and where `grace` is more than zero, the session goes on for
    /// so long without a link (`PROTOCOL.md` §12). Once; a second call changes nothing.
    ///
    /// With a `grace` the connection ends by [`close`](Self::close), by a violation, or when the grace
    /// is over, not with its link. Until then its name is taken, and what its client must not miss is
    /// kept.
    pub fn open_session(&self, terms: SessionTerms, grace: Duration) {
        let _ = self.link.session.set(OpenSession {
            terms: terms.into(),
            grace,
        });
        // A task beside the handlers may say so while the link is at rest.
        self.link.outbox.call();
    }

    /// Hands this connection's link over to the session of `connection`, once the event that is being
    /// handled is answered; the link that the session has is given up. The client has `received` frames
    /// of the session; those after them that it must not miss are sent again.
    ///
    /// Returns the session's grace; none, and changes nothing, where that session is over, is another
    /// key's, or of another life than `inc`, or where frames after `received` are no longer kept.
    #[must_use = "the session may be over"]
    pub fn resume_session(
        &self,
        connection: ConnectionId,
        inc: Option<&str>,
        received: u64,
    ) -> Option<Duration> {
        let target = self.hub()?.of_connection(connection)?;
        let grace = target.session.get()?.grace;
        let may = self.link.hand_over_to(target, inc, received);
        may.then_some(grace)
    }

    /// The life that the client of another connection has declared.
    pub fn inc_of(&self, connection: ConnectionId) -> Option<String> {
        let link = self.hub()?.of_connection(connection)?;
        link.inc().map(ToOwned::to_owned)
    }

    /// Hears when the link of this connection's session is lost, and when there is another. Must be
    /// quick; long work goes into a task.
    pub fn on_link(&self, watcher: impl FnMut(LinkStatus) + Send + 'static) {
        self.link.watch(Box::new(watcher));
    }

    /// Counts the link as lost from now on where nothing arrives for
    /// [`Limits::silence`](crate::Limits::silence): the client has shown that it sends a sign of life
    /// now and then. `received` is how many frames of the session it has.
    ///
    /// Returns whether the client has heard something on the link that it has now: the answer by which
    /// it took the session up again, or more.
    pub fn expect_heartbeats(&self, received: Option<u64>) -> bool {
        self.link.beats.store(true, Ordering::Relaxed);
        if let Some(received) = received {
            self.link.received.fetch_max(received, Ordering::Relaxed);
        }
        self.link.outbox.call();
        received.is_some_and(|received| received > self.link.resumed_at.load(Ordering::Relaxed))
    }

    /// Another client of this server.
    pub fn to(&self, recipient: impl Into<Recipient>) -> Remote<P> {
        Remote::find(self.hub().as_deref(), recipient.into())
    }

    /// Several clients of this server; those that are not connected are left out.
    pub fn to_many<R: Into<Recipient>>(
        &self,
        recipients: impl IntoIterator<Item = R>,
    ) -> Remotes<P> {
        match self.hub() {
            Some(hub) => Remotes::find(&hub, recipients),
            None => Remotes::new(Vec::new()),
        }
    }

    /// A way to this client for the passes of set `S`, to be kept in state of your own, whatever
    /// protocol the state serves.
    pub fn outlet<S>(&self) -> Outlet<S>
    where
        P: Includes<ToClient, S>,
    {
        Outlet::new(Arc::clone(&self.link))
    }

    /// Counts frames that others receive because of this event, or other work that it makes, against
    /// the connection's [`deliveries_per_second`](crate::RateLimits::deliveries_per_second).
    pub fn charge(&self, deliveries: usize) {
        self.link.charge(deliveries);
    }

    /// Gives other connections their turn soon: this event has filled the queue of one that may well
    /// keep up once it gets to write; see [`Put::Crowded`](crate::Put::Crowded).
    pub fn make_way(&self) {
        self.link.make_way();
    }

    /// Closes the connection. Its peer's name is free at once; what was sent to it is still written,
    /// and the answer to the event that is being handled. Later events of it are refused with
    /// `shutting_down`.
    pub fn close(&self) {
        self.link.close();
    }

    /// The longest frame that a client of this server accepts.
    pub(crate) fn frame_out(&self) -> usize {
        self.link.frame_out
    }

    /// The life that the client has declared.
    pub(crate) fn inc(&self) -> Option<&str> {
        self.link.inc()
    }

    pub(crate) fn hub(&self) -> Option<Arc<Hub>> {
        self.link.hub()
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }
}

impl<P: Protocol, W: ClientSide> Context<P, W> {
    /// Another client, reached through the server.
    pub fn to(&self, peer: &PeerId) -> Peer<'_, P> {
        Peer::new(&self.link, peer)
    }

    /// All other members of a room, reached through the server.
    pub fn to_room(&self, room: &RoomId) -> Room<'_, P> {
        Room::new(&self.link, room)
    }
}

impl<P: Protocol> Context<P, AtPeer> {
    /// The peer that sent the event.
    pub fn from(&self) -> &PeerId {
        &self.origin.peer
    }

    /// The room that the event was sent to, by the server's word; none where it was sent to this
    /// client alone. What a handler sends back goes to the peer, not to the room.
    pub fn room(&self) -> Option<&RoomId> {
        self.origin.room.as_ref()
    }
}

impl<P, W: Side> Clone for Context<P, W> {
    fn clone(&self) -> Self {
        Self {
            link: Arc::clone(&self.link),
            origin: self.origin.clone(),
            protocol: PhantomData,
        }
    }
}

impl<P, W: Side> std::fmt::Debug for Context<P, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("connection", &self.link.id)
            .field("from", &self.origin.peer())
            .finish_non_exhaustive()
    }
}
