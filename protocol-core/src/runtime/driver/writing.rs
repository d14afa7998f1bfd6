//! What the driver writes, and the end of it.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::{Driver, FLUSH_BYTES};
use crate::error::CloseReason;

/// Frames, and their bytes, passed on before other tasks get a turn, so that a burst does not fill
/// the queue of a peer that would read it.
const RELAYS_A_TURN: (usize, usize) = (64, 64 * 1024);

impl Driver {
    /// Takes note of frames, and their bytes, that made others receive something. After so many of
    /// them those others get their turn to write it.
    pub(super) async fn give_turn(&mut self, more_frames: usize, more_bytes: usize) {
        let (frames, bytes) = &mut self.relays;
        *frames += more_frames;
        *bytes += more_bytes;
        if *frames >= RELAYS_A_TURN.0 || *bytes >= RELAYS_A_TURN.1 {
            self.relays = (0, 0);
            self.flush_now().await;
            tokio::task::yield_now().await;
        }
    }

    /// Writes what is due, as far as the socket takes it without waiting.
    pub(super) async fn flush_now(&mut self) {
        poll_fn(|cx| {
            self.flush(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Writes what is due. While tasks whose calls were answered send their next ones, others of them get
    /// a turn to add theirs to the same write; then this returns `true`, and the driver was woken.
    pub(super) fn flush_in_turn(&mut self, cx: &mut Context<'_>) -> bool {
        let others = match mem::take(&mut self.calls) {
            0 => 0,
            calls => self.expected.saturating_sub(calls),
        };
        self.expected = others + self.connection.take_answered();
        if others > 0 && self.connection.output_len() < FLUSH_BYTES {
            cx.waker().wake_by_ref();
            return true;
        }
        self.flush(cx);
        false
    }

    /// Goes on without the link where the session can, else gives it up.
    pub(super) fn lost_or_broken(&mut self, reason: CloseReason) {
        if !self.lost(&reason) {
            self.connection.broken(reason);
        }
    }

    pub(super) fn flush(&mut self, cx: &mut Context<'_>) {
        loop {
            let output = self.connection.output();
            let (false, Some(io)) = (output.is_empty(), &mut self.io) else {
                return;
            };
            match Pin::new(io).poll_write(cx, output) {
                Poll::Ready(Ok(0)) => {
                    self.lost_or_broken(io::Error::from(io::ErrorKind::WriteZero).into());
                }
                Poll::Ready(Ok(count)) => self.connection.written(count),
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => self.lost_or_broken(error.into()),
                Poll::Pending => {
                    self.connection.blocked(self.now);
                    return;
                }
            }
        }
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) {
        if !self.connection.wants_shutdown() || !self.backlog.is_empty() {
            return;
        }
        self.connection.finish();
        self.flush(cx);
        if !self.connection.wants_shutdown() {
            return;
        }
        // Plain sockets shut at once; a transport that waits is asked again at its wake-up.
        let is_shut = match &mut self.io {
            Some(io) => Pin::new(io).poll_shutdown(cx).is_ready(),
            None => true,
        };
        if is_shut {
            self.connection.shut_down(self.now);
        }
    }
}
