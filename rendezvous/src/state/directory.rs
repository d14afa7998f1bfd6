//! The seam behind which the state lives: in memory today, in a store of many servers later.

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol_core::ConnectionId;

use super::{OpenError, Session, Sessions};

/// Where sessions are kept.
///
/// Opening may take time, since a store of many servers has to agree on who gets a name. Closing
/// does not wait: it is called when a link is gone, and such a store passes it on by itself. A
/// session is closed only after [`open`](Self::open) has returned, and then exactly once. The future
/// of `open` may be dropped before that, when it takes too long or the server stops; then no session
/// may be left.
pub trait Directory: Send + Sync + 'static {
    /// Opens a session, if its name is free.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    fn open(&self, session: Session) -> impl Future<Output = Result<(), OpenError>> + Send;

    /// Ends the session of a connection and returns it, if there was one.
    fn close(&self, connection: ConnectionId) -> Option<Session>;

    /// How many sessions there are.
    fn sessions(&self) -> usize;
}

/// Keeps everything in this process.
#[derive(Debug)]
pub struct InMemory {
    sessions: Mutex<Sessions>,
}

impl InMemory {
    /// Nobody is here yet; at most `max_sessions` will be.
    pub fn new(max_sessions: usize) -> Self {
        Self {
            sessions: Mutex::new(Sessions::new(max_sessions)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        // A session is in both maps or in none before anything can panic.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for InMemory {
    async fn open(&self, session: Session) -> Result<(), OpenError> {
        self.lock().open(session)
    }

    fn close(&self, connection: ConnectionId) -> Option<Session> {
        self.lock().close(connection)
    }

    fn sessions(&self) -> usize {
        self.lock().len()
    }
}
