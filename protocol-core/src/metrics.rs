//! What an operator watches: a counter for each limit that acts, and what is open now.
//!
//! Names only; where each rises stands beside what it counts. They go to whatever recorder of the
//! crate [`metrics`] the program installs, and nowhere without one. A recorder that is
//! installed before the first server starts sees the gauges whole. What happens to every event is not
//! counted: only what is rare, or ends in something that is.

macro_rules! names {
    ($($kind:ident $name:ident = $text:literal, $about:literal;)*) => {
        $(
            #[doc = $about]
            pub const $name: &str = $text;
        )*

        /// The names of all metrics of this crate.
        pub const ALL: &[&str] = &[$($name),*];

        /// Tells the recorder what each metric of this crate is.
        ///
        /// # Examples
        ///
        /// ```
        /// // Once the program has installed its recorder:
        /// protocol_core::metrics::describe();
        /// ```
        pub fn describe() {
            $(names!(@ $kind $name $about);)*
        }
    };
    (@ counter $name:ident $about:literal) => {
        ::metrics::describe_counter!($name, $about);
    };
    (@ gauge $name:ident $about:literal) => {
        ::metrics::describe_gauge!($name, $about);
    };
}

names! {
    gauge CONNECTIONS_OPEN = "protocol_connections_open",
        "Connections that a server has, those that still shake hands included.";
    counter CONNECTIONS_REFUSED = "protocol_connections_refused_total",
        "Connections that were turned away, by `limit`: `all` or `address`.";
    counter ACCEPTS_FAILED = "protocol_accepts_failed_total",
        "Times that the system refused to accept, as when file handles run out.";
    counter HANDSHAKES_QUEUED = "protocol_handshakes_queued_total",
        "Handshakes that waited for their turn to be computed, by `limit`: `all` or `address`.";
    counter HANDSHAKES_REFUSED = "protocol_handshakes_refused_total",
        "Links that did not open at a server, by the `code` that they were refused with.";
    counter HANDSHAKES_TIMED_OUT = "protocol_handshakes_timed_out_total",
        "Links that did not open at a server within their time.";
    counter STRANGERS_TIMED_OUT = "protocol_strangers_timed_out_total",
        "Connections that ended since nobody logged in on them in time.";
    counter STRANGERS_TOO_LOUD = "protocol_strangers_too_loud_total",
        "Connections that ended since they sent too many bytes before login.";
    counter FRAMES_TOO_LARGE = "protocol_frames_too_large_total",
        "Frames beyond their limit, by `direction`: `in` ended the connection, `out` was not sent.";
    counter FRAMES_TIMED_OUT = "protocol_frames_timed_out_total",
        "Connections that ended since a frame that had begun did not end in time.";
    counter VIOLATIONS = "protocol_violations_total",
        "Connections that ended since the other end broke the protocol, by `code`.";
    counter LINKS_STALLED = "protocol_links_stalled_total",
        "Links given up since nothing that was due could be written in time.";
    counter LINKS_OVERFLOWED = "protocol_links_overflowed_total",
        "Connections that ended since what must not be missed found no room.";
    counter LINKS_SILENT = "protocol_links_silent_total",
        "Links given up since the other end showed no sign of life in time, or, in a session, did \
         not end a frame that it had begun.";
    counter READERS_PAUSED = "protocol_readers_paused_total",
        "Pauses of reading, by the `limit` that was reached first: `events`, `bytes`, `deliveries` \
         or `handlers`.";
    counter SENDERS_PARKED = "protocol_senders_parked_total",
        "Events that waited for room in a full queue.";
    counter SENDS_TIMED_OUT = "protocol_sends_timed_out_total",
        "Events that were not sent in time, since they found no room.";
    counter CALLS_QUEUED = "protocol_calls_queued_total",
        "Calls that waited since as many as may be were open.";
    counter CALLS_TIMED_OUT = "protocol_calls_timed_out_total",
        "Requests, and confirmed passes without numbers, that were not answered in time.";
    counter RELAYED_CALLS_TIMED_OUT = "protocol_relayed_calls_timed_out_total",
        "Calls between peers that a relay gave up since they were not answered in time.";
    counter PASSES_REFUSED = "protocol_passes_refused_total",
        "Passes that were not handled: unknown, not fitting, refused by a gate or by fullness.";
    counter PASSES_DROPPED = "protocol_passes_dropped_total",
        "Passes that a relay dropped, once for each receiver, by `reason`: `slow` or `no_link`.";
    counter DROPPED_NOTICES = "protocol_dropped_notices_total",
        "Times that a connection's owner was told that passes for it were dropped.";
    counter UNKNOWN_TYPES = "protocol_unknown_types_total",
        "Frames of a `type` that this version does not know.";
    counter ANSWERS_IGNORED = "protocol_answers_ignored_total",
        "Answers that nobody awaited: late, repeated or forged.";
    counter BUSY = "protocol_busy_total",
        "Events refused with `busy`, by `limit`: `queued` or `relayed`.";
    counter REPETITIONS = "protocol_repetitions_total",
        "Confirmed passes and requests that came again and were not run again.";
    counter ANSWERS_REPEATED = "protocol_answers_repeated_total",
        "Kept answers to requests that were sent again.";
    counter REQUESTS_REFUSED = "protocol_requests_refused_total",
        "Numbered requests that were not executed, by `code`: `expired`, `id_conflict` or `busy`.";
    counter STREAMS_REFUSED = "protocol_streams_refused_total",
        "Events refused since as many streams as may be were in use.";
    counter STREAMS_ABANDONED = "protocol_streams_abandoned_total",
        "Streams whose events were given up since nothing was acknowledged for too long.";
    counter RESEND_ROUNDS = "protocol_resend_rounds_total",
        "Times that all unacknowledged events of a stream were sent again.";
    counter CONFIRMED_PASSES = "protocol_confirmed_passes_total",
        "Confirmed passes of sessions that ended, by `outcome`: `confirmed`, `refused`, `timed_out`, \
         `not_sent`, `lost` or `unknown`.";
    counter HELD_FORGOTTEN = "protocol_held_forgotten_total",
        "Events kept for a client that were forgotten before it said it had them.";
    counter HANDLERS_PANICKED = "protocol_handlers_panicked_total",
        "Handlers that panicked.";
    counter HANDLERS_TOO_SLOW = "protocol_handlers_too_slow_total",
        "Handlers that were dropped since they took too long.";
    counter SESSIONS_SUSPENDED = "protocol_sessions_suspended_total",
        "Sessions that lost their link and went on, by `end`: `server` or `client`.";
    counter SESSIONS_RESUMED = "protocol_sessions_resumed_total",
        "Sessions that went on with another link, by `end`: `server` or `client`.";
    counter SESSIONS_EXPIRED = "protocol_sessions_expired_total",
        "Sessions that ended since they had no link for too long, by `end`: `server` or `client`.";
}

/// Counts one.
pub(crate) fn count(name: &'static str) {
    ::metrics::counter!(name).increment(1);
}

/// One more is open.
pub(crate) fn rise(name: &'static str) {
    ::metrics::gauge!(name).increment(1.0);
}

/// One less is open.
pub(crate) fn fall(name: &'static str) {
    ::metrics::gauge!(name).decrement(1.0);
}

/// Counts many at once.
pub(crate) fn count_all(name: &'static str, many: usize) {
    if many > 0 {
        ::metrics::counter!(name).increment(many as u64);
    }
}

/// Counts one of those that a label tells apart.
pub(crate) fn count_by(name: &'static str, label: &'static str, value: &'static str) {
    ::metrics::counter!(name, label => value).increment(1);
}

/// Counts many of those at once.
pub(crate) fn count_all_by(
    name: &'static str,
    label: &'static str,
    value: &'static str,
    many: usize,
) {
    if many > 0 {
        ::metrics::counter!(name, label => value).increment(many as u64);
    }
}
