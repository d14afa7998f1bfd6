//! Who is logged in, on which connection.
//!
//! Knows no links and no clock; a session lives until its connection is closed here.

use std::collections::HashMap;

use protocol_core::{ConnectionId, PeerId};

use super::PeerName;

/// A peer that is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session's own id, unique for ever.
    pub id: String,
    /// Whose it is.
    pub peer: PeerName,
    /// The connection that speaks for the peer.
    pub connection: ConnectionId,
}

/// Why a session cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another connection has the name, or one that looks the same.
    #[error("the id is in use")]
    Taken,
    /// The connection has a session.
    #[error("the connection has a session")]
    AlreadyOpen,
    /// There are as many sessions as may be.
    #[error("there are {max} sessions, as many as may be")]
    Full {
        /// How many may be.
        max: usize,
    },
}

/// All sessions of one server.
///
/// # Examples
///
/// A name is free again once its connection is closed; `closed` is a connection of a server.
///
/// ```
/// use protocol_core::ConnectionId;
/// use rendezvous::state::{OpenError, PeerName, Session, Sessions};
///
/// fn reopen(closed: ConnectionId, open: ConnectionId) -> Result<(), OpenError> {
///     let session = |connection| Session {
///         id: "0193".into(),
///         peer: PeerName::new("alice").expect("a name"),
///         connection,
///     };
///     let mut sessions = Sessions::new(100);
///     sessions.open(session(closed))?;
///     assert_eq!(sessions.open(session(open)), Err(OpenError::Taken));
///     sessions.close(closed);
///     sessions.open(session(open))
/// }
/// ```
#[derive(Debug)]
pub struct Sessions {
    by_connection: HashMap<ConnectionId, Session>,
    by_key: HashMap<Box<str>, ConnectionId>,
    max: usize,
}

impl Sessions {
    /// No sessions yet, and at most `max` of them.
    pub fn new(max: usize) -> Self {
        Self {
            by_connection: HashMap::new(),
            by_key: HashMap::new(),
            max,
        }
    }

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// Says why not; then nothing has changed.
    pub fn open(&mut self, session: Session) -> Result<(), OpenError> {
        if self.by_connection.contains_key(&session.connection) {
            return Err(OpenError::AlreadyOpen);
        }
        if self.by_key.contains_key(session.peer.key()) {
            return Err(OpenError::Taken);
        }
        if self.by_connection.len() >= self.max {
            return Err(OpenError::Full { max: self.max });
        }
        self.by_key
            .insert(session.peer.key().into(), session.connection);
        self.by_connection.insert(session.connection, session);
        Ok(())
    }

    /// Ends the session of a connection, if it has one.
    pub fn close(&mut self, connection: ConnectionId) -> Option<Session> {
        let session = self.by_connection.remove(&connection)?;
        self.by_key.remove(session.peer.key());
        Some(session)
    }

    /// The session that has this peer's name, or one that looks the same.
    pub fn of_peer(&self, peer: &PeerName) -> Option<&Session> {
        self.by_connection.get(self.by_key.get(peer.key())?)
    }

    /// The peer that a connection speaks for.
    pub fn of_connection(&self, connection: ConnectionId) -> Option<&PeerId> {
        let session = self.by_connection.get(&connection)?;
        Some(session.peer.id())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_connection.len()
    }

    /// Whether nobody is logged in.
    pub fn is_empty(&self) -> bool {
        self.by_connection.is_empty()
    }
}
