//! Which limits hold, whether an end is hostile, and how it ends, by the bits of one byte.

use protocol_core::connection::Role;
use protocol_core::{DeliveryLimits, Limits, RateLimits, StrangerLimits};

/// The bits of a first byte.
#[derive(Clone, Copy)]
pub(super) struct Setting(pub(super) u8);

impl Setting {
    pub(super) fn is_hostile(self) -> bool {
        self.0 & 1 != 0
    }

    pub(super) fn is_small(self) -> bool {
        self.0 & 2 != 0
    }

    pub(super) fn has_session(self) -> bool {
        self.0 & 4 != 0
    }

    pub(super) fn bounds_strangers(self) -> bool {
        self.0 & 8 != 0
    }

    pub(super) fn bounds_rate(self) -> bool {
        self.0 & 16 != 0
    }

    /// Whether the ends close, rather than break off.
    pub(super) fn closes(self) -> bool {
        self.0 & 32 != 0
    }

    pub(super) fn limits(self, role: Role) -> Limits {
        let mut limits = match role {
            Role::Server => Limits::server(),
            Role::Client => Limits::client(),
        };
        if self.is_small() {
            (limits.frame_in, limits.frame_out) = (300, 300);
            (limits.outbound_bytes, limits.kept_bytes, limits.open_calls) = (1_024, 512, 4);
            (
                limits.queued_events,
                limits.queued_bytes,
                limits.relayed_calls,
            ) = (2, 256, 2);
            let delivery: &mut DeliveryLimits = &mut limits.delivery;
            (delivery.window_events, delivery.window_bytes) = (2, 200);
            (
                delivery.answers,
                delivery.answers_bytes,
                delivery.recent_ids,
            ) = (2, 200, 2);
            (delivery.held_events, delivery.held_bytes) = (2, 200);
        }
        if role == Role::Server && self.bounds_strangers() {
            limits.stranger = Some(StrangerLimits::default());
        }
        if role == Role::Server && self.bounds_rate() {
            let mut rate = RateLimits::default();
            (rate.events_per_second, rate.bytes_per_second) = (1, 100);
            limits.rate_in = Some(rate);
        }
        limits
    }
}
