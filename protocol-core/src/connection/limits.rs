//! Every bound of one connection, each with its reason.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::delivery::DeliveryLimits;
use crate::wire;

/// The longest that anything waits, whatever its limit says: "for ever" without an overflow.
const LONGEST_WAIT: Duration = Duration::from_hours(365 * 24);

/// When something is due that starts at `now` and may take `limit`.
pub(crate) fn due(now: Instant, limit: Duration) -> Instant {
    now + limit.min(LONGEST_WAIT)
}

/// The bounds of one connection. Sizes are bytes, every field can be changed before use.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use protocol_core::Limits;
///
/// let mut limits = Limits::server();
/// limits.request_timeout = Duration::from_secs(3);
/// assert_eq!(limits.frame_in, 65_536);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest frame that is read, without its line end. A longer one ends the connection:
    /// its length is the sender's to choose, the memory is ours.
    pub frame_in: usize,
    /// The longest frame that is sent, without its line end; what the other end reads.
    pub frame_out: usize,
    /// How long a frame may take from its first byte to its line end, so that a peer cannot hold
    /// memory by sending a byte now and then.
    pub frame_timeout: Duration,
    /// How long nothing of what is due may get through to the peer before the link is given up.
    pub write_stall: Duration,
    /// Events that wait in the queue for the driver before senders have to wait. 0 counts as 1. What
    /// goes through an [`Outlet`](crate::Outlet) may fill four times the events, and four times the bytes.
    pub outbound_events: usize,
    /// Bytes that wait to be sent before senders have to wait, and before no further event of the
    /// peer is handled: a peer that does not read its answers gets no more of them. Own events get
    /// half of it, answers all. 0 counts as 1.
    pub outbound_bytes: usize,
    /// Own requests and confirmed passes in flight; further ones wait. 0 counts as 1.
    pub open_calls: usize,
    /// Bytes of own confirmed passes that are kept until they are acknowledged; further calls wait.
    /// 0 counts as 1.
    pub kept_bytes: usize,
    /// Events set aside while a handler awaits an answer from the same peer; above it requests and
    /// confirmed passes get `busy` and passes are dropped, counted.
    pub queued_events: usize,
    /// Bytes of such events.
    pub queued_bytes: usize,
    /// Handlers of `concurrent` requests at work at once; above it the reader pauses. 0 counts as 1.
    /// A peer that reads nothing can make this end hold as many answers.
    pub concurrent_handlers: usize,
    /// How long a handler may take before its caller gets `internal` and the handler is dropped.
    pub handler_timeout: Duration,
    /// How long `request` waits where neither call nor event says otherwise.
    pub request_timeout: Duration,
    /// How long `confirm` waits where neither call nor event says otherwise.
    pub confirm_timeout: Duration,
    /// How long `send` waits for a place in a full queue.
    pub send_timeout: Duration,
    /// Calls of the other end that were relayed and are not answered yet; above it further ones get
    /// `busy`. Each takes some 200 bytes here, however slow the asked peer is.
    pub relayed_calls: usize,
    /// How long a relayed call may stay unanswered before its caller gets `timeout`. Callers have
    /// shorter deadlines of their own; this one bounds what is remembered for them.
    pub relay_timeout: Duration,
    /// How long a link may take to open, from being accepted: until a server that takes encrypted
    /// links knows which kind it is, and their handshake is done. At a client
    /// `Connect::timeout` says that.
    pub handshake_timeout: Duration,
    /// Bounds until the connection is identified; none where strangers are welcome.
    pub stranger: Option<StrangerLimits>,
    /// How fast the other end may send; none for as fast as it is handled.
    pub rate_in: Option<RateLimits>,
    /// Bounds of confirmed passes, requests and sessions.
    pub delivery: DeliveryLimits,
    /// How long the other end may be silent once it has shown that it lives now and then.
    pub silence: Duration,
    /// For how long a client with a session tries to get another link before it gives up.
    pub reconnect_for: Duration,
    /// How often a client with a session shows that it lives.
    pub heartbeat: Duration,
    /// How long a closed link still discards what arrives, so that the last word is not lost to a
    /// reset.
    pub linger: Duration,
}

impl Limits {
    /// What a server grants each client.
    pub fn server() -> Self {
        Self {
            frame_in: wire::MAX_FRAME_SERVER,
            frame_out: wire::MAX_FRAME_CLIENT,
            ..Self::common()
        }
    }

    /// What a client grants its server.
    pub fn client() -> Self {
        Self {
            frame_in: wire::MAX_FRAME_CLIENT,
            frame_out: wire::MAX_FRAME_SERVER,
            ..Self::common()
        }
    }

    /// How much may be due before nothing more of this end's own will is added, in bytes.
    pub(super) fn outbound_to_send(&self) -> usize {
        (self.outbound_bytes / 2).max(1)
    }

    fn common() -> Self {
        Self {
            frame_in: 0,
            frame_out: 0,
            frame_timeout: Duration::from_secs(10),
            write_stall: Duration::from_secs(10),
            outbound_events: 1_024,
            outbound_bytes: 1 << 20,
            open_calls: 1_024,
            kept_bytes: 8 << 20,
            queued_events: 256,
            queued_bytes: 1 << 20,
            concurrent_handlers: 256,
            handler_timeout: Duration::from_mins(1),
            request_timeout: Duration::from_secs(10),
            confirm_timeout: Duration::from_secs(30),
            send_timeout: Duration::from_secs(10),
            relayed_calls: 1_024,
            relay_timeout: Duration::from_mins(2),
            handshake_timeout: Duration::from_secs(5),
            stranger: None,
            rate_in: None,
            delivery: DeliveryLimits::default(),
            silence: Duration::from_secs(45),
            reconnect_for: Duration::from_mins(10),
            heartbeat: Duration::from_secs(15),
            linger: Duration::from_secs(1),
        }
    }
}

/// What a connection may do before it is [identified](crate::Context::identify): enough to log in
/// (`PROTOCOL.md` §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StrangerLimits {
    /// The longest frame, without its line end.
    pub frame_in: usize,
    /// Bytes in all.
    pub bytes_in: usize,
    /// The time from the start of the connection.
    pub timeout: Duration,
}

/// Those of streams, with all else as for a client.
impl From<DeliveryLimits> for Arc<Limits> {
    fn from(delivery: DeliveryLimits) -> Self {
        Self::new(Limits {
            delivery,
            ..Limits::client()
        })
    }
}

impl Default for StrangerLimits {
    fn default() -> Self {
        Self {
            frame_in: wire::MAX_FRAME_BEFORE_LOGIN,
            bytes_in: 2 * wire::MAX_FRAME_BEFORE_LOGIN,
            timeout: Duration::from_secs(5),
        }
    }
}

/// How fast a peer may send, and how much it may cause. What it does not use is kept for two seconds,
/// so that bursts of twice these numbers go through; beyond that the reader pauses, and TCP holds the
/// sender back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimits {
    /// Frames of all types; 0 for no limit.
    pub events_per_second: u32,
    /// Bytes with line ends and empty lines; 0 for no limit. Where this is less than a frame takes,
    /// one frame pauses the link for seconds, in which its end is not noticed either.
    pub bytes_per_second: u32,
    /// Frames that others receive because of this peer: one for each member of a room that it sends
    /// to, and what handlers [charge](crate::Context::charge); 0 for no limit. A long frame counts
    /// once for each [`DELIVERY_BYTES`](Self::DELIVERY_BYTES) that it has begun.
    pub deliveries_per_second: u32,
}

impl RateLimits {
    /// Bytes that count as one delivery: to copy so many costs about what a short frame does.
    pub const DELIVERY_BYTES: usize = 4_096;
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            events_per_second: 500,
            bytes_per_second: 1 << 20,
            deliveries_per_second: 10_000,
        }
    }
}
