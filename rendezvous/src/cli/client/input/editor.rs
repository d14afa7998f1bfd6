//! The line editor: it blocks, so it has a thread of its own, and so has what prints around it.

use std::borrow::Cow;
use std::io::{self, Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, ExternalPrinter, Helper};
use tokio::sync::{mpsc, watch};

use super::completion::complete;
use super::history;
use super::secrets::{hidden, kept};
#[cfg(unix)]
use super::terminal::Terminal;
use super::{Input, Inputs, Turn, WAITING};
use crate::cli::client::known::Known;
use crate::cli::client::show::{Sink, quoted};

/// How many lines may wait to be printed.
const PRINTED: usize = 1_024;

/// How long the editor waits for what a line asked for before it asks for another, so that quick
/// answers stand above the next prompt.
const QUICK: Duration = Duration::from_millis(300);

/// How long the last lines may take to be printed.
const LAST_LINES: Duration = Duration::from_millis(500);

/// How long the editor may take to see that it is to leave.
const LAST_TURN: Duration = Duration::from_millis(200);

/// Within this time a second Ctrl-C leaves.
const TWICE: Duration = Duration::from_secs(2);

/// An editor at work.
#[derive(Debug)]
pub(in crate::cli::client) struct Editor {
    typing: JoinHandle<()>,
    /// Closed once nobody edits any more.
    typed_last: Receiver<()>,
    /// Says that everything is printed.
    last_line: Receiver<()>,
    /// Why lines are not kept for the next time, if they are not.
    pub(in crate::cli::client) trouble: Option<String>,
    #[cfg(unix)]
    _terminal: Terminal,
}

impl Editor {
    /// Starts an editor on the terminal. None where the terminal cannot edit.
    ///
    /// # Errors
    ///
    /// Where threads cannot be started or the terminal cannot be read.
    pub(in crate::cli::client) fn start(
        known: watch::Receiver<Known>,
        colors: bool,
    ) -> io::Result<Option<(Self, Inputs, Sink)>> {
        #[cfg(unix)]
        let terminal = Terminal::remember();
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(history::LINES)
            .map_err(io::Error::other)?
            .history_ignore_dups(true)
            .map_err(io::Error::other)?
            .history_ignore_space(true)
            // Else credentials would not be hidden where there are no colors.
            .color_mode(ColorMode::Forced)
            .build();
        let mut editor = rustyline::Editor::with_config(config).map_err(io::Error::other)?;
        let Ok(printer) = editor.create_external_printer() else {
            return Ok(None);
        };
        let (history, trouble) = match open_history(&mut editor) {
            Ok(history) => (history, None),
            Err(error) => (None, Some(format!("lines are not kept: {error}"))),
        };
        editor.set_helper(Some(Typing { known, colors }));
        let (to_print, lines) = sync_channel(PRINTED);
        let (done, last_line) = sync_channel(1);
        thread::Builder::new()
            .name("printer".to_owned())
            .spawn(move || print(printer, &lines, &done))?;
        let (typed, inputs) = mpsc::channel(WAITING);
        let (turns, turn) = sync_channel(WAITING);
        let (typing_ends, typed_last) = sync_channel(0);
        let typing = thread::Builder::new()
            .name("editor".to_owned())
            .spawn(move || {
                edit(editor, history.as_deref(), &typed, &turn);
                drop(typing_ends);
            })?;
        let editor = Self {
            typing,
            typed_last,
            last_line,
            trouble,
            #[cfg(unix)]
            _terminal: terminal,
        };
        let inputs = Inputs::new(inputs, Some(turns));
        Ok(Some((editor, inputs, Sink::editor(to_print))))
    }

    /// Waits for the last lines; `left` says that the editor was told to leave. Where it asks for
    /// another line all the same, it is left behind, and the terminal put back.
    pub(in crate::cli::client) fn finish(self, left: bool) {
        // The printer may be held up by a terminal that takes nothing.
        let _ = self.last_line.recv_timeout(LAST_LINES);
        if left && self.typed_last.recv_timeout(LAST_TURN) == Err(RecvTimeoutError::Disconnected) {
            let _ = self.typing.join();
        }
    }
}

fn print(mut printer: impl ExternalPrinter, lines: &Receiver<String>, done: &SyncSender<()>) {
    for line in lines {
        if printer.print(line).is_err() {
            return;
        }
    }
    let _ = done.send(());
}

type Line = rustyline::Editor<Typing, FileHistory>;

/// Takes in the lines of earlier times, and says where those of this one go.
fn open_history(editor: &mut Line) -> Result<Option<PathBuf>, String> {
    let Some(file) = history::file().map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    match editor.load_history(&file) {
        Ok(()) => Ok(Some(file)),
        Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Some(file)),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

fn edit(
    mut editor: Line,
    history: Option<&Path>,
    typed: &mpsc::Sender<Input>,
    turns: &Receiver<Turn>,
) {
    if !matches!(turns.recv(), Ok(Turn::Next(_))) {
        return;
    }
    let mut interrupted: Option<Instant> = None;
    for number in 1.. {
        let input = loop {
            let prompt = editor.helper().map(Typing::prompt).unwrap_or_default();
            match editor.readline(&prompt) {
                Ok(line) => {
                    if let Some(kept) = kept(&line)
                        && !kept.trim().is_empty()
                    {
                        let _ = editor.add_history_entry(kept.as_ref());
                    }
                    break Input::Line { number, text: line };
                }
                Err(ReadlineError::Eof) => break Input::End,
                Err(ReadlineError::Interrupted) => {
                    if interrupted.is_some_and(|at| at.elapsed() < TWICE) {
                        break Input::End;
                    }
                    interrupted = Some(Instant::now());
                    // The terminal is as it was before, so this needs no printer.
                    let _ = writeln!(stdout(), "Ctrl-C again or Ctrl-D leaves");
                }
                Err(ReadlineError::Signal(_)) => {}
                Err(error) => break Input::Failed(format!("cannot read the terminal: {error}")),
            }
        };
        if let Some(file) = history {
            // It could be written at the start; a line less is no reason to interrupt anybody.
            let _ = editor.append_history(file);
        }
        let ends = !matches!(input, Input::Line { .. });
        if typed.blocking_send(input).is_err() || ends || !goes_on(turns, number) {
            return;
        }
    }
}

/// Waits for what became of the line; whether another is asked for.
fn goes_on(turns: &Receiver<Turn>, number: u64) -> bool {
    let deadline = Instant::now() + QUICK;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match turns.recv_timeout(left) {
            Ok(Turn::Next(done)) if done < number => {}
            Ok(Turn::Next(_)) | Err(RecvTimeoutError::Timeout) => return true,
            Ok(Turn::Leave) | Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

/// What the editor asks while somebody types.
struct Typing {
    known: watch::Receiver<Known>,
    colors: bool,
}

impl Typing {
    fn prompt(&self) -> String {
        match &self.known.borrow().me {
            Some(me) => format!("{}> ", quoted(me)),
            None => "(not connected)> ".to_owned(),
        }
    }
}

impl Completer for Typing {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(complete(&line[..at], &self.known.borrow()))
    }
}

impl Highlighter for Typing {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        hidden(line)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        if self.colors {
            Cow::Owned(format!("\x1b[1m{prompt}\x1b[0m"))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    /// The editor would show a character that is typed at the end by itself.
    fn highlight_char(&self, line: &str, _: usize, _: CmdKind) -> bool {
        matches!(hidden(line), Cow::Owned(_))
    }
}

impl Hinter for Typing {
    type Hint = String;
}

impl Validator for Typing {}

impl Helper for Typing {}
