//! A link between two hosts: two pipes, and its two ends.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::pipe::{Found, Pipe};
use crate::random::Random;

/// What the network does to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Both ends get `ConnectionReset`; bytes on their way are lost.
    Reset,
    /// Nothing moves before this time.
    Stall(Instant),
    /// The stream of one end (0 or 1) ends for the other, which can still send.
    HalfClose(usize),
    /// What this end sends from now on vanishes without an error.
    Hole(usize),
    /// What either end sends does.
    Silence,
}

#[derive(Debug)]
pub(super) struct Link {
    /// The hosts: who dialled, and whom.
    pub(super) hosts: [String; 2],
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `pipes[n]` is what end `n` writes.
    pipes: [Pipe; 2],
    is_reset: bool,
    /// Whether the end was dropped.
    is_gone: [bool; 2],
    /// When something began to vanish in it.
    hole_since: Option<Instant>,
    random: Random,
}

impl Link {
    pub(super) fn open(hosts: [String; 2], mut random: Random) -> (Arc<Self>, [End; 2]) {
        let delay = match random.below(8) {
            0 => random.ms_below(250),
            _ => random.ms_below(30),
        };
        let pipes = [(); 2].map(|()| Pipe::new(random.fork(), delay));
        let state = State {
            pipes,
            is_reset: false,
            is_gone: [false; 2],
            hole_since: None,
            random,
        };
        let link = Arc::new(Self {
            hosts,
            state: Mutex::new(state),
        });
        let ends = [0, 1].map(|side| End {
            link: Arc::clone(&link),
            side,
            has_shut: false,
            timer: None,
        });
        (link, ends)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_of(&self, host: &str) -> bool {
        self.hosts.iter().any(|other| other == host)
    }

    /// Whether anything can still happen to it.
    pub(super) fn is_up(&self) -> bool {
        let state = self.lock();
        !state.is_reset && state.is_gone != [true; 2]
    }

    pub(super) fn suffer(&self, fault: Fault) {
        self.change(|state| match fault {
            Fault::Reset => state.is_reset = true,
            Fault::Stall(until) => state.pipes.iter_mut().for_each(|pipe| pipe.stall(until)),
            Fault::HalfClose(side) => state.pipes[side].end(),
            Fault::Hole(side) => {
                state.pipes[side].vanish();
                state.hole_since.get_or_insert_with(Instant::now);
            }
            Fault::Silence => {
                state.pipes.iter_mut().for_each(Pipe::vanish);
                state.hole_since.get_or_insert_with(Instant::now);
            }
        });
    }

    /// Whether bytes have vanished in it for so long.
    pub(super) fn is_hole_for(&self, time: Duration) -> bool {
        let since = self.lock().hole_since;
        since.is_some_and(|since| since.elapsed() >= time)
    }

    /// Lets go on what stalls. A black hole stays one, unless its ends are to be told.
    pub(super) fn heal(&self, tells_holes: bool) {
        self.change(|state| {
            state.pipes.iter_mut().for_each(Pipe::resume);
            state.is_reset |= tells_holes && state.hole_since.is_some();
        });
    }

    /// Changes something that both ends have to look at. They are woken without the lock: a waker may
    /// own the last of an end.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let wakers = state.pipes.each_mut().map(Pipe::wakers);
        drop(state);
        wake(wakers.into_iter().flatten());
    }
}

fn wake(wakers: impl IntoIterator<Item = Option<Waker>>) {
    wakers.into_iter().flatten().for_each(Waker::wake);
}

/// One end of a link, as a socket would be.
#[derive(Debug)]
pub(crate) struct End {
    link: Arc<Link>,
    side: usize,
    has_shut: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl End {
    /// Waits until `at`; whether it has come meanwhile.
    fn has_come(&mut self, at: Instant, cx: &mut Context<'_>) -> bool {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at || timer.is_elapsed() {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let link = Arc::clone(&self.link);
            let mut state = link.lock();
            if state.is_reset {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            let pipe = &mut state.pipes[1 - self.side];
            let found = pipe.read(buffer.remaining(), |bytes| buffer.put_slice(bytes));
            match found {
                Found::Bytes => {
                    let writer = pipe.writer.take();
                    drop(state);
                    wake([writer]);
                    return Poll::Ready(Ok(()));
                }
                Found::End => return Poll::Ready(Ok(())),
                Found::Nothing | Found::Later(_) => {
                    let before = pipe.reader.replace(cx.waker().clone());
                    drop(state);
                    drop(before);
                }
            }
            match found {
                Found::Later(at) if self.has_come(at, cx) => {}
                _ => return Poll::Pending,
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.link.lock();
        if state.is_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let pipe = &mut state.pipes[self.side];
        if self.has_shut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = pipe.write(bytes);
        if count == 0 && !bytes.is_empty() {
            let before = pipe.writer.replace(cx.waker().clone());
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        let reader = pipe.reader.take();
        // A host answers with a reset what comes for a program that is gone.
        let is_refused = state.is_gone[1 - self.side] && !state.pipes[self.side].is_hole();
        drop(state);
        wake([reader]);
        if is_refused {
            self.link.suffer(Fault::Reset);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.has_shut = true;
        let side = self.side;
        self.link.change(|state| state.pipes[side].end());
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    /// What was written is still delivered; where not all was read, a system may reset the link.
    fn drop(&mut self) {
        let side = self.side;
        self.link.change(|state| {
            state.is_gone[side] = true;
            state.pipes[side].end();
            let other = &state.pipes[1 - side];
            let unread = other.has_bytes() && !state.pipes[side].is_hole();
            state.is_reset |= unread && state.random.one_in(2);
        });
    }
}
