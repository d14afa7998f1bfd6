//! What is ready to be taken from the queue: frames, and whatever else.

use std::collections::VecDeque;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;

use super::queue::Outgoing;
use crate::connection::pending::Waiter;

/// What is ready for the driver, in order.
#[derive(Default)]
#[repr(C)]
pub(super) struct Ready {
    /// Frames that nothing else goes before. Alone they take a quarter of the memory.
    pub(super) frames: VecDeque<Frame>,
    pub(super) bytes: usize,
    pub(super) rest: VecDeque<Outgoing>,
}

/// A whole frame, which may be missed.
pub(crate) enum Frame {
    Own(Vec<u8>),
    Shared(Arc<[u8]>),
}

impl Ready {
    pub(super) fn len(&self) -> usize {
        self.frames.len() + self.rest.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn push(&mut self, outgoing: Outgoing) {
        self.bytes += outgoing.len();
        match outgoing {
            Outgoing::Frame(frame) if self.rest.is_empty() => {
                self.frames.push_back(Frame::Own(frame));
            }
            Outgoing::Shared(frame) if self.rest.is_empty() => {
                self.frames.push_back(Frame::Shared(frame));
            }
            outgoing => self.rest.push_back(outgoing),
        }
    }

    /// Takes the frames, where there is nothing else and they are no more than so many bytes.
    pub(super) fn take_frames(&mut self, most_bytes: usize) -> Option<VecDeque<Frame>> {
        if !self.rest.is_empty() || self.bytes > most_bytes {
            return None;
        }
        self.bytes = 0;
        Some(mem::take(&mut self.frames))
    }

    /// Gets the places of frames back that were sent.
    pub(super) fn give_back(&mut self, frames: VecDeque<Frame>) {
        if self.frames.capacity() == 0 {
            self.frames = frames;
        }
    }

    /// Frees what a burst took.
    pub(super) fn release_idle(&mut self) {
        release(&mut self.frames);
        release(&mut self.rest);
    }

    /// Those who wait for what is ready.
    pub(super) fn into_waiters(self) -> impl Iterator<Item = Arc<dyn Waiter>> {
        self.rest.into_iter().filter_map(Outgoing::into_waiter)
    }
}

impl Deref for Frame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(frame) => frame,
            Self::Shared(frame) => frame,
        }
    }
}

impl From<Frame> for Outgoing {
    fn from(frame: Frame) -> Self {
        match frame {
            Frame::Own(frame) => Self::Frame(frame),
            Frame::Shared(frame) => Self::Shared(frame),
        }
    }
}

/// Commands whose places an idle link keeps.
const KEPT_COMMANDS: usize = 16;

/// Frees the places of a burst.
pub(super) fn release<T>(queue: &mut VecDeque<T>) {
    if queue.is_empty() && queue.capacity() > KEPT_COMMANDS {
        *queue = VecDeque::new();
    }
}
