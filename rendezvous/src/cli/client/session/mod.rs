//! A session with a server: what is typed goes out, what arrives is shown and answered.
//!
//! Owns the link. Must not know where lines come from or how things look.

mod by_hand;
mod calls;
mod frames;
mod happening;
mod linked;
mod perform;
mod picture;
mod receive;
mod waits;

use std::io;
use std::time::Duration;

use protocol_core::Json;
use protocol_core::wire::{ErrorCode, WireError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

use super::command::{Field, parse};
use super::connect::Cause;
use super::input::{Input, Inputs};
use super::known::Known;
use super::link::Link;
use super::security::Security;
use super::show::Screen;
use crate::cli::signals::Signals;
use crate::events::Secret;
use calls::{Asked, Calls};
pub(super) use calls::{Call, Ticket};
use happening::Happening;
use picture::Picture;
pub(super) use picture::label;
use waits::Waits;

/// What a session is asked for.
#[derive(Debug)]
pub(super) struct Options {
    /// A host and a port.
    pub(super) server: String,
    pub(super) security: Security,
    /// Who logs in at the start, and the token of that id.
    pub(super) id: String,
    pub(super) token: Option<Secret>,
    /// How long anything may take.
    pub(super) timeout: Duration,
    /// One command after the other, each to its end; the first that fails ends it.
    pub(super) script: bool,
    /// A script goes on after a command that failed.
    pub(super) keep_going: bool,
}

/// How a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// Whoever types had enough.
    Left { failed: bool },
    /// There is no server, or it does not let anybody in.
    CannotConnect(String),
    /// The server holds another key than it should.
    OtherKey(String),
    /// What it was called with does not hold together.
    Usage(String),
    /// A file of keys cannot be used.
    KeyFile(String),
    /// The server does not take this id.
    Refused,
    /// The server has not answered the login, or does not take such links.
    Unserved,
    /// The link ended, and nobody here wanted that.
    Lost(String),
    /// A signal ended it.
    Signal(&'static str),
}

/// More than this many commands at once are made to wait.
const MOST_AT_WORK: usize = 64;

/// How long logging out at the end may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// One person's or script's session.
#[derive(Debug)]
pub(super) struct Session {
    options: Options,
    screen: Screen,
    known: watch::Sender<Known>,
    signals: Signals,
    /// A signal that came while something was done that had to be broken off.
    signal: Option<&'static str>,
    link: Option<Link>,
    calls: Calls,
    asked: Asked,
    waits: Waits,
    picture: Picture,
    /// What the last list of rooms asked for, and where it ended.
    list: (Vec<Field>, Option<Json>),
    /// What the ids of this process's calls start with.
    process: String,
    last_id: u64,
    /// What the server said before it ended the link.
    last_word: Option<String>,
    /// Whether that was that it takes encrypted links only.
    turned_away: bool,
    /// Why the link ended, if nobody here wanted that.
    lost: Option<String>,
    failed: bool,
    /// The end has come: nothing more is shown of what was asked.
    leaving: bool,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Leave,
}

impl Session {
    pub(super) fn new(
        options: Options,
        screen: Screen,
        known: watch::Sender<Known>,
        signals: Signals,
    ) -> Self {
        Self {
            options,
            screen,
            known,
            signals,
            signal: None,
            link: None,
            calls: Calls::default(),
            asked: Asked::default(),
            waits: Waits::default(),
            picture: Picture::default(),
            list: (Vec::new(), None),
            process: Uuid::new_v4().simple().to_string()[..8].to_owned(),
            last_id: 0,
            last_word: None,
            turned_away: false,
            lost: None,
            failed: false,
            leaving: false,
        }
    }

    /// Connects and logs in; how it ended where that is not possible.
    pub(super) async fn log_in(&mut self) -> io::Result<Option<End>> {
        if let Err(none) = self.connect().await? {
            let end = self.signal.map(End::Signal);
            return Ok(Some(end.unwrap_or(match none.cause {
                Cause::KeyFile => End::KeyFile(none.reason),
                Cause::OtherKey => End::OtherKey(none.reason),
                Cause::PlainByVariable => End::Usage(none.reason),
                Cause::Unreachable | Cause::EncryptionRefused => End::CannotConnect(none.reason),
            })));
        }
        let started = Instant::now();
        let ticket = Ticket {
            line: 0,
            command: "login",
        };
        let fields = vec![Field::text("id", &self.options.id)];
        self.ask_server(ticket, "login", fields).await?;
        while !self.calls.is_empty() {
            match self.happening(None).await {
                Happening::Signal(name) => return Ok(Some(End::Signal(name))),
                happening => self.handle(happening).await?,
            }
        }
        if let Some(name) = self.signal {
            return Ok(Some(End::Signal(name)));
        }
        let end = match (self.is_logged_in(), self.lost.take()) {
            (true, _) => return Ok(None),
            (false, _) if self.turned_away => End::Unserved,
            (false, Some(reason)) => End::Lost(reason),
            (false, None) if started.elapsed() >= self.options.timeout => End::Unserved,
            (false, None) => End::Refused,
        };
        self.log_out().await?;
        Ok(Some(end))
    }

    /// Does what is typed, until there is no more or whoever types has had enough.
    pub(super) async fn run(&mut self, inputs: &mut Inputs) -> io::Result<End> {
        let end = loop {
            if let Some(name) = self.signal.take()
                && self.is_ended_by(name)
            {
                break End::Signal(name);
            }
            let is_idle = self.calls.is_empty() && self.waits.is_empty();
            if is_idle {
                inputs.go_on();
            }
            if self.options.script {
                if let Some(reason) = self.lost.take() {
                    return Ok(End::Lost(reason));
                }
                if self.failed && !self.options.keep_going {
                    break End::Left { failed: true };
                }
            }
            let takes = if self.options.script {
                is_idle
            } else {
                self.calls.len() + self.waits.len() < MOST_AT_WORK
            };
            let inputs_now = takes.then_some(&mut *inputs);
            match self.happening(inputs_now).await {
                Happening::Input(Some(Input::Line { number, text })) => {
                    if self.typed(number, &text).await? == Flow::Leave {
                        break self.left();
                    }
                }
                Happening::Input(Some(Input::End) | None) => break self.left(),
                Happening::Input(Some(Input::Failed(reason))) => {
                    let ticket = Ticket {
                        line: inputs.number() + 1,
                        command: "input",
                    };
                    self.usage(ticket, &reason)?;
                    break End::Left { failed: true };
                }
                Happening::Signal(name) if self.is_ended_by(name) => {
                    break End::Signal(name);
                }
                happening => self.handle(happening).await?,
            }
        };
        inputs.leave();
        self.log_out().await?;
        Ok(end)
    }

    /// Ctrl-C at a terminal breaks off what is being done, and no more.
    fn is_ended_by(&self, signal: &str) -> bool {
        self.options.script || signal == "SIGTERM"
    }

    fn left(&mut self) -> End {
        match self.lost.take() {
            Some(reason) => End::Lost(reason),
            None => End::Left {
                failed: self.options.script && self.failed,
            },
        }
    }

    async fn typed(&mut self, line: u64, text: &str) -> io::Result<Flow> {
        match parse(text) {
            Ok(None) => Ok(Flow::On),
            Ok(Some(parsed)) => {
                let command = parsed.name;
                self.perform(Ticket { line, command }, parsed.command).await
            }
            Err(error) => {
                let command = "input";
                self.usage(Ticket { line, command }, &error)?;
                Ok(Flow::On)
            }
        }
    }

    /// What happens by itself.
    async fn handle(&mut self, happening: Happening) -> io::Result<()> {
        match happening {
            Happening::Frame(Ok(Some(line))) => self.receive(&line).await,
            Happening::Frame(Ok(None)) => {
                let reason = self.last_word.take();
                self.lose(reason.unwrap_or_else(|| "the server ended it".to_owned()))
            }
            Happening::Frame(Err(error)) => self.broken(error).await,
            Happening::Deadline => self.expire(Instant::now()),
            Happening::Input(_) | Happening::Signal(_) => Ok(()),
        }
    }

    fn is_logged_in(&self) -> bool {
        self.known.borrow().me.is_some()
    }

    fn expire(&mut self, now: Instant) -> io::Result<()> {
        let within = self.options.timeout;
        for call in self.calls.expired(now) {
            let message = format!("no answer to `{}` within {within:?}", call.name);
            self.fail(call.ticket, &WireError::new(ErrorCode::Timeout, message))?;
        }
        for wait in self.waits.expired(now) {
            let error = frames::trouble(
                "not_arrived",
                format!("`{}` has not arrived in time", wait.name),
            );
            self.fail(wait.ticket, &error)?;
        }
        for (number, question) in self.asked.expired(now) {
            let name = question.name;
            self.screen.notice(&format!(
                "nobody waits for the answer to #{number} {name} any more"
            ))?;
        }
        Ok(())
    }

    fn fail(&mut self, ticket: Ticket, error: &WireError) -> io::Result<()> {
        self.refused(ticket, None, error)
    }

    /// A command has failed; `peer` is whose answer says so, if it is one's.
    fn refused(&mut self, ticket: Ticket, peer: Option<&str>, error: &WireError) -> io::Result<()> {
        self.failed = true;
        if self.leaving {
            return Ok(());
        }
        self.screen.failed(ticket, peer, error)
    }

    /// What was typed is wrong.
    fn usage(&mut self, ticket: Ticket, message: &str) -> io::Result<()> {
        let error = frames::trouble("usage", message.to_owned());
        self.fail(ticket, &error)
    }

    /// Ends the session in order, as far as that goes quickly.
    async fn log_out(&mut self) -> io::Result<()> {
        self.leaving = true;
        self.calls.take();
        self.waits.take();
        let deadline = Instant::now() + FAREWELL.min(self.options.timeout);
        if self.is_logged_in() {
            let ticket = Ticket {
                line: 0,
                command: "logout",
            };
            let asked = timeout_at(deadline, self.ask_server(ticket, "logout", Vec::new()));
            // A server that takes nothing is not told.
            asked.await.unwrap_or(Ok(()))?;
        }
        while self.link.is_some() && !self.calls.is_empty() {
            tokio::select! {
                happening = self.happening(None) => match happening {
                    Happening::Signal(_) => break,
                    happening => self.handle(happening).await?,
                },
                () = sleep_until(deadline) => break,
            }
        }
        self.end_link(deadline).await;
        Ok(())
    }
}
