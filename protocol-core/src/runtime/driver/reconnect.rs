//! How a client gets another link for its session, and greets the server on it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Driver;
use crate::connection::{Transplant, due};
use crate::error::CloseReason;
use crate::metrics;
use crate::router::{Greeted, Ungreeted};
use crate::runtime::states::ClientState;
use crate::runtime::transport::Dialed;

/// The first attempt to get another link comes within this time, the next within twice as long, and
/// so on.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest time between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Driver {
    /// Tries to get another link after a while, at a client.
    pub(super) fn dial(&mut self) {
        let (Some(tending), Some(down)) = (&mut self.life.tending, &mut self.life.down) else {
            return;
        };
        let longest = FIRST_PAUSE
            .saturating_mul(1 << down.attempts.min(8))
            .min(LONGEST_PAUSE);
        // Half of it is left to chance, so that many who were cut off together come one by one.
        let share = u32::try_from(tending.random.random() % 1_000).unwrap_or(0);
        let pause = longest / 2 + longest / 2 * share / 1_000;
        down.attempts += 1;
        let dialer = Arc::clone(&tending.dialer);
        down.dialing = Some(Box::pin(async move {
            tokio::time::sleep(pause).await;
            dialer.dial().await
        }));
    }

    pub(super) fn poll_down(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            if let Some(down) = &mut self.life.down
                && let Some(dialing) = &mut down.dialing
            {
                match dialing.as_mut().poll(cx) {
                    Poll::Pending => return false,
                    Poll::Ready(dialed) => {
                        down.dialing = None;
                        self.now = crate::runtime::now();
                        match dialed {
                            Ok(dialed) => self.greet(dialed),
                            Err(error) => {
                                tracing::debug!(%error, "no new link yet");
                                self.dial();
                            }
                        }
                        continue;
                    }
                }
            }
            let Some(mut greeting) = self.life.greeting.take() else {
                return false;
            };
            let greeted = greeting.poll(cx, self);
            match greeted {
                Poll::Pending => {
                    self.life.greeting = Some(greeting);
                    return false;
                }
                Poll::Ready(Ok(greeted)) => {
                    self.stand(greeted);
                    return true;
                }
                Poll::Ready(Err(Ungreeted::Again(why))) => {
                    tracing::debug!(why, "the session does not stand yet");
                    let reason = CloseReason::Closed;
                    if !self.lost(&reason) {
                        self.life.down = None;
                        self.io = None;
                        self.connection.broken(reason);
                        return true;
                    }
                }
                Poll::Ready(Err(Ungreeted::Never(word))) => {
                    self.life.down = None;
                    self.io = None;
                    self.connection.broken(CloseReason::RefusedByPeer(word));
                    return true;
                }
            }
        }
    }

    /// Greets the server on a new link.
    pub(super) fn greet(&mut self, Dialed { io, opened }: Dialed) {
        let Some(keeper) = self.life.keeper.clone() else {
            return;
        };
        let identity = opened.codec.peer();
        if identity != self.link.identity {
            let expected = self.link.identity.key().map(tracing::field::display);
            let found = identity.key().map(tracing::field::display);
            tracing::warn!(
                expected,
                found,
                "another server answers at the address: trying again"
            );
            self.dial();
            return;
        }
        self.io = Some(io);
        self.connection.relink(
            self.now,
            Transplant {
                codec: opened.codec,
                sealed: bytes::BytesMut::new(),
                wire: opened.wire,
                plain: opened.plain,
                sent: 0,
            },
        );
        if identity.key().is_none() {
            self.connection.open_plain();
        }
        let received = self.connection.received_frames();
        self.life.greeting = Some(Box::new(self.aside(|lane| keeper.greet(lane, received))));
    }

    /// The session stands again.
    pub(super) fn stand(&mut self, greeted: Greeted) {
        let resumed = greeted.resumed;
        self.connection.greeted(self.now, greeted.terms, resumed);
        self.connection.expect_heartbeats(self.now);
        self.life.down = None;
        self.life.reported = self.connection.received_frames();
        // The server keeps the token before this one until it hears that the answer is here.
        let wait = if resumed {
            Duration::ZERO
        } else {
            self.first_beat()
        };
        self.life.beat_at = Some(due(self.now, wait));
        self.link.set_down(false);
        if let Some(tending) = &self.life.tending {
            if resumed {
                metrics::count_by(metrics::SESSIONS_RESUMED, "end", self.life.end());
            }
            tending.states.send(if resumed {
                ClientState::Resumed
            } else {
                ClientState::Connected
            });
        }
    }
}
