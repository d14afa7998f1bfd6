//! What a driver asks of the handlers behind it: to admit an event, then to handle it.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::connection::{
    Exchange, Incoming, Mode, Outgoing, RelayedAnswer, RelayedCall, Share, Tried,
};
use crate::event::{EventInfo, Kind};
use crate::ids::PeerId;
use crate::protocol::{AtClient, AtPeer, AtServer, Protocol, Sets};
use crate::router::{Context, Gate, Link, Relay, ReplyBuffer, Serve};
use crate::wire::{ErrorCode, WireError};

/// What became of an event that was not refused.
pub(crate) enum Admission<E> {
    /// It waits for its handler.
    Handle(Admitted<E>),
    /// It went on to another peer, whose answer is due if there is a call.
    Relayed(Option<RelayedCall>),
}

/// An event that was decoded and waits for its handler.
pub(crate) struct Admitted<E> {
    pub(crate) event: E,
    pub(crate) exchange: Exchange,
    pub(crate) concurrent: bool,
}

pub(crate) trait Service: Send + Sync + 'static {
    type Event: Send + 'static;

    fn admit(&self, incoming: &Incoming<'_>) -> Result<Admission<Self::Event>, WireError>;

    fn serve(
        &self,
        event: Self::Event,
        reply: ReplyBuffer,
    ) -> impl Future<Output = ReplyBuffer> + Send;
}

/// Finds an event among the sets of a direction and checks that it was sent as what it is.
fn locate<L: Sets>(incoming: &Incoming<'_>) -> Result<(usize, &'static EventInfo), WireError> {
    let found = L::locate(incoming.name).and_then(|index| Some((index, L::info(index)?)));
    let Some((index, info)) = found else {
        let text = "this end has no event of that name in this direction";
        return Err(WireError::new(ErrorCode::UnknownEvent, text));
    };
    let (sent_as, word) = match incoming.mode {
        Mode::Pass => (Kind::Pass, "pass"),
        Mode::ConfirmPass => (Kind::Pass, "confirmed pass"),
        Mode::Request => (Kind::Request, "request"),
        Mode::Reply => (Kind::Response, "response"),
    };
    if info.kind != sent_as {
        let text = format!(
            "`{}` is a {}, it was sent as a {word}",
            info.name, info.kind
        );
        return Err(WireError::new(ErrorCode::BadType, text));
    }
    let size = incoming.data.as_str().len();
    match info.max_size {
        Some(max) if size > max => {
            let text = format!(
                "the data of `{}` takes {size} bytes, the limit is {max}",
                info.name
            );
            Err(WireError::new(ErrorCode::TooLarge, text))
        }
        _ => Ok((index, info)),
    }
}

fn decode<L: Sets>(index: usize, incoming: &Incoming<'_>) -> Result<L::Event, WireError> {
    // A user's `Deserialize` may panic; that is this event's failure, not the link's.
    let decoded = catch_unwind(AssertUnwindSafe(|| L::decode(index, incoming.data)));
    match decoded {
        Ok(result) => result.map_err(WireError::from),
        Err(_) => Err(WireError::new(
            ErrorCode::Internal,
            "decoding the event panicked",
        )),
    }
}

fn admitted<E>(
    event: E,
    incoming: &Incoming<'_>,
    info: &'static EventInfo,
    from: Option<PeerId>,
) -> Admission<E> {
    Admission::Handle(Admitted {
        event,
        exchange: Exchange::new(incoming, info.name, from),
        concurrent: info.concurrent,
    })
}

/// A server's handlers for one connection.
pub(crate) struct AtServerService<P: Protocol, H, I> {
    pub(crate) cx: Context<P, AtServer>,
    pub(crate) handlers: Arc<H>,
    pub(crate) gate: Option<Arc<dyn Gate<P>>>,
    pub(crate) relay: Option<Arc<dyn Relay<P>>>,
    pub(crate) indices: PhantomData<fn() -> I>,
}

impl<P: Protocol, H, I> AtServerService<P, H, I> {
    /// Passes a frame on to the peer or the room that it is for (`PROTOCOL.md` §8).
    fn relay(&self, incoming: &Incoming<'_>, dest: &str) -> Result<Option<RelayedCall>, WireError> {
        let is_call = matches!(incoming.mode, Mode::ConfirmPass | Mode::Request);
        if dest.starts_with('#') && is_call {
            let text = "a room is many receivers: it cannot confirm or answer";
            return Err(WireError::new(ErrorCode::NotAllowed, text));
        }
        let Some(relay) = &self.relay else {
            let text = "this server does not relay: leave `dest` out";
            return Err(WireError::new(ErrorCode::PeerNotFound, text));
        };
        let Some(from) = self.cx.peer() else {
            let text = "log in before you send to others";
            return Err(WireError::new(ErrorCode::NotLoggedIn, text));
        };
        if incoming.name == "protocol_error" && incoming.mode == Mode::Pass {
            let text = "`protocol_error` is a word between the two ends of a link";
            return Err(WireError::new(ErrorCode::NotAllowed, text));
        }
        let me = self.cx.connection();
        let hub = self.cx.hub();
        let hub = hub.as_deref();
        let receiver = if incoming.mode == Mode::Reply {
            hub.and_then(|hub| hub.asker(me, dest))
        } else {
            relay.to_peer(&self.cx, dest, incoming.name)?;
            hub.and_then(|hub| {
                if is_call {
                    hub.ask(me, dest)
                } else {
                    hub.of_peer(dest)
                }
            })
        };
        let absent = || WireError::new(ErrorCode::PeerNotFound, "no such peer is logged in");
        let receiver = receiver.ok_or_else(absent)?;
        let mut frame = Vec::new();
        incoming.frame.relay(from, &mut frame);
        let (size, limit) = (frame.len() - 1, receiver.frame_out);
        if size > limit {
            let text = format!("the frame takes {size} bytes, the peer accepts {limit}");
            return Err(WireError::new(ErrorCode::TooLarge, text));
        }
        let tried = match incoming.mode {
            Mode::Reply => {
                let answer = RelayedAnswer::new(incoming, me, frame);
                receiver
                    .outbox
                    .try_push(Outgoing::Relayed(answer), Share::Whole)
            }
            _ => receiver
                .outbox
                .try_push(Outgoing::Frame(frame), Share::Half),
        };
        match tried {
            Tried::Queued => Ok(is_call.then(|| RelayedCall::new(incoming, receiver.id))),
            Tried::Closed => Err(absent()),
            Tried::Full => {
                let text = "the peer does not read fast enough: send again later";
                Err(WireError::new(ErrorCode::PeerSlow, text))
            }
        }
    }
}

impl<P, H, I> Service for AtServerService<P, H, I>
where
    P: Protocol,
    H: Send + Sync + 'static,
    P::ToServer: Serve<H, P, AtServer, I>,
    I: 'static,
{
    type Event = <P::ToServer as Sets>::Event;

    fn admit(&self, incoming: &Incoming<'_>) -> Result<Admission<Self::Event>, WireError> {
        if let Some(dest) = incoming.dest {
            return self.relay(incoming, dest).map(Admission::Relayed);
        }
        if let Some(gate) = &self.gate {
            gate.admit(&self.cx, incoming.name)?;
        }
        let (index, info) = locate::<P::ToServer>(incoming)?;
        let event = decode::<P::ToServer>(index, incoming)?;
        Ok(admitted(event, incoming, info, None))
    }

    fn serve(
        &self,
        event: Self::Event,
        reply: ReplyBuffer,
    ) -> impl Future<Output = ReplyBuffer> + Send {
        <P::ToServer as Serve<H, P, AtServer, I>>::serve(&*self.handlers, &self.cx, event, reply)
    }
}

/// A client's handlers: for what the server sends, and for what peers send through it.
pub(crate) struct AtClientService<P: Protocol, H, I, J> {
    pub(crate) cx: Context<P, AtClient>,
    pub(crate) link: Arc<Link>,
    pub(crate) handlers: Arc<H>,
    pub(crate) indices: PhantomData<fn() -> (I, J)>,
}

pub(crate) enum AtClientEvent<S, T> {
    OfServer(S),
    OfPeer(PeerId, T),
}

impl<P, H, I, J> Service for AtClientService<P, H, I, J>
where
    P: Protocol,
    H: Send + Sync + 'static,
    P::ToClient: Serve<H, P, AtClient, I>,
    P::ToPeer: Serve<H, P, AtPeer, J>,
    I: 'static,
    J: 'static,
{
    type Event = AtClientEvent<<P::ToClient as Sets>::Event, <P::ToPeer as Sets>::Event>;

    fn admit(&self, incoming: &Incoming<'_>) -> Result<Admission<Self::Event>, WireError> {
        let Some(from) = incoming.from else {
            let (index, info) = locate::<P::ToClient>(incoming)?;
            let event = AtClientEvent::OfServer(decode::<P::ToClient>(index, incoming)?);
            return Ok(admitted(event, incoming, info, None));
        };
        let from = PeerId::new(from)
            .map_err(|error| WireError::new(ErrorCode::BadFrame, format!("`from`: {error}")))?;
        let (index, info) = locate::<P::ToPeer>(incoming)?;
        let event = AtClientEvent::OfPeer(from.clone(), decode::<P::ToPeer>(index, incoming)?);
        Ok(admitted(event, incoming, info, Some(from)))
    }

    async fn serve(&self, event: Self::Event, reply: ReplyBuffer) -> ReplyBuffer {
        match event {
            AtClientEvent::OfServer(event) => {
                <P::ToClient as Serve<H, P, AtClient, I>>::serve(
                    &*self.handlers,
                    &self.cx,
                    event,
                    reply,
                )
                .await
            }
            AtClientEvent::OfPeer(from, event) => {
                let cx = Context::new(Arc::clone(&self.link), from);
                <P::ToPeer as Serve<H, P, AtPeer, J>>::serve(&*self.handlers, &cx, event, reply)
                    .await
            }
        }
    }
}
