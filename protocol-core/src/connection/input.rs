//! What arrived and is not handled yet: bytes, a partial frame, events set aside.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::time::Instant;

use bytes::{Buf, BytesMut};

use crate::wire::{LineSplitter, TooLong};

#[derive(Default)]
pub(super) struct Input {
    /// As read from the socket.
    pub(super) wire: BytesMut,
    /// Through the codec: frames and at most one partial frame.
    pub(super) plain: BytesMut,
    lines: LineSplitter,
    /// Since when the frame at the front waits for its end.
    pub(super) frame_since: Option<Instant>,
    pub(super) aside: VecDeque<Box<[u8]>>,
    pub(super) aside_bytes: usize,
    /// How many of these are for other peers.
    pub(super) aside_transit: usize,
    pub(super) ended: bool,
    /// Bytes of lines that are done with.
    pub(super) consumed: u64,
    /// Bytes that arrived and are part of no frame: what the codec took off.
    pub(super) overhead: u64,
    /// Those of them that are not yet charged to the peer's rate.
    uncharged: usize,
}

pub(super) enum Taken {
    Nothing,
    /// A line that was set aside earlier.
    Aside(Box<[u8]>),
    /// A line in `plain`; the whole of it, with its end, is to be consumed afterwards.
    Line {
        content: Range<usize>,
        consumed: usize,
    },
}

impl Input {
    pub(super) fn take(&mut self, limit: usize) -> Result<Taken, TooLong> {
        if let Some(line) = self.aside.pop_front() {
            self.aside_bytes -= line.len();
            return Ok(Taken::Aside(line));
        }
        Ok(match self.take_line(limit)? {
            Some((content, consumed)) => Taken::Line { content, consumed },
            None => Taken::Nothing,
        })
    }

    /// The next line, which may be empty.
    pub(super) fn take_line(
        &mut self,
        limit: usize,
    ) -> Result<Option<(Range<usize>, usize)>, TooLong> {
        let line = self.lines.next(&self.plain, limit)?;
        Ok(line.map(|line| (line.range(), line.consumed)))
    }

    pub(super) fn set_aside(&mut self, content: Range<usize>, transit: bool) {
        self.aside_transit += usize::from(transit);
        self.aside_bytes += content.len();
        self.aside.push_back(self.plain[content].into());
    }

    /// Drops a line that is done with; the next one has its own time.
    pub(super) fn consume(&mut self, count: usize) {
        if count > 0 {
            if count == self.plain.len() {
                // The whole buffer stays in reach, which an advance would cut off.
                self.plain.clear();
            } else {
                self.plain.advance(count);
            }
            self.consumed += count as u64;
            self.frame_since = None;
        }
    }

    /// Takes note of bytes that arrived and are part of no frame.
    pub(super) fn note_overhead(&mut self, count: usize) {
        self.overhead += count as u64;
        self.uncharged += count;
    }

    pub(super) fn take_uncharged(&mut self) -> usize {
        mem::take(&mut self.uncharged)
    }

    pub(super) fn has_partial(&self) -> bool {
        !self.plain.is_empty() || !self.wire.is_empty()
    }

    /// Drops so many of the lines that were set aside.
    pub(super) fn forget_first(&mut self, count: usize) {
        for line in self.aside.drain(..count.min(self.aside.len())) {
            self.aside_bytes -= line.len();
        }
    }

    /// Drops the lines that were set aside after so many of them.
    pub(super) fn forget_since(&mut self, kept: usize) {
        // Of a client, whose frames are for itself alone.
        for line in self.aside.drain(kept.min(self.aside.len())..) {
            self.aside_bytes -= line.len();
        }
    }

    /// Drops what has begun and will not end: its link is lost.
    pub(super) fn cut_off(&mut self) {
        self.wire.clear();
        let whole = memchr::memrchr(b'\n', &self.plain).map_or(0, |end| end + 1);
        self.plain.truncate(whole);
        self.lines = LineSplitter::default();
        self.frame_since = None;
        self.ended = false;
    }

    /// Takes all frames that are not handled yet, those that were set aside first.
    pub(super) fn take_all(&mut self) -> BytesMut {
        let mut all =
            BytesMut::with_capacity(self.aside_bytes + self.aside.len() + self.plain.len());
        for line in self.aside.drain(..) {
            all.extend_from_slice(&line);
            all.extend_from_slice(b"\n");
        }
        all.extend_from_slice(&self.plain);
        self.plain.clear();
        (self.aside_bytes, self.aside_transit) = (0, 0);
        self.lines = LineSplitter::default();
        all
    }

    pub(super) fn discard(&mut self) {
        self.wire.clear();
        self.plain.clear();
        self.lines = LineSplitter::default();
        self.aside.clear();
        self.aside_bytes = 0;
        self.aside_transit = 0;
    }

    /// Gives the buffers of an idle link back. What has begun moves to a buffer of its own size, so
    /// that many unfinished frames do not hold many read buffers.
    pub(super) fn give_back(&mut self, mut back: impl FnMut(BytesMut)) {
        for buffer in [&mut self.wire, &mut self.plain] {
            if buffer.capacity() == 0 {
                continue;
            }
            if buffer.is_empty() {
                back(mem::take(buffer));
            } else if buffer.capacity() > 4 * buffer.len() {
                let begun = BytesMut::from(&buffer[..]);
                back(mem::replace(buffer, begun));
            }
        }
    }
}
