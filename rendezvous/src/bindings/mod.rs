//! Which key each id is bound to: asked and changed by logins, and kept in a file.
//!
//! What a binding means stands in `state/`; here are the lock around it, the clock, and the thread
//! that writes.

mod journal;
mod line;
mod online;
mod reading;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol_core::PublicKey;
use tokio::time::timeout;

use crate::state::{Day, PeerName};
use journal::Journal;
use writer::{Shared, State, Written};

/// How long a login waits until its binding is on the disk, and a server that stops. A stranger has 5 s in all, and should
/// hear of the refusal.
const WRITE_WAIT: Duration = Duration::from_secs(2);

/// So many changes may wait for the disk; they go there together.
const MOST_WAITING: usize = 1_024;

/// A longer id, folded, is not bound, so that none takes the place of many.
const LONGEST_ID_BYTES: usize = 1_024;

/// Which key each id is bound to. The first login of an id on an encrypted link binds it to that
/// link's key; from then on the id is refused to everybody else.
///
/// How many there may be is [`Config::bindings`](crate::Config::bindings). All changes are in the file,
/// and it is free for others, once [`Rendezvous::shutdown`](crate::Rendezvous::shutdown) has returned
/// `true`. Dropping this waits for that too, at most two seconds, so do not do it where others wait; on
/// a slower disk it goes on by itself, as long as the process lives.
///
/// # Examples
///
/// ```
/// use rendezvous::{Bindings, Config, Rendezvous};
///
/// # let folder = std::env::temp_dir().join(format!("bindings-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let bindings = Bindings::open(folder.join("server.bindings"))?;
/// let rendezvous = Rendezvous::with_bindings(Config::default(), bindings);
/// # drop(rendezvous);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Bindings {
    shared: Arc<Shared>,
    /// Where all is in memory, none.
    writer: Option<JoinHandle<()>>,
}

/// What a login that has the id for itself comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The id was bound to this key.
    Known,
    /// From now on it is.
    New,
    /// Another key has it.
    Taken,
    /// It is not bound, and was not to be.
    Unbound,
    /// It was to be bound, and is too long.
    TooLong,
    /// It was to be bound, and there are as many as may be, none of which may leave.
    Full,
}

/// A change is not on the disk, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotWritten;

impl Bindings {
    /// Bindings that end with the process.
    pub fn in_memory() -> Self {
        Self {
            shared: Arc::new(Shared::new(State::in_memory())),
            writer: None,
        }
    }

    /// Bindings in the file at `path`, which is made where there is none, for its owner alone (on
    /// Unix). No other process can have it open at the same time; that is seen by a lock on a file
    /// beside it, whose name ends with `.lock`.
    ///
    /// The file has a line for each change. Whatever follows the last good line, such as a line that was
    /// cut off or the zeros of a power cut, is dropped with a warning that says how many bytes it had.
    /// A bad line with a good one behind it is an error, and so is a bad first line. An empty file is
    /// taken like a missing one. Days in the future count as today.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read or written, is no regular one, others can write it (on Unix),
    /// another process has it open, or a line of it is malformed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BindingsError> {
        let path = path.as_ref();
        let (journal, table) = Journal::open(path, today())?;
        let shared = Arc::new(Shared::new(State::in_file(table)));
        let name = "rendezvous-bindings".to_owned();
        let write = {
            let shared = Arc::clone(&shared);
            move || shared.write_to(journal)
        };
        let writer = thread::Builder::new().name(name).spawn(write);
        Ok(Self {
            shared,
            writer: Some(writer.map_err(|error| BindingsError::io(path, error))?),
        })
    }

    /// How many ids are bound.
    pub fn len(&self) -> usize {
        self.shared.lock().table.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key that an id is bound to.
    pub(crate) fn key_of(&self, id: &PeerName) -> Option<PublicKey> {
        self.shared.lock().table.key_of(id.key())
    }

    /// A login with `key` has the id for itself. Binds it where it is not bound and `anew` says so, at
    /// most `most` in all, and waits until that is on the disk.
    ///
    /// # Errors
    ///
    /// [`NotWritten`] where it could not be written: then it is not bound. Where it took too long,
    /// that is still found out, and later claims wait for it.
    pub(crate) async fn claim(
        &self,
        id: &PeerName,
        key: PublicKey,
        anew: bool,
        most: usize,
    ) -> Result<Claim, NotWritten> {
        let (claim, written) = self.claim_now(id, key, anew, most)?;
        wait(written).await.map(|()| claim)
    }

    fn claim_now(
        &self,
        id: &PeerName,
        key: PublicKey,
        anew: bool,
        most: usize,
    ) -> Result<(Claim, Option<Written>), NotWritten> {
        let id = id.key();
        let mut state = self.shared.lock();
        let may_change = state.may_change();
        let claim = match state.table.key_of(id) {
            Some(bound) if bound != key => Claim::Taken,
            Some(_) => {
                // On another day, then.
                if may_change && let Some(change) = state.table.touch(id, today()) {
                    self.shared.put(&mut state, [change]);
                }
                let unwritten = state.binding_of(id);
                return Ok((Claim::Known, unwritten));
            }
            None if !anew => Claim::Unbound,
            None if id.len() > LONGEST_ID_BYTES => Claim::TooLong,
            None if !may_change => return Err(NotWritten),
            None => match state.table.bind(id, key, today(), most) {
                Err(_) => Claim::Full,
                Ok(changes) => {
                    let written = self.shared.put(&mut state, changes);
                    return Ok((Claim::New, written));
                }
            },
        };
        Ok((claim, None))
    }

    /// Takes a claim back that was [`Claim::New`], since its login failed. The file follows.
    pub(crate) fn take_back(&self, id: &PeerName, key: PublicKey) {
        let mut state = self.shared.lock();
        if state.table.key_of(id.key()) == Some(key)
            && let Some(change) = state.table.unbind(id.key())
        {
            self.shared.put(&mut state, [change]);
        }
    }

    /// Unbinds an id and waits until that is on the disk; whether it was bound.
    ///
    /// # Errors
    ///
    /// [`NotWritten`] where it could not be written: then the file may have it still, until something
    /// else is written.
    pub(crate) async fn forget(&self, id: &PeerName) -> Result<bool, NotWritten> {
        let written = {
            let mut state = self.shared.lock();
            if state.table.key_of(id.key()).is_some() && !state.may_change() {
                return Err(NotWritten);
            }
            let Some(change) = state.table.unbind(id.key()) else {
                return Ok(false);
            };
            self.shared.put(&mut state, [change])
        };
        wait(written).await.map(|()| true)
    }

    /// Waits until all changes are in the file and gives it free, for at most [`WRITE_WAIT`]; whether
    /// that was enough. From now on nothing is bound anew.
    pub(crate) async fn close(&self) -> bool {
        if self.writer.is_some() {
            let mut ended = self.shared.close();
            let ended = ended.wait_for(|ended| *ended);
            if timeout(WRITE_WAIT, ended).await.is_err() {
                tracing::error!("the last changes of the bindings could not be written in time");
                return false;
            }
        }
        true
    }
}

async fn wait(written: Option<Written>) -> Result<(), NotWritten> {
    let Some(mut written) = written else {
        return Ok(());
    };
    let outcome = timeout(WRITE_WAIT, written.wait_for(Option::is_some)).await;
    match outcome {
        Ok(Ok(outcome)) if *outcome == Some(true) => Ok(()),
        _ => Err(NotWritten),
    }
}

fn today() -> Day {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let days = since.as_secs() / (24 * 60 * 60);
    Day(u32::try_from(days).unwrap_or(u32::MAX))
}

impl Drop for Bindings {
    fn drop(&mut self) {
        let was_open = self.shared.lock().is_open();
        self.shared.close();
        // Whoever closed has waited. The thread needs nobody to end.
        if was_open && self.writer.is_some() {
            self.shared.wait_for_end(WRITE_WAIT);
        }
    }
}

impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bindings")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Why bindings cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindingsError {
    /// The file cannot be read or written.
    #[error("cannot use the file of bindings {path:?}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A line is none that a server writes.
    #[error("{path:?}, line {line}: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Other users of the machine can bind ids to their keys.
    #[error(
        "others can write the file of bindings {path:?}, whose mode is {mode:o}: run `chmod 600` on \
         it, and do not trust it if somebody may have done so"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Another server has the file open.
    #[error("another server uses the file of bindings {path:?}: stop it, or name another file")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A change could not be written in time; the log says why.
    #[error("a change of the bindings could not be written: the server's log says why")]
    NotWritten,
}

impl BindingsError {
    fn io(path: &Path, error: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}
