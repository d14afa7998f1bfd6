//! What the client prints: for people in words, for programs in JSON.
//!
//! Everything that came from the wire passes through here, and is escaped. Must not know how it
//! arrived.

mod advice;
mod answers;
mod escape;
mod help;
mod line;
mod record;
mod redact;
mod sink;

use std::io;
use std::time::Duration;

use protocol_core::wire::{FrameType, WireError};
use protocol_core::{Json, PeerIdentity};

use super::session::{Call, Ticket};
use crate::events::Room;
pub(super) use escape::escaped;
pub(in crate::cli) use escape::quoted;
use line::{Line, Tone};
use record::{Failure, Record};
pub(super) use sink::Sink;

/// Where and how things are shown.
#[derive(Debug)]
pub(super) struct Screen {
    sink: Sink,
    style: Style,
}

/// For whom things are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// People.
    Text,
    /// Programs.
    Json,
}

/// How things are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) format: Format,
    pub(super) colors: bool,
    /// Somebody looks at a terminal: credentials are hidden, what is long is cut.
    pub(super) terminal: bool,
    /// Lines come from a script: what goes wrong goes to stderr, with the line's number.
    pub(super) script: bool,
}

/// An event that arrived.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) kind: FrameType,
    /// None is the server.
    pub(super) from: Option<&'a str>,
    pub(super) dest: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) data: &'a Json,
    /// By which it can be answered.
    pub(super) number: Option<u64>,
}

/// A longer piece is cut on a terminal.
const LONGEST: usize = 4_096;

impl Screen {
    pub(super) fn new(sink: Sink, style: Style) -> Self {
        Self { sink, style }
    }

    /// An event has arrived; `sentence` is what it means, if that is known.
    pub(super) fn event(&mut self, event: &Event<'_>, sentence: Option<String>) -> io::Result<()> {
        if self.style.format == Format::Json {
            return self.record(&Record {
                kind: "event",
                frame: Some(event.kind.as_str()),
                from: event.from,
                dest: event.dest,
                name: Some(event.name),
                number: event.number,
                data: Some(event.data),
                ..Record::default()
            });
        }
        if let Some(sentence) = sentence {
            return self.line(
                &Line::default()
                    .then(Tone::Dim, "* ")
                    .then(Tone::Plain, sentence),
            );
        }
        let mut line = Line::default();
        if let Some(number) = event.number {
            line = line.then(Tone::Strong, format!("#{number} "));
        }
        line = match event.from {
            Some(peer) => line.peer(peer),
            None => line.then(Tone::Dim, "*"),
        };
        if let Some(room) = event.dest.and_then(|dest| dest.strip_prefix('#')) {
            line = line.then(Tone::Dim, format!(" to #{}:", quoted(room)));
        }
        let verb = if event.kind == FrameType::Request {
            " asks "
        } else {
            " "
        };
        line = line
            .then(Tone::Dim, verb)
            .then(Tone::Strong, event.name)
            .then(Tone::Plain, " ")
            .json(event.data);
        match (event.kind, event.number) {
            (FrameType::ConfirmPass, _) => line = line.then(Tone::Dim, " (acknowledged)"),
            (FrameType::Request, None) => line = line.then(Tone::Dim, " (refused: too many)"),
            (_, Some(n)) => {
                let how = format!(" (answer {n} JSON, or refuse {n} CODE MESSAGE)");
                line = line.then(Tone::Dim, how);
            }
            _ => {}
        }
        self.line(&line)
    }

    /// A call was answered, at a link to a server that is known as `server`.
    pub(super) fn answered(
        &mut self,
        call: &Call,
        data: &Json,
        took: Duration,
        server: Option<PeerIdentity>,
    ) -> io::Result<()> {
        if self.style.format == Format::Json {
            let is_login = call.peer.is_none() && call.name == "login";
            let server = server.filter(|_| is_login).map(PeerIdentity::key);
            return self.record(&Record {
                encrypted: server.map(|key| key.is_some()),
                server_key: server.flatten().map(|key| key.to_string()),
                ..Record::result(call.ticket, Some(data))
            });
        }
        let lines = match (&call.peer, call.kind) {
            (peer, FrameType::ConfirmPass) => {
                let who = match peer {
                    Some(peer) => Line::default().peer(peer),
                    None => Line::new("the server"),
                };
                vec![who.then(Tone::Plain, " has acknowledged it")]
            }
            (Some(peer), _) => {
                vec![
                    Line::default()
                        .peer(peer)
                        .then(Tone::Dim, " has answered ")
                        .json(data),
                ]
            }
            (None, _) => answers::of_server(&call.name, data, took, server),
        };
        self.lines(&lines)
    }

    /// A command is done that nobody answers.
    pub(super) fn done(&mut self, ticket: Ticket, text: &str) -> io::Result<()> {
        if self.style.format == Format::Json {
            return self.result(ticket, None);
        }
        match text {
            "" => Ok(()),
            _ => self.line(&Line::default().then(Tone::Dim, text)),
        }
    }

    /// A command has failed; `peer` is whose answer says so, if it is one's.
    pub(super) fn failed(
        &mut self,
        ticket: Ticket,
        peer: Option<&str>,
        error: &WireError,
    ) -> io::Result<()> {
        let Ticket { line, command } = ticket;
        let advice = advice::for_code(&error.code);
        if self.style.format == Format::Json {
            return self.record(&Record {
                kind: "result",
                line: Some(line),
                command: Some(command),
                ok: Some(false),
                from: peer,
                error: Some(Failure {
                    code: &error.code,
                    message: &error.message,
                    data: error.data.as_ref(),
                    advice,
                }),
                ..Record::default()
            });
        }
        let mut shown = Line::default().then(Tone::Bad, "error: ");
        if self.style.script && line > 0 {
            shown = shown.then(Tone::Plain, format!("line {line}: "));
        }
        if error.code != "usage" {
            shown = shown.then(Tone::Plain, format!("{command}: "));
            if let Some(peer) = peer {
                shown = shown.peer(peer).then(Tone::Plain, " ");
            }
            shown = shown
                .then(Tone::Strong, &*error.code)
                .then(Tone::Plain, ": ");
        }
        shown = shown.then(Tone::Plain, &error.message);
        if let (Some(data), "") = (&error.data, &*error.message) {
            shown = shown.then(Tone::Plain, " ").json(data);
        }
        let mut lines = vec![shown];
        if let Some(advice) = advice {
            lines.push(Line::default().then(Tone::Dim, format!("  try: {advice}")));
        }
        if self.style.script {
            for line in &lines {
                Sink::complain(&line.render(self.style.colors, usize::MAX));
            }
            return Ok(());
        }
        self.lines(&lines)
    }

    /// The rooms that one is in.
    pub(super) fn who(&mut self, ticket: Ticket, rooms: &[&Room]) -> io::Result<()> {
        if self.style.format == Format::Json {
            let rooms = Json::from_value(rooms).unwrap_or_default();
            return self.result(ticket, Some(&rooms));
        }
        if rooms.is_empty() {
            return self.line(&Line::new(
                "you are in no room: `rooms`, `join` or `create`",
            ));
        }
        let lines: Vec<_> = rooms.iter().flat_map(|room| answers::room(room)).collect();
        self.lines(&lines)
    }

    /// The list of commands, or more on one.
    pub(super) fn help(&mut self, ticket: Ticket, command: Option<&str>) -> io::Result<()> {
        if self.style.format == Format::Json {
            let text = help::lines(command).join("\n");
            return self.result(ticket, Json::from_value(&text).ok().as_ref());
        }
        let lines: Vec<_> = help::lines(command).into_iter().map(Line::new).collect();
        self.lines(&lines)
    }

    /// Something to know that nobody asked for; beside the output of a script.
    pub(super) fn notice(&mut self, text: &str) -> io::Result<()> {
        if self.style.format == Format::Json {
            return self.record(&Record {
                kind: "notice",
                message: Some(text),
                ..Record::default()
            });
        }
        let line = Line::default().then(Tone::Dim, format!("-- {text}"));
        if self.style.script {
            Sink::complain(&line.render(self.style.colors, usize::MAX));
            return Ok(());
        }
        self.line(&line)
    }

    fn result(&mut self, ticket: Ticket, data: Option<&Json>) -> io::Result<()> {
        self.record(&Record::result(ticket, data))
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.sink.print(record.render(self.style.terminal))
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let longest = if self.style.terminal {
            LONGEST
        } else {
            usize::MAX
        };
        self.sink.print(line.render(self.style.colors, longest))
    }

    fn lines(&mut self, lines: &[Line]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.line(line))
    }
}
