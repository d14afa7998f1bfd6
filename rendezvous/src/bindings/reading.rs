//! Reading the file of bindings, of which the end may be torn.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::BindingsError;
use super::journal::HEADER;
use super::line::parse;
use crate::state::{Change, Day, Table};

/// No line is longer: an id that is bound has at most 1,024 bytes.
const LONGEST_LINE: u64 = 4_096;

/// What the file at `path` says. Where there is none, or an empty one, nothing.
///
/// What follows the last good line is dropped: the machine stopped while it was written, and nobody was
/// told that it was.
pub(super) fn read(path: &Path, today: Day) -> Result<Table, BindingsError> {
    let io = |error| BindingsError::io(path, error);
    let malformed = |line, problem| BindingsError::Malformed {
        path: path.to_owned(),
        line,
        problem,
    };
    let mut table = Table::default();
    let mut lines = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(table),
        file => Lines::new(file.map_err(io)?),
    };
    match lines.next().map_err(io)? {
        None => return Ok(table),
        Some(Text::Line(line)) if line == HEADER => {}
        // Such a file is never without its first line, so it is not written over either.
        Some(_) => {
            let problem = "it is no file of bindings, or one of a later version";
            return Err(malformed(1, problem.to_owned()));
        }
    }
    let (first, problem) = loop {
        let Some(text) = lines.next().map_err(io)? else {
            return Ok(table);
        };
        let problem = match text.change(today) {
            Ok(change) if table.apply(&change).is_ok() => continue,
            Ok(_) => {
                let problem = "its id is not bound by a line above".to_owned();
                return Err(malformed(lines.number, problem));
            }
            Err(problem) => problem,
        };
        break (lines.number, problem);
    };
    let mut bytes = lines.bytes;
    while let Some(text) = lines.next().map_err(io)? {
        if text.change(today).is_ok() {
            return Err(malformed(first, problem));
        }
        bytes += lines.bytes;
    }
    tracing::warn!(
        file = ?path,
        line = first,
        bytes,
        "dropped the end of the bindings, which was cut off or torn"
    );
    Ok(table)
}

/// What stands up to a line end, or to the end of the file.
enum Text<'a> {
    Line(&'a [u8]),
    /// The file ends before the line does.
    Cut,
    TooLong,
}

impl Text<'_> {
    /// The change that it says; or what is wrong with it.
    fn change(&self, today: Day) -> Result<Change, String> {
        let change = match self {
            Self::Line(line) => parse(line)?,
            Self::Cut => return Err("it is cut off".to_owned()),
            Self::TooLong => return Err("it is too long".to_owned()),
        };
        // The clock was ahead: what it says would be kept for as much longer.
        Ok(match change {
            Change::Bind { id, key, used } => Change::Bind {
                id,
                key,
                used: used.min(today),
            },
            Change::Use { id, used } => Change::Use {
                id,
                used: used.min(today),
            },
            Change::Unbind { id } => Change::Unbind { id },
        })
    }
}

struct Lines {
    reader: BufReader<File>,
    text: Vec<u8>,
    /// Which line was read last, counted from 1.
    number: usize,
    /// How many bytes it had, with its end.
    bytes: u64,
}

impl Lines {
    fn new(file: File) -> Self {
        Self {
            reader: BufReader::new(file),
            text: Vec::new(),
            number: 0,
            bytes: 0,
        }
    }

    fn next(&mut self) -> io::Result<Option<Text<'_>>> {
        self.number += 1;
        self.bytes = 0;
        loop {
            self.text.clear();
            let mut limited = (&mut self.reader).take(LONGEST_LINE);
            let bytes = limited.read_until(b'\n', &mut self.text)? as u64;
            let is_long = self.bytes > 0;
            self.bytes += bytes;
            let whole = self.text.pop_if(|byte| *byte == b'\n').is_some();
            return Ok(match (whole, is_long) {
                // Its rest is no line of its own.
                (false, _) if bytes == LONGEST_LINE => continue,
                (_, true) => Some(Text::TooLong),
                (true, false) => Some(Text::Line(&self.text)),
                (false, false) => (bytes > 0).then_some(Text::Cut),
            });
        }
    }
}
