//! The short visit: frames that others queued for a link at rest are written, and nothing else is
//! looked after. Most visits of a link that listens to a busy room are of this kind.

use std::task::Context;

use super::Driver;
use crate::runtime::transport::Io;
use crate::runtime::{buffers, now};

impl Driver {
    /// Whether nothing is to be looked after until something arrives, is queued, or its time comes.
    pub(super) fn is_calm(&self) -> bool {
        self.reads_on
            && self.tidy_at.is_some()
            && self.backlog.is_empty()
            && self.waiting_until.is_none()
            && self.closing.is_none()
            && !self.crowded
            && self.at_work() == 0
            && self.life.is_calm()
            && self.connection.is_calm()
    }

    /// Writes the frames that were queued since the last visit, if that is all that is to be done, and
    /// rests again. Else the visit goes on from where this leaves it.
    pub(super) fn deliver(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.io.as_ref().is_some_and(Io::is_silent) {
            return false;
        }
        self.now = now();
        if self.timer_at.is_some_and(|at| at <= self.now) {
            return false;
        }
        let most = self.connection.most_to_send();
        let Some(frames) = self.link.outbox.take_frames(most) else {
            return false;
        };
        self.active = true;
        self.expected = 0;
        let borrow_frames = if self.connection.is_plain() {
            Vec::new
        } else {
            buffers::borrow_frames
        };
        self.connection.give_output(borrow_frames, buffers::borrow);
        self.connection
            .send_lines(frames.iter().map(|frame| &**frame));
        self.flush(cx);
        if self.connection.output_len() > 0 || self.connection.is_broken() || self.io.is_none() {
            return false;
        }
        self.take_output_back();
        self.is_calm = self.link.outbox.wait_after(frames, cx.waker());
        self.is_calm
    }
}
