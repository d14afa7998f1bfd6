//! Who is logged in, on which connection.
//!
//! Knows no links and no clock; a session lives until its connection is closed here.

use std::collections::HashMap;

use protocol_core::ConnectionId;

use super::{PeerName, ResumeToken};

/// A peer that is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session's own id, unique for ever.
    pub id: String,
    /// Whose it is.
    pub peer: PeerName,
    /// The connection that speaks for the peer. It stays the same when another link takes the place
    /// of a lost one.
    pub connection: ConnectionId,
    /// What the next link has to prove itself by; none where the session ends with its link.
    pub resume: Option<ResumeToken>,
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

/// Why a session cannot be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The peer has no session, one that cannot be resumed, or one with another token: nobody is told
    /// which.
    #[error("there is no such session to resume")]
    Unknown,
}

/// All sessions of one server.
#[derive(Debug)]
pub(crate) struct Sessions {
    by_connection: HashMap<ConnectionId, Held>,
    by_key: HashMap<Box<str>, ConnectionId>,
    max: usize,
}

#[derive(Debug)]
struct Held {
    session: Session,
    /// The token that was proved last, until it is certain that the client has the one after it.
    proved: Option<ResumeToken>,
}

impl Held {
    fn takes(&self, token: &ResumeToken) -> bool {
        let mut tokens = self.session.resume.iter().chain(&self.proved);
        tokens.any(|known| known == token)
    }
}

impl Sessions {
    /// No sessions yet, and at most `max` of them.
    pub(crate) fn new(max: usize) -> Self {
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
    pub(crate) fn open(&mut self, session: Session) -> Result<(), OpenError> {
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
        let held = Held {
            session,
            proved: None,
        };
        self.by_connection.insert(held.session.connection, held);
        Ok(())
    }

    /// Goes on with a session on another link, which `token` proves. From now on that takes `next`,
    /// or `token` once more while nobody knows whether the client got `next`.
    ///
    /// # Errors
    ///
    /// Where there is nothing that `token` resumes; then nothing has changed.
    pub(crate) fn resume(
        &mut self,
        peer: &PeerName,
        token: &ResumeToken,
        next: ResumeToken,
    ) -> Result<Session, ResumeError> {
        let connection = self.by_key.get(peer.key());
        let held = connection.and_then(|connection| self.by_connection.get_mut(connection));
        let held = held.filter(|held| held.takes(token));
        let held = held.ok_or(ResumeError::Unknown)?;
        held.session.resume = Some(next);
        held.proved = Some(token.clone());
        Ok(held.session.clone())
    }

    /// The client has `token`, so it needs none from before. Nothing happens where `token` is not the
    /// newest, for then this is heard from a link that has lost its session to another.
    pub(crate) fn settle(&mut self, connection: ConnectionId, token: &ResumeToken) {
        let held = self.by_connection.get_mut(&connection);
        if let Some(held) = held.filter(|held| held.session.resume.as_ref() == Some(token)) {
            held.proved = None;
        }
    }

    /// The session of a connection.
    pub(crate) fn of_connection(&self, connection: ConnectionId) -> Option<&Session> {
        Some(&self.by_connection.get(&connection)?.session)
    }

    /// The session of a peer, or of one whose name looks the same.
    pub(crate) fn of_peer(&self, peer: &PeerName) -> Option<&Session> {
        self.of_connection(*self.by_key.get(peer.key())?)
    }

    /// Ends the session of a connection, if it has one.
    pub(crate) fn close(&mut self, connection: ConnectionId) -> Option<Session> {
        let session = self.by_connection.remove(&connection)?.session;
        self.by_key.remove(session.peer.key());
        Some(session)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_connection.len()
    }
}

#[cfg(test)]
mod tests {
    use protocol_tests::run;

    use super::*;

    /// Connections of a server, of which ids can only be had from one.
    async fn connections() -> [ConnectionId; 2] {
        use protocol_core::{Client, Context, Event, EventSet, Protocol, Server};
        use std::sync::{Arc, Mutex};

        #[derive(Debug, Event)]
        #[event(pass)]
        struct Hello;

        #[derive(Debug, EventSet)]
        enum ToServer {
            Hello(Hello),
        }

        #[derive(Debug, Protocol)]
        #[protocol(version = "1", to_server = ToServer)]
        struct Greet;

        #[derive(Default)]
        struct Seen(Mutex<Vec<ConnectionId>>);

        impl ToServerHandler<Greet> for Seen {
            async fn on_hello(&self, cx: &Context<Greet>, _: Hello) {
                self.0.lock().unwrap().push(cx.connection());
            }
        }

        let seen = Arc::new(Seen::default());
        let server = Server::<Greet>::in_memory().handle(Arc::clone(&seen));
        let server = server.await.unwrap();
        for _ in 0..2 {
            let client = Client::connect_in_memory(&server).await.unwrap();
            client.confirm(Hello).await.unwrap();
        }
        let seen = seen.0.lock().unwrap();
        [seen[0], seen[1]]
    }

    fn session(peer: &str, connection: ConnectionId) -> Session {
        Session {
            id: "0193".to_owned(),
            peer: PeerName::new(peer).unwrap(),
            connection,
            resume: None,
        }
    }

    #[test]
    fn a_name_is_taken_until_its_connection_is_closed() {
        run(a_name_is_taken());
    }

    async fn a_name_is_taken() {
        let [first, second] = connections().await;
        let mut sessions = Sessions::new(2);
        assert_eq!(sessions.open(session("alice", first)), Ok(()));
        let twin = sessions.open(session("ALICE", second));
        assert_eq!(twin, Err(OpenError::Taken));
        let again = sessions.open(session("bob", first));
        assert_eq!(again, Err(OpenError::AlreadyOpen));
        assert_eq!(sessions.close(second), None);
        assert_eq!(sessions.close(first), Some(session("alice", first)));
        assert_eq!(sessions.close(first), None);
        assert_eq!(sessions.open(session("ALICE", second)), Ok(()));
        assert_eq!(sessions.len(), 1);
    }

    #[test]
    fn there_are_no_more_sessions_than_may_be() {
        run(there_are_no_more());
    }

    async fn there_are_no_more() {
        let [first, second] = connections().await;
        let mut sessions = Sessions::new(1);
        assert_eq!(sessions.open(session("alice", first)), Ok(()));
        let full = sessions.open(session("bob", second));
        assert_eq!(full, Err(OpenError::Full { max: 1 }));
        sessions.close(first);
        assert_eq!(sessions.open(session("bob", second)), Ok(()));
    }
}
