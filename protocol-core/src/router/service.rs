//! What a driver asks of the handlers behind it: to admit an event, then to handle it.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::connection::{
    CallKey, Exchange, Incoming, Mode, Outgoing, RelayedAnswer, RelayedCall, Share, Tried,
};
use crate::event::{EventInfo, Kind};
use crate::ids::{PeerId, RoomId};
use crate::protocol::{AtClient, AtPeer, AtServer, Protocol, Sender, Sets};
use crate::router::outlet::deliveries;
use crate::router::scratch::Scratch;
use crate::router::spare;
use crate::router::{Context, Gate, Hub, Link, Receivers, Relay, ReplyBuffer, Serve, Way};
use crate::wire::{Body, ErrorCode, Frame, WireError};

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

/// Whether an answer belongs to a stream, so that a relay remembers nothing of what it answers.
fn is_numbered_reply(frame: &Frame<'_>) -> bool {
    let is_numbered = frame.delivery.seq.is_some() || frame.delivery.ack.is_some();
    is_numbered && matches!(frame.body, Body::Acknowledgement { .. })
}

/// A server's handlers for one connection.
pub(crate) struct AtServerService<P: Protocol, H, I> {
    pub(crate) cx: Context<P, AtServer>,
    pub(crate) hub: Arc<Hub>,
    /// To the peer that something was last relayed to. Only the link's driver takes it.
    pub(crate) way: Mutex<Way>,
    pub(crate) handlers: Arc<H>,
    pub(crate) gates: Arc<[Arc<dyn Gate<P>>]>,
    pub(crate) relays: Arc<[Arc<dyn Relay<P>>]>,
    pub(crate) indices: PhantomData<fn() -> I>,
}

impl<P: Protocol, H, I> AtServerService<P, H, I> {
    /// Passes a frame on to the peer that it is for (`PROTOCOL.md` §8).
    fn relay(&self, incoming: &Incoming<'_>, dest: &str) -> Result<Option<RelayedCall>, WireError> {
        let (mode, me) = (incoming.mode, self.cx.link());
        let from = self.may_relay(incoming, dest)?;
        if let Some(room) = dest.strip_prefix('#') {
            return self.relay_to_room(incoming, from, room).map(|()| None);
        }
        let delivery = &incoming.frame.delivery;
        // What is numbered its sender sends again until its receiver answers, so nothing is kept of it.
        let is_call = match mode {
            Mode::ConfirmPass => delivery.seq.is_none(),
            Mode::Reply => !is_numbered_reply(incoming.frame),
            Mode::Pass => false,
            Mode::Request => true,
        };
        let stamp = self.cx.inc().filter(|_| {
            mode == Mode::Reply || delivery.seq.is_some() || delivery.from_inc.is_some()
        });
        let frame = || {
            let mut frame = spare::buffer(incoming.frame.relayed_size(from, stamp));
            incoming.frame.relay(from, stamp, &mut frame);
            frame
        };
        let absent = || WireError::new(ErrorCode::PeerNotFound, "no such peer is logged in");
        let mut way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_call {
            let receiver = self.hub.reach(me, &mut way, dest).ok_or_else(absent)?;
            return Self::pass_on(incoming, receiver, frame()).map(|()| None);
        }
        let call = CallKey::of(incoming);
        if mode == Mode::Reply {
            let asker = self.hub.answer(me, &mut way, dest, call);
            let asker = asker.ok_or_else(absent)?;
            let frame = frame();
            // What is too long for the asker ends its call like what finds no room.
            let fits = frame.len() - 1 <= asker.frame_out;
            let answer = RelayedAnswer::with_key(call, me.id, fits.then_some(frame));
            asker.outbox.push_answer(answer);
            return Ok(None);
        }
        let asked = self.hub.ask(me, &mut way, dest, call);
        let (receiver, is_new_call) = asked.ok_or_else(absent)?;
        match Self::pass_on(incoming, receiver, frame()) {
            Ok(()) => {
                let call = RelayedCall::with_key(call, incoming, receiver.id);
                Ok(Some(call.new_to_hub(is_new_call)))
            }
            Err(refusal) => {
                if is_new_call {
                    self.hub.settle(me.id, receiver.id, call);
                }
                Err(refusal)
            }
        }
    }

    /// Queues a frame for its receiver, without waiting.
    fn pass_on(incoming: &Incoming<'_>, receiver: &Link, frame: Vec<u8>) -> Result<(), WireError> {
        if receiver.is_down() {
            receiver.note_dropped(incoming.mode == Mode::Pass);
            let text = "the peer has lost its link and may come back: send again later";
            return Err(WireError::new(ErrorCode::PeerReconnecting, text));
        }
        let delivery = &incoming.frame.delivery;
        let is_call = matches!(incoming.mode, Mode::ConfirmPass | Mode::Request);
        if is_call && delivery.seq.is_some() {
            // One who has declared no life takes no numbers.
            let is_theirs = |inc| delivery.dest_inc.as_deref() == Some(inc);
            if !receiver.inc().is_some_and(is_theirs) {
                return Err(WireError::stale_dest(receiver.inc()));
            }
        }
        let (size, limit) = (frame.len() - 1, receiver.frame_out);
        if size > limit {
            let text = format!("the frame takes {size} bytes, the peer accepts {limit}");
            return Err(WireError::new(ErrorCode::TooLarge, text));
        }
        match receiver
            .outbox
            .try_push(Outgoing::Frame(frame), Share::Half)
        {
            Tried::Queued => Ok(()),
            Tried::Closed => {
                let text = "no such peer is logged in";
                Err(WireError::new(ErrorCode::PeerNotFound, text))
            }
            Tried::Full => {
                receiver.note_dropped(incoming.mode == Mode::Pass);
                let text = "the peer does not read fast enough: send again later";
                Err(WireError::new(ErrorCode::PeerSlow, text))
            }
        }
    }

    /// Passes a frame on to the other members of a room: encoded once, however many they are.
    fn relay_to_room(
        &self,
        incoming: &Incoming<'_>,
        from: &PeerId,
        room: &str,
    ) -> Result<(), WireError> {
        let mut frame = Scratch::of_thread();
        incoming.frame.relay(from, None, &mut frame);
        let (size, limit) = (frame.len() - 1, self.cx.frame_out());
        if size > limit {
            let text =
                format!("the frame takes {size} bytes, clients of this server accept {limit}");
            return Err(WireError::new(ErrorCode::TooLarge, text));
        }
        let frame = Arc::from(&frame[..]);
        let mut receivers = Receivers::new(&frame);
        let mut relays = self.relays.iter();
        if !relays.any(|relay| relay.pass_to_room(&self.cx, room, &mut receivers)) {
            let text = "you are in no such room";
            return Err(WireError::new(ErrorCode::NotAllowed, text));
        }
        let (queued, missed) = (receivers.queued, receivers.missed);
        self.cx.charge((queued + missed) * deliveries(&frame));
        if missed > 0 {
            let all = queued + missed;
            let text = format!("{missed} of {all} members do not read fast enough");
            return Err(WireError::new(ErrorCode::PeerSlow, text));
        }
        Ok(())
    }

    /// Whether a frame may go to `dest`, and from whom it is.
    fn may_relay(&self, incoming: &Incoming<'_>, dest: &str) -> Result<&PeerId, WireError> {
        let refuse = |code, text: &str| Err(WireError::new(code, text));
        let room = dest.strip_prefix('#');
        let asks_room =
            room.is_some() && matches!(incoming.mode, Mode::ConfirmPass | Mode::Request);
        if self.relays.is_empty() && !asks_room {
            let text = "this server does not relay: leave `dest` out";
            return refuse(ErrorCode::PeerNotFound, text);
        }
        let from = self.cx.peer();
        if from.is_none() && !self.relays.is_empty() {
            return refuse(ErrorCode::NotLoggedIn, "log in before you send to others");
        }
        let Some(from) = from.filter(|_| !asks_room) else {
            let text = "a room is many receivers: it cannot confirm or answer";
            return refuse(ErrorCode::NotAllowed, text);
        };
        if incoming.mode == Mode::Pass && incoming.name == "protocol_error" {
            let text = "`protocol_error` is a word between the two ends of a link";
            return refuse(ErrorCode::NotAllowed, text);
        }
        if incoming.mode == Mode::Reply && !is_numbered_reply(incoming.frame) {
            return match room {
                Some(_) => refuse(ErrorCode::NotAllowed, "a room has asked nothing"),
                None => Ok(from),
            };
        }
        for relay in &*self.relays {
            match room {
                Some(room) => relay.to_room(&self.cx, room, incoming.name)?,
                None => relay.to_peer(&self.cx, dest, incoming.name)?,
            }
        }
        Ok(from)
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
        for gate in &*self.gates {
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
    OfPeer(Sender, T),
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
        // The server relays to rooms that it made, so what is no room's id is not from a relay.
        let room = incoming.dest.and_then(|dest| dest.strip_prefix('#'));
        let room = room.map(RoomId::new).transpose();
        let room =
            room.map_err(|error| WireError::new(ErrorCode::BadFrame, format!("`dest`: {error}")))?;
        let (index, info) = locate::<P::ToPeer>(incoming)?;
        let sender = Sender {
            peer: from.clone(),
            room,
        };
        let event = AtClientEvent::OfPeer(sender, decode::<P::ToPeer>(index, incoming)?);
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
