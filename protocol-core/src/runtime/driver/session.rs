//! How a driver keeps a session: what it does when the link is lost, and with another one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::time::{Duration, Instant};

use super::Driver;
use super::aside::Aside;
use crate::connection::{Closing, IdSource, count_loss, due};
use crate::error::CloseReason;
use crate::metrics;
use crate::router::{AnyKeeper, Greeted, LinkStatus, Parcel, Ungreeted, Work};
use crate::runtime::connect_error::ConnectError;
use crate::runtime::states::{ClientState, StateSender};
use crate::runtime::transport::{Dial, Dialed, Io};

/// Frames after which the server is told that they have arrived, long before it has too many to keep.
const REPORT_AFTER: u64 = 64;

/// A session's first sign of life on a link: the server finds out who vanishes only after one.
const FIRST_BEAT: Duration = Duration::from_secs(1);

/// The least time between two words about passes that were dropped.
const DROPPED_EVERY: Duration = Duration::from_secs(1);

/// What a client's driver needs beyond one link.
pub(in crate::runtime) struct Tending {
    pub(in crate::runtime) dialer: Arc<dyn Dial>,
    pub(in crate::runtime) states: StateSender,
    pub(in crate::runtime) random: IdSource,
}

/// What a driver has of its session. What is rare is boxed: each link keeps room for the rest.
#[derive(Default)]
pub(super) struct Life {
    pub(super) tending: Option<Box<Tending>>,
    pub(super) keeper: Option<Arc<dyn AnyKeeper>>,
    pub(super) down: Option<Box<Down>>,
    pub(super) greeting: Option<Box<Aside<Result<Greeted, Ungreeted>>>>,
    pub(super) beat: Option<Box<Aside<()>>>,
    pub(super) beat_at: Option<Instant>,
    /// Frames that the server was told of.
    pub(super) reported: u64,
    pub(super) leaving: Leaving,
    pub(super) dropped: u64,
    pub(super) dropped_at: Option<Instant>,
}

pub(super) struct Down {
    pub(super) reason: CloseReason,
    /// When the session is given up.
    pub(super) until: Instant,
    pub(super) attempts: u32,
    pub(super) dialing: Option<Work<Result<Dialed, ConnectError>>>,
}

#[derive(Default)]
pub(super) enum Leaving {
    #[default]
    NotAsked,
    /// Open calls may end before that.
    Waiting(Instant),
    Saying(Box<Aside<()>>),
    Said,
}

impl Life {
    pub(super) fn new(tending: Option<Tending>) -> Self {
        Self {
            tending: tending.map(Box::new),
            ..Self::default()
        }
    }

    pub(super) fn is_down(&self) -> bool {
        self.down.is_some()
    }

    pub(super) fn is_greeting(&self) -> bool {
        self.greeting.is_some()
    }

    /// Whether nothing of the session is under way.
    pub(super) fn is_calm(&self) -> bool {
        self.down.is_none()
            && self.greeting.is_none()
            && self.beat.is_none()
            && self.dropped == 0
            && matches!(self.leaving, Leaving::NotAsked)
    }

    /// Which end of the link this is, for an operator.
    pub(super) fn end(&self) -> &'static str {
        match self.tending {
            Some(_) => "client",
            None => "server",
        }
    }

    /// When something is due.
    pub(super) fn due(&self, is_closing: bool) -> Option<Instant> {
        let down = self.down.as_ref().map(|down| down.until);
        let leaving = match self.leaving {
            Leaving::Waiting(until) => Some(until),
            _ => None,
        };
        let may_beat = self.down.is_none() && self.beat.is_none() && self.keeper.is_some();
        let beat = self.beat_at.filter(|_| may_beat && !is_closing);
        let dropped = self
            .dropped_at
            .filter(|_| self.dropped > 0 && self.down.is_none());
        [down, leaving, beat, dropped].into_iter().flatten().min()
    }
}

impl Driver {
    /// Whether the session goes on where the link is lost now.
    fn keeps_session(&self) -> bool {
        if self.closing.is_some() || !self.connection.may_suspend() {
            return false;
        }
        match &self.life.tending {
            Some(_) => self.life.keeper.is_some(),
            None => self.goes_on(),
        }
    }

    /// At a server: whether its client may count on the session beyond this link.
    pub(super) fn goes_on(&self) -> bool {
        self.grace().is_some_and(|grace| !grace.is_zero())
    }

    fn grace(&self) -> Option<Duration> {
        self.link.session.get().map(|session| session.grace)
    }

    /// Takes note that the link is lost; whether the session goes on without it.
    pub(super) fn lost(&mut self, reason: &CloseReason) -> bool {
        if !self.keeps_session() {
            return false;
        }
        // Whether the session is over may stand in what has arrived.
        self.connection.keep_whole_lines();
        if !self.keeps_session() {
            return false;
        }
        self.connection.suspend(reason);
        count_loss(reason);
        self.io = None;
        self.place = Box::new(());
        self.life.greeting = None;
        self.life.beat = None;
        (self.calls, self.expected) = (0, 0);
        if self.life.down.is_none() {
            tracing::debug!(connection = %self.link.id, %reason, "lost the link, the session goes on");
            metrics::count_by(metrics::SESSIONS_SUSPENDED, "end", self.life.end());
            self.link.set_down(true);
            let patience = match self.grace() {
                Some(grace) => grace,
                None => self.connection.limits().reconnect_for,
            };
            self.life.down = Some(Box::new(Down {
                reason: reason.clone(),
                until: due(self.now, patience),
                attempts: 0,
                dialing: None,
            }));
            self.link.tell(LinkStatus::Lost);
            if let Some(tending) = &self.life.tending {
                tending
                    .states
                    .send(ClientState::Reconnecting(reason.clone()));
            }
        }
        self.dial();
        // Whoever found that the link is lost may be about to rest.
        self.link.outbox.call();
        true
    }

    /// Does what the session needs. Returns whether events may be handled that could not before, or
    /// the link may end.
    pub(super) fn poll_session(&mut self, cx: &mut Context<'_>) -> bool {
        if self.closing == Some(Closing::Replace) && !self.connection.is_broken() {
            // What is due gets one chance: whoever has taken the name does not wait.
            self.connection.end_session();
            self.flush(cx);
            self.life.down = None;
            self.connection.broken(CloseReason::Closed);
            return true;
        }
        let has_mail = self.link.take_mail();
        if has_mail && let Some(keep) = self.link.take_keep() {
            self.life.keeper = Some(keep.keeper);
            self.connection.begin_session(self.now, keep.terms, None);
            self.connection.expect_heartbeats(self.now);
            self.life.beat_at = Some(due(self.now, self.first_beat()));
        }
        if has_mail && let Some(parcel) = self.link.take_parcel() {
            self.revive(*parcel);
            return true;
        }
        if let Some(down) = &self.life.down {
            if self.closing.is_some() || down.until <= self.now {
                if self.closing.is_none() {
                    metrics::count_by(metrics::SESSIONS_EXPIRED, "end", self.life.end());
                }
                let reason = down.reason.clone();
                self.connection.broken(reason);
                self.life.greeting = None;
                self.life.down = None;
                self.io = None;
                return true;
            }
            return self.poll_down(cx);
        }
        self.poll_beat(cx);
        self.tell_dropped();
        false
    }

    /// At a server: the session goes on with another link, whatever became of the one that it had.
    fn revive(&mut self, parcel: Parcel) {
        let Parcel {
            io,
            place,
            address,
            link,
            received,
        } = parcel;
        let Ok(io) = io.downcast::<Io>() else {
            return;
        };
        if !self.connection.may_suspend() || self.closing.is_some() {
            return;
        }
        if received < self.connection.resumable_from() {
            // More was put than is kept since that was asked.
            self.life.down = None;
            self.connection.broken(CloseReason::Overflowed);
            return;
        }
        if self.life.down.take().is_none() {
            self.connection.suspend(&CloseReason::Closed);
        }
        let was_down = self.link.is_down();
        self.io = Some(*io);
        self.place = place;
        let sent = link.sent;
        self.link.resumed_at.store(received, Ordering::Relaxed);
        self.connection.relink(self.now, link);
        self.connection.resumed(self.now, received, sent);
        metrics::count_by(metrics::SESSIONS_RESUMED, "end", self.life.end());
        self.link.set_address(address);
        self.link.set_down(false);
        if was_down {
            self.link.tell(LinkStatus::Restored);
        }
    }

    /// Hands this driver's link over to the session that it is for, if there is one; then this driver
    /// is done.
    pub(super) fn hand_over(&mut self) -> bool {
        if !self.link.has_handover() || !self.backlog.is_empty() {
            return false;
        }
        let Some((target, received)) = self.link.take_handover() else {
            return false;
        };
        let Some(io) = self.io.take() else {
            return false;
        };
        let link = self.connection.transplant(Box::new(crate::codec::Plain));
        let parcel = Parcel {
            io: Box::new(io),
            place: std::mem::replace(&mut self.place, Box::new(())),
            address: self.link.address(),
            link,
            received,
        };
        target.deliver(parcel);
        self.connection.abort();
        true
    }

    pub(super) fn first_beat(&self) -> Duration {
        FIRST_BEAT.min(self.connection.limits().heartbeat)
    }

    /// Shows that this client lives, now and then.
    fn poll_beat(&mut self, cx: &mut Context<'_>) {
        let Some(keeper) = &self.life.keeper else {
            return;
        };
        let received = self.connection.received_frames();
        let is_due = self.life.beat_at.is_some_and(|at| at <= self.now)
            || received.saturating_sub(self.life.reported) >= REPORT_AFTER;
        if is_due && self.life.beat.is_none() && self.closing.is_none() {
            let keeper = Arc::clone(keeper);
            self.life.reported = received;
            self.life.beat_at = Some(due(self.now, self.connection.limits().heartbeat));
            self.life.beat = Some(Box::new(self.aside(|lane| keeper.beat(lane, received))));
        }
        if let Some(mut beat) = self.life.beat.take()
            && beat.poll(cx, self).is_pending()
        {
            self.life.beat = Some(beat);
        }
    }

    /// Says goodbye before a client's link ends by its user's wish; whether that is done. Calls that
    /// are open have a while to end before.
    pub(super) fn poll_leaving(&mut self, cx: &mut Context<'_>) -> bool {
        // The session may have ended while it waited: then nothing is due any more.
        let keeper = self.life.keeper.clone();
        let Some(keeper) = keeper.filter(|_| !self.connection.is_muted() && self.io.is_some())
        else {
            self.life.leaving = Leaving::Said;
            return true;
        };
        loop {
            match std::mem::take(&mut self.life.leaving) {
                Leaving::NotAsked => {
                    let linger = self.connection.limits().linger;
                    self.life.leaving = Leaving::Waiting(due(self.now, linger));
                }
                Leaving::Waiting(until) => {
                    if self.connection.has_open_calls() && until > self.now {
                        self.life.leaving = Leaving::Waiting(until);
                        return false;
                    }
                    let linger = self.connection.limits().linger;
                    let leave = |lane| -> Work<()> {
                        let leave = keeper.leave(lane);
                        Box::pin(async move {
                            // Whoever hears nothing finds out by itself.
                            let _ = tokio::time::timeout(linger, leave).await;
                        })
                    };
                    self.life.leaving = Leaving::Saying(Box::new(self.aside(leave)));
                }
                Leaving::Saying(mut saying) => {
                    if saying.poll(cx, self).is_pending() {
                        self.life.leaving = Leaving::Saying(saying);
                        return false;
                    }
                    self.life.leaving = Leaving::Said;
                }
                Leaving::Said => {
                    self.life.leaving = Leaving::Said;
                    return true;
                }
            }
        }
    }

    /// Tells, now and then, that passes for the other end were dropped.
    fn tell_dropped(&mut self) {
        self.life.dropped += self.link.take_dropped();
        if self.life.dropped == 0 || self.life.dropped_at.is_some_and(|at| at > self.now) {
            return;
        }
        let passes = std::mem::take(&mut self.life.dropped);
        self.life.dropped_at = Some(due(self.now, DROPPED_EVERY));
        metrics::count(metrics::DROPPED_NOTICES);
        self.link.tell(LinkStatus::Dropped { passes });
    }

    /// Takes note of how the link ended for good.
    pub(super) fn tell_end(&mut self, reason: &CloseReason) {
        if let Some(tending) = self.life.tending.take() {
            tending.states.send(ClientState::Lost(reason.clone()));
        }
        self.life.keeper = None;
    }
}
