//! What a process has seen, line by line in a file that outlives it.
//!
//! A line is one write, made before the process goes on: what happened before a `kill -9` is there.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// What happened to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Verb {
    /// A call is about to be made.
    Started,
    /// It ended well: confirmed, or answered rightly.
    Confirmed,
    /// The receiver's handler said no.
    Refused,
    /// It was certainly not executed.
    Rejected,
    /// Nobody can tell.
    Unknown,
    /// It was answered with something else.
    Wrong,
    /// A handler is about to say yes.
    Processed,
    /// A handler is about to say no.
    Declined,
}

/// What kind of event it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Parcel,
    Ask,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The system's clock, in milliseconds.
    pub(crate) at_ms: u64,
    /// Which start of the process wrote it.
    pub(crate) incarnation: u32,
    pub(crate) verb: Verb,
    pub(crate) kind: Kind,
    /// Whom it went to, or came from.
    pub(crate) peer: String,
    pub(crate) number: u64,
    /// Why it ended so; empty where that says nothing.
    pub(crate) reason: String,
}

const VERBS: [(Verb, &str); 8] = [
    (Verb::Started, "started"),
    (Verb::Confirmed, "confirmed"),
    (Verb::Refused, "refused"),
    (Verb::Rejected, "rejected"),
    (Verb::Unknown, "unknown"),
    (Verb::Wrong, "wrong"),
    (Verb::Processed, "processed"),
    (Verb::Declined, "declined"),
];

const KINDS: [(Kind, &str); 2] = [(Kind::Parcel, "parcel"), (Kind::Ask, "ask")];

fn name<T: PartialEq>(names: &[(T, &'static str)], wanted: &T) -> &'static str {
    let found = names.iter().find(|(value, _)| value == wanted);
    found.expect("each has a name").1
}

fn value<T: Copy>(names: &[(T, &'static str)], wanted: &str) -> Option<T> {
    let found = names.iter().find(|(_, name)| *name == wanted);
    found.map(|(value, _)| *value)
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(&VERBS, self))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(&KINDS, self))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at_ms,
            incarnation,
            verb,
            kind,
            peer,
            number,
            reason,
        } = self;
        write!(
            f,
            "{at_ms} {incarnation} {verb} {kind} {peer} {number} {reason}"
        )
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.splitn(7, ' ');
        let mut word = || {
            words
                .next()
                .ok_or_else(|| format!("the line is cut: `{line}`"))
        };
        let bad = |word: &str| format!("`{word}` in `{line}`");
        let number = |word: &str| word.parse::<u64>().map_err(|_| bad(word));
        Ok(Self {
            at_ms: number(word()?)?,
            incarnation: word().and_then(|word| word.parse().map_err(|_| bad(word)))?,
            verb: word().and_then(|word| value(&VERBS, word).ok_or_else(|| bad(word)))?,
            kind: word().and_then(|word| value(&KINDS, word).ok_or_else(|| bad(word)))?,
            peer: word()?.to_owned(),
            number: number(word()?)?,
            reason: word()?.to_owned(),
        })
    }
}

/// The journal of a process at work.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Mutex<File>,
    incarnation: u32,
}

impl Journal {
    /// Goes on with the journal at `path`, which need not be there.
    pub(crate) fn open(path: &Path, incarnation: u32) -> Self {
        let file = OpenOptions::new().append(true).create(true).open(path);
        Self {
            file: Mutex::new(file.expect("the journal can be written")),
            incarnation,
        }
    }

    /// Writes a line, which the system has when this returns.
    pub(crate) fn write(&self, verb: Verb, kind: Kind, peer: &str, number: u64, reason: &str) {
        let entry = Entry {
            at_ms: now_ms(),
            incarnation: self.incarnation,
            verb,
            kind,
            peer: peer.to_owned(),
            number,
            reason: reason.replace('\n', " "),
        };
        let line = format!("{entry}\n");
        let mut file = self.file.lock().expect("no writer panics");
        let written = file
            .write(line.as_bytes())
            .expect("the journal can be written");
        assert_eq!(written, line.len(), "a line is one write");
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.expect("later than 1970").as_millis()).expect("not that late")
}

/// A journal as it grows, read by somebody else.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Whose it is.
    pub(crate) of: String,
    path: PathBuf,
    file: Option<File>,
    /// What was read of a line whose end is not there yet.
    rest: String,
    pub(crate) entries: Vec<Entry>,
}

impl Reader {
    /// The journal at `path`, of the process `of`.
    pub(crate) fn new(of: &str, path: &Path) -> Self {
        Self {
            of: of.to_owned(),
            path: path.to_owned(),
            file: None,
            rest: String::new(),
            entries: Vec::new(),
        }
    }

    /// Reads what was added.
    pub(crate) fn read_on(&mut self) {
        if self.file.is_none() {
            // The process writes its first line when it has something to say.
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else { return };
        file.read_to_string(&mut self.rest)
            .expect("the journal is text");
        let whole = self.rest.rfind('\n').map_or(0, |end| end + 1);
        let rest = self.rest.split_off(whole);
        let lines = std::mem::replace(&mut self.rest, rest);
        let entries = lines
            .lines()
            .map(|line| line.parse().expect("a line of ours"));
        self.entries.extend(entries);
    }
}
