//! The driver's other half: the socket, the queue of handles, the timers.

use std::io;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::AsyncReadExt;
use tokio::task::coop;
use tokio::time::Sleep;

use super::tidy::TIDY_AFTER;
use super::{Driver, admit};
use crate::connection::{Closing, Incoming, Outgoing, due};
use crate::error::CloseReason;
use crate::metrics;
use crate::router::{Service, spare};
use crate::runtime::{buffers, now};

/// Reads without a pause in one visit of the scheduler; then other tasks get their turn.
const READS_A_TURN: usize = 8;

impl Driver {
    /// Serves the socket, the queue and the timers until an event may be there, or, while a handler
    /// works, until its deadline.
    pub(super) fn poll_link<S: Service>(
        &mut self,
        cx: &mut Context<'_>,
        service: &S,
        handler: Option<Instant>,
    ) -> Poll<()> {
        let was_broken = self.connection.is_broken();
        if mem::take(&mut self.is_calm) && handler.is_none() && self.deliver(cx) {
            return Poll::Pending;
        }
        self.now = now();
        self.lend_output();
        let handling = handler.is_some();
        let was_paused = self.connection.is_paused();
        let was_relaying = self.connection.relayed_calls() > 0;
        loop {
            self.note_identity();
            // Whoever rested has set a timer for the first of them.
            if self.timer_at.is_none_or(|at| at <= self.now)
                && self
                    .connection
                    .next_deadline()
                    .is_some_and(|due| due <= self.now)
            {
                let lost = self.connection.is_lost(self.now);
                if let Some(reason) = lost.or_else(|| self.connection.is_stuck(self.now)) {
                    self.lost(&reason);
                }
                self.connection.handle_timeout(self.now);
            }
            if self.poll_session(cx) && !handling {
                return Poll::Ready(());
            }
            if !handling && self.tidy_at.is_some_and(|at| at <= self.now) {
                return Poll::Ready(());
            }
            self.settle();
            if was_paused && !self.connection.is_paused() && !handling {
                // What was read before is taken before more is read.
                return Poll::Ready(());
            }
            let closing = self.closing;
            // While the output is full nothing is read, so nothing but its flush wakes the reader.
            let was_full = self.connection.is_output_full();
            self.collect();
            self.cancel();
            if self.closing != closing
                && (self.closing == Some(Closing::Replace) || self.life.is_down())
            {
                // That is the session's, whatever handler is at work.
                continue;
            }
            let finished = self.poll_concurrent(cx);
            let arrived = self.poll_input(cx, service, handling);
            if self.connection.is_muted() {
                self.end_calls();
            }
            // What is in the input may be handled now, or the link may end.
            let resumed = was_relaying && self.connection.relayed_calls() == 0;
            let stop = match handler {
                Some(due) => due <= self.now,
                None => {
                    arrived
                        || resumed
                        || finished
                        || self.closing != closing
                        || self.connection.is_closed()
                }
            };
            if stop {
                return Poll::Ready(());
            }
            let due = self.connection.output_len();
            if self.flush_in_turn(cx) {
                return Poll::Pending;
            }
            if self.connection.is_broken() && !was_broken {
                self.end_calls();
            }
            let leaves = self.closing == Some(Closing::Flush) && self.backlog.is_empty();
            if leaves && self.poll_leaving(cx) && self.waiting_until.is_none() {
                self.connection.close();
            }
            if !self.awaits_handlers(handling) {
                self.poll_shutdown(cx);
            }
            let freed = was_full && !self.connection.is_output_full();
            // A link that broke has room for the events before its end, and nothing else wakes it.
            let broke = self.connection.is_broken() && !was_broken;
            if (freed || broke || self.connection.is_closed()) && !handling {
                return Poll::Ready(());
            }
            let wrote = self.connection.output_len() < due;
            let waiting = self.has_waiting();
            if arrived || freed || (wrote && waiting) {
                continue;
            }
            ready!(self.rest(cx, handler));
        }
    }

    /// What is answered and sent needs buffers, which an idle link does not hold.
    pub(super) fn lend_output(&mut self) {
        self.connection
            .give_output(buffers::borrow_frames, buffers::borrow);
    }

    pub(super) fn take_output_back(&mut self) {
        self.connection
            .give_back_output(buffers::give_back_frames, buffers::give_back);
    }

    /// Whether the end has to wait for answers of handlers at work.
    fn awaits_handlers(&self, handling: bool) -> bool {
        self.closing == Some(Closing::Leave)
            && (handling || self.at_work() > 0)
            && !self.connection.is_muted()
    }

    /// Whether somebody waits for room in the queue or the output, so that a visit is due when
    /// something was written.
    fn has_waiting(&self) -> bool {
        !self.backlog.is_empty()
            || self.waiting_until.is_some()
            || self.crowded
            || self.connection.has_streams_waiting()
    }

    /// Takes what handles queued, as far as the connection has room for it.
    pub(super) fn collect(&mut self) {
        let waiting = self.has_waiting();
        let called = self.link.outbox.calls_for_attention();
        if !waiting && !called {
            return;
        }
        self.active = true;
        if called {
            // Handlers may have worked since the visit began; a new call has its whole time.
            self.now = now();
        }
        loop {
            self.send_backlog();
            let sending = self.connection.output_len();
            let visit = self.link.outbox.visit(&mut self.backlog, sending, self.now);
            if visit.abandoned {
                self.connection.sweep_abandoned();
            }
            self.closing = visit.closing;
            self.waiting_until = visit.waiting_until;
            self.crowded = visit.crowded;
            if !visit.took {
                break;
            }
        }
        if self.closing >= Some(Closing::Leave) {
            self.connection.stop_taking();
        }
        match self.closing {
            Some(Closing::Leave) if self.backlog.is_empty() && self.waiting_until.is_none() => {
                if self.goes_on() {
                    self.connection.end_session();
                }
                self.connection.close();
            }
            Some(Closing::Drain) => self.connection.drain(),
            Some(Closing::Overflow) if !self.connection.is_broken() => {
                metrics::count(metrics::LINKS_OVERFLOWED);
                self.connection.broken(CloseReason::Overflowed);
            }
            Some(Closing::Leave | Closing::Flush | Closing::Replace | Closing::Overflow) | None => {
            }
        }
    }

    fn send_backlog(&mut self) {
        while self.connection.has_room_to_send() {
            match self.backlog.pop(self.connection.has_room_for_call()) {
                None => break,
                Some(Outgoing::Frame(frame) | Outgoing::Answer(frame)) => {
                    self.connection.send_frame(&frame);
                    spare::give_back(frame);
                }
                Some(Outgoing::Held(frame)) if self.goes_on() => {
                    self.connection.send_held(&frame);
                    let from = self.connection.resumable_from();
                    self.link.resumable_from.store(from, Ordering::Relaxed);
                }
                Some(Outgoing::Shared(frame) | Outgoing::Held(frame)) => {
                    self.connection.send_frame(&frame);
                }
                Some(Outgoing::Call(call)) => {
                    self.calls += 1;
                    self.connection.send_call(self.now, call);
                }
                Some(Outgoing::Relayed(answer)) => {
                    self.connection.relay_answer(&answer);
                    spare::give_back(answer.into_buffer());
                }
                Some(Outgoing::PeerGone(via)) => self.connection.peer_gone(via),
            }
        }
        self.connection.transmit(self.now);
        self.connection.set_held_back(self.backlog.answer_bytes());
    }

    /// Whether no further event may be handled now.
    pub(super) fn is_crowded(&self) -> bool {
        self.at_work() >= self.connection.limits().concurrent_handlers.max(1)
    }

    /// Reads what is there; whether something arrived that `next_event` has not seen.
    fn poll_input<S: Service>(
        &mut self,
        cx: &mut Context<'_>,
        service: &S,
        handling: bool,
    ) -> bool {
        self.reads_on = false;
        // An answer to another peer begins nothing here, so that no handler has to be done first.
        let relay = |incoming: &Incoming<'_>| admit(service, incoming).map(drop);
        // While no further event can be handled, only answers are worth reading, and the link's end
        // where somebody waits for it: a buffer's worth of events may stand before that.
        let held = handling || self.is_crowded() || self.life.is_greeting();
        let set_aside = held && self.connection.has_open_calls();
        let looks_ahead =
            || self.connection.input_len() < buffers::READ_BYTES && self.link.outbox.is_watched();
        if !self.connection.wants_read() || (held && !set_aside && !looks_ahead()) {
            self.connection.pause_input();
            // Whoever is not listened to is not silent.
            self.connection.heard(self.now);
            return false;
        }
        if set_aside {
            self.connection.set_aside(self.now, relay);
            if !self.connection.wants_read() {
                self.connection.pause_input();
                return false;
            }
        }
        if self.connection.needs_input_buffer() {
            self.connection.give_input(buffers::borrow());
        }
        if self.reads == READS_A_TURN {
            self.reads = 0;
            cx.waker().wake_by_ref();
            return false;
        }
        let Some(io) = &mut self.io else {
            return false;
        };
        let buffer = self.connection.read_buffer();
        buffer.reserve(buffers::READ_BYTES / 2);
        let read = pin!(io.read_buf(buffer)).poll(cx);
        match read {
            Poll::Ready(Ok(0)) => {
                let reason = self.connection.end_of_input();
                if self.lost(&reason) {
                    return true;
                }
                self.connection.input_ended();
                let reason = self.connection.close_reason();
                let reason = reason.unwrap_or(&CloseReason::PeerClosed);
                self.link.outbox.peer_left(reason);
            }
            Poll::Ready(Ok(_)) => {
                self.connection.received();
                self.connection.heard(self.now);
                if let Some(reason) = self.connection.codec_failure() {
                    if self.lost(&reason) {
                        return true;
                    }
                    if let CloseReason::RefusedByPeer(_) = reason {
                        self.connection.broken(reason);
                    }
                }
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => self.lost_or_broken(error.into()),
            Poll::Pending => {
                // tokio also says so to a task that has used up its turn.
                self.reads_on = coop::has_budget_remaining();
                let settled = self.reads_on && self.connection.input_is_drained();
                self.connection.give_back_input(buffers::give_back);
                self.reads = 0;
                return settled;
            }
        }
        if set_aside {
            self.connection.set_aside(self.now, relay);
        }
        self.reads += 1;
        true
    }

    /// Nothing is left to do now: sets the timer and the queue's waker.
    fn rest(&mut self, cx: &mut Context<'_>, handler: Option<Instant>) -> Poll<()> {
        if self.active && self.tidy_at.is_none() {
            self.active = false;
            self.tidy_at = Some(due(self.now, TIDY_AFTER));
        }
        let due = [
            self.connection.next_deadline(),
            self.tidy_at.filter(|_| handler.is_none()),
            self.waiting_until,
            self.life.due(self.closing.is_some()),
            handler,
        ];
        let due = due.into_iter().flatten().min();
        // A timer that was polled once wakes this task by itself.
        if let Some(due) = due
            && self.timer_at.is_none_or(|at| due < at || at <= self.now)
            && self.set_timer(due).poll(cx).is_ready()
        {
            self.timer_at = None;
            self.now = now();
            return Poll::Ready(());
        }
        self.take_output_back();
        if !self.link.has_mail() && self.link.outbox.wait(cx.waker()) {
            self.is_calm = handler.is_none() && self.is_calm();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    fn set_timer(&mut self, due: Instant) -> Pin<&mut Sleep> {
        let due = tokio::time::Instant::from_std(due);
        self.timer_at = Some(due.into_std());
        if let Some(timer) = &mut self.timer {
            timer.as_mut().reset(due);
        }
        let timer = &mut self.timer;
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        timer.as_mut()
    }
}
