//! The JSON floor: the project's envelope over a hand-written server and a tight client. What all
//! ratios are to.

use anyhow::Result;

use super::{
    Contender, Load, Running,
    envelope::{RequestId, answer, read_response, write_request},
    lines::{self, Dialogue},
};
use crate::{
    mode::{Mode, Workload},
    process::Announcement,
    work::{self, Work},
};

/// The floor itself.
pub(super) const ONE_WRITE_A_BATCH: JsonFloor = JsonFloor {
    name: "json-floor",
    about: "hand-written server and tight client, one write a read batch",
    flush_at: usize::MAX,
    is_the_floor: true,
};

/// The floor when both sides work at once, because neither waits for a whole batch.
pub(super) const EARLY_FLUSH: JsonFloor = JsonFloor {
    name: "json-early",
    about: "json-floor that also writes whenever 8 KiB are ready, on both sides",
    flush_at: 8 * 1024,
    is_the_floor: false,
};

#[derive(Debug)]
pub(super) struct JsonFloor {
    name: &'static str,
    about: &'static str,
    /// Bytes that are written before the batch is done.
    flush_at: usize,
    /// Whether it is measured in more than the modes of requests.
    is_the_floor: bool,
}

impl Contender for JsonFloor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn takes(&self, mode: &Mode) -> bool {
        match mode.workload {
            Workload::Request => true,
            Workload::Confirmed | Workload::InTurn | Workload::Broadcast => false,
            Workload::Connect | Workload::Idle | Workload::Relay => self.is_the_floor,
        }
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(lines::serve(announcement, answer, self.flush_at))
    }

    fn drive(&self, load: Load) -> Running {
        lines::drive::<Echoes>(load, self.flush_at)
    }
}

struct Echoes {
    work: Work,
    request_id: RequestId,
    expected: u64,
    expected_request_id: RequestId,
}

impl Default for Echoes {
    fn default() -> Self {
        Self {
            work: Work::new(0),
            request_id: RequestId::first(),
            expected: 0,
            expected_request_id: RequestId::first(),
        }
    }
}

impl Dialogue for Echoes {
    fn ask(&mut self, out: &mut Vec<u8>) -> Result<()> {
        write_request(&self.work, &self.request_id, out)?;
        self.work.id += 1;
        self.request_id.advance();
        Ok(())
    }

    fn check(&mut self, line: &[u8]) -> Result<usize> {
        let work = read_response(line, &self.expected_request_id)?;
        work::check(self.expected, work.id)?;
        self.expected += 1;
        self.expected_request_id.advance();
        Ok(0)
    }
}
