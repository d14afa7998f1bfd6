//! Events on their way out: encoded once, addressed, with a way to read their answer.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::connection::{Expects, Outcome};
use crate::error::{RequestError, SendError};
use crate::event::{Event, EventError, Kind, Pass, Request};
use crate::ids::{PeerId, RoomId};
use crate::metrics;
use crate::protocol::{Protocol, ToPeer, Travels};
use crate::router::Call;
use crate::router::call::Unsent;
use crate::router::{Link, LinkRef};
use crate::wire::{self, EncodeError, FrameType, WireError};

/// What a frame's tail takes: the id member with one of our ids, the closing brace.
const fn tail_bytes(kind: FrameType) -> usize {
    let tail = match kind {
        FrameType::Pass => "}",
        FrameType::ConfirmPass => r#","pass_id":"01939c1e-7a3b-7def-8123-456789abcdef"}"#,
        FrameType::Request | FrameType::Response => {
            r#","request_id":"01939c1e-7a3b-7def-8123-456789abcdef"}"#
        }
    };
    tail.len()
}

/// What most frames fit into without growing.
const USUAL_FRAME_BYTES: usize = 256;

fn encode<E: Event>(
    kind: FrameType,
    dest: Option<&str>,
    event: &E,
    limit: usize,
) -> Result<Vec<u8>, SendError> {
    let mut frame = Vec::with_capacity(USUAL_FRAME_BYTES);
    wire::write_head(&mut frame, kind, dest, None, E::NAME);
    let head = frame.len();
    wire::write_data(&mut frame, event).map_err(|error: EncodeError| SendError::Encode {
        event: E::NAME,
        error,
    })?;
    let too_large = |size, limit| {
        metrics::count_by(metrics::FRAMES_TOO_LARGE, "direction", "out");
        SendError::TooLarge {
            event: E::NAME,
            size,
            limit,
        }
    };
    let data = frame.len() - head;
    let size = frame.len() + tail_bytes(kind);
    match E::MAX_SIZE {
        Some(max) if data > max => Err(too_large(data, max)),
        _ if size > limit => Err(too_large(size, limit)),
        _ => Ok(frame),
    }
}

/// Encodes a pass for many receivers.
pub(crate) fn encode_shared<E: Pass>(event: &E, limit: usize) -> Result<Arc<[u8]>, SendError> {
    let mut frame = encode(FrameType::Pass, None, event, limit)?;
    wire::write_tail(&mut frame, FrameType::Pass, None);
    Ok(frame.into())
}

pub(crate) fn send<'a, E: Pass>(
    link: LinkRef<'a>,
    dest: Option<&str>,
    event: &E,
) -> Call<'a, Result<(), SendError>> {
    match encode(FrameType::Pass, dest, event, link.frame_out) {
        Err(error) => Call::ready(Err(error)),
        Ok(mut frame) => {
            wire::write_tail(&mut frame, FrameType::Pass, None);
            Call::unsent(Unsent {
                timeout: E::TIMEOUT.unwrap_or(link.send_timeout),
                link,
                frame,
                expects: None,
                from: None,
                read: read_sent,
            })
        }
    }
}

fn read_sent(outcome: Outcome<'_>, after: Duration) -> Result<(), SendError> {
    match outcome {
        Outcome::Done(_) => Ok(()),
        Outcome::NotSent(reason) | Outcome::Lost(reason) => Err(SendError::Closed(reason.clone())),
        Outcome::NotSentInTime
        | Outcome::TimedOut
        | Outcome::Refused(_)
        | Outcome::Rejected(_)
        | Outcome::Unknown(_) => Err(SendError::QueueFull { after }),
    }
}

pub(crate) fn confirm<'a, E: Pass>(
    link: LinkRef<'a>,
    dest: Option<&PeerId>,
    event: &E,
) -> Call<'a, Result<(), RequestError<E::Error>>> {
    let timeout = link.confirm_timeout;
    call::<E>(link, dest, event, FrameType::ConfirmPass, timeout)
}

pub(crate) fn request<'a, E: Request>(
    link: LinkRef<'a>,
    dest: Option<&PeerId>,
    event: &E,
) -> Call<'a, Result<E::Response, RequestError<E::Error>>> {
    let timeout = link.request_timeout;
    call::<E>(link, dest, event, FrameType::Request, timeout)
}

fn call<'a, E: Event>(
    link: LinkRef<'a>,
    dest: Option<&PeerId>,
    event: &E,
    kind: FrameType,
    timeout: Duration,
) -> Call<'a, Result<E::Response, RequestError<E::Error>>> {
    match encode(kind, dest.map(PeerId::as_str), event, link.frame_out) {
        Err(error) => Call::ready(Err(RequestError::NotSent(error))),
        Ok(frame) => Call::unsent(Unsent {
            link,
            frame,
            expects: Some(match E::KIND {
                Kind::Pass => Expects::Acknowledgement,
                Kind::Request | Kind::Response => Expects::Response,
            }),
            from: dest.cloned(),
            timeout: E::TIMEOUT.unwrap_or(timeout),
            read: read_answer::<E>,
        }),
    }
}

fn read_answer<E: Event>(
    outcome: Outcome<'_>,
    after: Duration,
) -> Result<E::Response, RequestError<E::Error>> {
    match outcome {
        Outcome::Done(data) => wire::decode_data(data).map_err(RequestError::BadAnswer),
        Outcome::Refused(error) => Err(read_refusal(WireError::parse(error))),
        Outcome::Rejected(error) => Err(read_refusal(error.clone())),
        Outcome::Unknown(error) => Err(RequestError::Unknown(error.clone())),
        Outcome::TimedOut => Err(RequestError::Timeout { after }),
        Outcome::Lost(reason) => Err(RequestError::Lost(reason.clone())),
        Outcome::NotSentInTime => Err(RequestError::NotSent(SendError::QueueFull { after })),
        Outcome::NotSent(reason) => Err(RequestError::NotSent(SendError::Closed(reason.clone()))),
    }
}

/// The event's own codes come first: a code that is both was refused when the error was derived.
fn read_refusal<E: EventError>(error: WireError) -> RequestError<E> {
    let data = error
        .data
        .as_ref()
        .map_or(wire::RawData::NULL, wire::Json::as_raw);
    match E::read(&error.code, data) {
        Some(Ok(refusal)) => RequestError::Refused(refusal),
        None if error.standard().is_some() => RequestError::Rejected(error),
        Some(Err(_)) | None => RequestError::Other(error),
    }
}

/// One other client, reached through the server; from `client.to(&peer)`.
pub struct Peer<'a, P> {
    link: LinkRef<'a>,
    id: PeerId,
    protocol: PhantomData<fn() -> P>,
}

impl<'a, P: Protocol> Peer<'a, P> {
    pub(crate) fn new(link: &'a Arc<Link>, id: &PeerId) -> Self {
        Self {
            link: LinkRef::Borrowed(link),
            id: id.clone(),
            protocol: PhantomData,
        }
    }

    /// Sends a pass of a `to_peer` set.
    ///
    /// # Errors
    ///
    /// Where it never left this end; see [`SendError`].
    pub fn send<E, S>(self, event: E) -> Call<'a, Result<(), SendError>>
    where
        E: Pass + Travels<S, P, ToPeer>,
    {
        send(self.link, Some(&self.id), &event)
    }

    /// Sends a pass of a `to_peer` set and waits until the peer's handler has processed it.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn confirm<E, S>(self, event: E) -> Call<'a, Result<(), RequestError<E::Error>>>
    where
        E: Pass + Travels<S, P, ToPeer>,
    {
        confirm(self.link, Some(&self.id), &event)
    }

    /// Sends a request of a `to_peer` set and waits for the peer's answer.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn request<E, S>(self, event: E) -> Call<'a, Result<E::Response, RequestError<E::Error>>>
    where
        E: Request + Travels<S, P, ToPeer>,
    {
        request(self.link, Some(&self.id), &event)
    }
}

impl<P> std::fmt::Debug for Peer<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Peer").field(&self.id).finish()
    }
}

/// All other members of a room; from `client.to_room(&room)`.
pub struct Room<'a, P> {
    link: LinkRef<'a>,
    id: RoomId,
    protocol: PhantomData<fn() -> P>,
}

/// Nothing implements this: a room is many receivers.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a room cannot confirm or answer `{Self}`: it is many receivers",
    label = "`dest` is a room",
    note = "use `send`, or confirm and ask each member with `client.to(&peer)`"
)]
pub trait AnsweredByRoom {}

impl<'a, P: Protocol> Room<'a, P> {
    pub(crate) fn new(link: &'a Arc<Link>, id: &RoomId) -> Self {
        Self {
            link: LinkRef::Borrowed(link),
            id: id.clone(),
            protocol: PhantomData,
        }
    }

    /// Sends a pass of a `to_peer` set to all other members.
    ///
    /// # Errors
    ///
    /// Where it never left this end; see [`SendError`].
    pub fn send<E, S>(self, event: E) -> Call<'a, Result<(), SendError>>
    where
        E: Pass + Travels<S, P, ToPeer>,
    {
        let dest = format!("#{}", self.id);
        send(self.link, Some(&dest), &event)
    }

    /// Refused by the compiler: a room is many receivers.
    #[doc(hidden)]
    pub fn confirm<E: AnsweredByRoom>(self, _event: E) -> Call<'a, Result<(), SendError>> {
        Call::ready(Ok(()))
    }

    /// Refused by the compiler: a room is many receivers.
    #[doc(hidden)]
    pub fn request<E: AnsweredByRoom>(self, _event: E) -> Call<'a, Result<(), SendError>> {
        Call::ready(Ok(()))
    }
}

impl<P> std::fmt::Debug for Room<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Room").field(&self.id).finish()
    }
}
