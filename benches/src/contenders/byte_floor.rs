//! The upper bound: the floor's framing and sizes, but nobody reads the JSON. The server echoes
//! each line, the client checks the counter where it must stand.

use anyhow::{Context as _, Result, ensure};

use super::{
    Contender, Load, Running,
    envelope::{RequestId, write_request},
    lines::{self, Dialogue},
};
use crate::{process::Announcement, work::Work};

#[derive(Debug)]
pub(super) struct ByteFloor;

impl Contender for ByteFloor {
    fn name(&self) -> &'static str {
        "byte-floor"
    }

    fn about(&self) -> &'static str {
        "json-floor's bytes echoed without reading the JSON"
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(lines::serve(announcement, echo, usize::MAX))
    }

    fn drive(&self, load: Load) -> Running {
        lines::drive::<Frames>(load, usize::MAX)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an `Answer` may fail")]
fn echo(line: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(line);
    out.push(b'\n');
    Ok(())
}

struct Frames {
    /// A request's frame around its id.
    before: Vec<u8>,
    after: Vec<u8>,
    id: RequestId,
    expected: RequestId,
}

impl Default for Frames {
    fn default() -> Self {
        let id = RequestId::first();
        let mut before = Vec::new();
        write_request(&Work::new(0), &id, &mut before).expect("work is always valid JSON");
        let after = before.split_off(before.len() - b"\"}\n".len());
        before.truncate(before.len() - RequestId::LEN);
        Self {
            before,
            after,
            id: id.clone(),
            expected: id,
        }
    }
}

impl Dialogue for Frames {
    fn ask(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.before);
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(&self.after);
        self.id.advance();
        Ok(())
    }

    fn check(&mut self, line: &[u8]) -> Result<usize> {
        let id = line
            .get(self.before.len()..)
            .and_then(|rest| rest.get(..RequestId::LEN))
            .context("an answer is too short")?;
        ensure!(
            id == self.expected.as_bytes(),
            "an answer to another request: {}",
            String::from_utf8_lossy(id)
        );
        self.expected.advance();
        Ok(0)
    }
}
