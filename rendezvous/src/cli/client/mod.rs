//! `rendezvous client`: a line editor to talk to a server by hand, or a script's way to do so.
//!
//! A raw link: it knows frames, logs in by name, and sends whatever event is typed.

mod command;
mod connect;
mod input;
mod known;
mod link;
mod security;
mod session;
mod show;
mod target;
mod token;

use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use clap::builder::BoolishValueParser;
use tokio::sync::watch;
use tokio::time::sleep;

use super::exit::{self, Exit};
use super::key_file::Unusable;
use super::log::has_color;
use super::signals::Signals;
use super::values;
use input::{Editor, Inputs, read_script};
use known::Known;
use security::Security;
use session::{End, Options, Session};
pub(super) use show::quoted;
use show::{Format, Screen, Sink, Style};
use token::Token;

/// Talk to a server by hand: rooms, events and requests, typed line by line
///
/// On a terminal it is an editor with completion and history; `help` lists the commands. Otherwise
/// it reads commands from standard input, one a line, and runs each to its end before the next.
/// Lines that start with `#` are comments.
#[derive(Debug, Args)]
#[command(after_help = concat!(
    exit::codes!(),
    "\n\nExamples:
  rendezvous client --id alice
  rendezvous client --id alice --server-key HEX example.org
  echo 'request to=bob add [1,2]' | rendezvous client --id alice localhost:7766"
))]
pub(super) struct Client {
    /// The server: a host, or a host and a port
    #[arg(value_name = "ADDR", default_value = target::DEFAULT, value_parser = target::parse)]
    server: String,

    /// The id to log in as
    #[arg(long, env = "RENDEZVOUS_ID", value_name = "ID")]
    id: String,

    /// How long an answer may take, and connecting
    #[arg(
        long,
        env = "RENDEZVOUS_TIMEOUT",
        value_name = "TIME",
        default_value = "10s",
        value_parser = values::time_above_zero
    )]
    timeout: Duration,

    /// Print one JSON object a line, for programs. Where that is no terminal, credentials in what
    /// arrives are not hidden
    #[arg(long, env = "RENDEZVOUS_JSON", value_parser = BoolishValueParser::new())]
    json: bool,

    /// Go on with a script after a command that failed; the exit code still tells
    #[arg(long, env = "RENDEZVOUS_KEEP_GOING", value_parser = BoolishValueParser::new())]
    keep_going: bool,

    #[command(flatten)]
    token: Token,

    #[command(flatten)]
    security: Security,
}

impl Client {
    pub(super) fn run(&self) -> Exit {
        if let Some(problem) = self.security.conflict() {
            return Exit::usage(&[problem]);
        }
        match self.talk() {
            Ok(End::Left { failed: false }) => Exit::Stopped,
            // What failed was said already.
            Ok(End::Left { failed: true }) => Exit::Failed,
            Ok(End::Refused) => Exit::LoginRefused,
            Ok(End::Unserved) => Exit::CannotConnect,
            Ok(End::CannotConnect(reason)) => complain(Exit::CannotConnect, &reason),
            Ok(End::OtherKey(reason)) => complain(Exit::OtherKey, &reason),
            Ok(End::Usage(reason)) => complain(Exit::Usage, &reason),
            Ok(End::KeyFile(reason)) => complain(Exit::KeyFile, &reason),
            Ok(End::Lost(reason)) => {
                complain(Exit::LinkLost, &format!("the link is lost: {reason}"))
            }
            Ok(End::Signal(name)) => complain(Exit::Failed, &format!("ended by {name}")),
            Err(error) if exit::is_unread(&error) => Exit::Stopped,
            Err(error) if error.is::<Unusable>() => complain(Exit::KeyFile, &error.to_string()),
            Err(error) => complain(Exit::Failed, &format!("{error:#}")),
        }
    }

    fn talk(&self) -> anyhow::Result<End> {
        // One thread beside this one, so that a write of this one that blocks holds up no timer.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("cannot start a runtime")?;
        let end = runtime.block_on(self.session());
        // A name that is still being looked up is not waited for.
        runtime.shutdown_background();
        end
    }

    async fn session(&self) -> anyhow::Result<End> {
        let token = self.token.read()?;
        let signals = Signals::new().context("cannot watch for signals")?;
        let terminal = stdout().is_terminal();
        let (known, follower) = watch::channel(Known::default());
        let colors = has_color(terminal, std::env::var_os("NO_COLOR").as_deref());
        let editor = if terminal && stdin().is_terminal() {
            Editor::start(follower, colors).context("cannot use the terminal")?
        } else {
            None
        };
        let is_edited = editor.is_some();
        let style = Style {
            format: if self.json {
                Format::Json
            } else {
                Format::Text
            },
            colors: colors && is_edited,
            terminal,
            script: !is_edited,
        };
        let options = Options {
            server: self.server.clone(),
            security: self.security.clone(),
            id: self.id.clone(),
            token,
            timeout: self.timeout,
            script: !is_edited,
            keep_going: self.keep_going,
        };
        let Some((editor, inputs, sink)) = editor else {
            let watched = Signals::new().context("cannot watch for signals")?;
            let watch = tokio::spawn(exit_once_stuck(watched));
            let screen = Screen::new(Sink::Stdout, style);
            let session = Session::new(options, screen, known, signals);
            let end = self.converse(session, read_script).await;
            watch.abort();
            return end;
        };
        let mut screen = Screen::new(sink, style);
        if let Some(trouble) = &editor.trouble {
            screen.notice(trouble).context(UNWRITTEN)?;
        }
        let session = Session::new(options, screen, known, signals);
        let end = self.converse(session, || Ok(inputs)).await;
        let left = matches!(end, Ok(End::Left { .. } | End::Lost(_)));
        editor.finish(left);
        end
    }

    /// Logs in, and does what is typed from then on.
    async fn converse(
        &self,
        mut session: Session,
        inputs: impl FnOnce() -> std::io::Result<Inputs>,
    ) -> anyhow::Result<End> {
        if let Some(end) = session.log_in().await.context(UNWRITTEN)? {
            return Ok(end);
        }
        let mut inputs = inputs().context("cannot read standard input")?;
        inputs.begin();
        session.run(&mut inputs).await.context(UNWRITTEN)
    }
}

/// How long the program may go on after a signal; longer than logging out takes.
const LAST: Duration = Duration::from_secs(3);

/// Ends the program should it not end by itself after a signal: nobody may be reading what it
/// prints, and a write that blocks cannot be broken off. Says nothing, for stderr may block too.
async fn exit_once_stuck(mut signals: Signals) {
    signals.next().await;
    sleep(LAST).await;
    std::process::exit(Exit::Failed as i32);
}

/// What fails where output fails.
const UNWRITTEN: &str = "cannot write to standard output";

fn complain(exit: Exit, reason: &str) -> Exit {
    let _ = writeln!(stderr(), "error: {}", show::escaped(reason));
    exit
}
