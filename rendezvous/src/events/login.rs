//! Sessions: logging in and out, and what the server says of a session's end.

use std::time::Duration;

use protocol_core::{Event, EventData, EventError, EventSet, PeerId};

use super::{Room, Secret};

/// Opens a session, or goes on with one whose link was lost: from now on the connection speaks for the
/// peer `id` (`PROTOCOL.md` §9).
///
/// All other members are optional; a plain login is `{"id":"alice"}`, and its session ends with its
/// link.
#[derive(Debug, Clone, Event)]
#[event(request, name = "login", response = LoggedIn, error = LoginError)]
pub struct LogIn {
    /// The name to be reached by: 1 to 64 characters, see [`Name`](crate::state::Name).
    pub id: String,
    /// What proves who this is, where the server asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// A random text of the client's process of at most 64 bytes, the same in each of its logins and
    /// new after a restart. Confirmed passes and requests are numbered for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inc: Option<String>,
    /// What resumes a session whose link was lost: [`LoggedIn::resume`] of the last login that was
    /// answered. Where that session is over, the login is refused with `resume_failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Secret>,
    /// How many frames the client has got in the session that it resumes; what the server holds beyond
    /// them is sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
    /// For how many milliseconds the session should outlive its link; 0 where it is not given. The
    /// server may grant less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
    /// Whether a session that another life of the same peer has is ended for this one, where the login
    /// proves to be that peer's; so where it is absent. A client that logs in again by itself says no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<bool>,
    /// The client's program and its version, for the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The protocol that the client speaks; compared where it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<ProtocolInfo>,
}

impl LogIn {
    /// A login as `id` with nothing else.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            token: None,
            inc: None,
            resume: None,
            received: None,
            grace_ms: None,
            replace: None,
            client: None,
            protocol: None,
        }
    }

    /// The same login with the token that proves the id, at a server with
    /// [tokens](crate::Tokens). On an encrypted link that is needed once: the id is bound to the
    /// link's key then.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(Secret::new(token));
        self
    }

    /// The same login for a session that outlives its link for `grace`, in whole milliseconds, so that
    /// it can be resumed. The server may grant less.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rendezvous::events::LogIn;
    ///
    /// let login = LogIn::new("alice").grace(Duration::from_secs(30));
    /// assert_eq!(login.grace_ms, Some(30_000));
    /// ```
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace_ms = Some(u64::try_from(grace.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

/// A protocol by name and version, as `#[protocol(…)]` declares it.
#[derive(Debug, Clone, PartialEq, Eq, EventData)]
pub struct ProtocolInfo {
    /// Its name.
    pub name: String,
    /// Its version; two versions match where they are equal.
    pub version: String,
}

/// A session that was opened, or goes on.
#[derive(Debug, Clone, Event)]
#[event(response)]
pub struct LoggedIn {
    /// The id in Unicode's normal form C, by which others reach this peer.
    pub id: PeerId,
    /// The session's own id, new with each login that resumes none; no secret.
    pub session: String,
    /// A random text of the server's, the same for all sessions and new with each start of it; empty
    /// where the server says none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub inc: String,
    /// What resumes the session after its link is lost, new with each login; absent where that is not
    /// possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Secret>,
    /// For how many milliseconds the session outlives its link.
    pub grace_ms: u64,
    /// Whether an earlier session goes on.
    pub resumed: bool,
    /// Empty: who resumes a session hears the news of its rooms from where it lost them, and whoever
    /// opens one is in no room.
    pub rooms: Vec<Room>,
}

/// Why a login was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum LoginError {
    /// The id is no name for a peer.
    #[error("the id {rule}")]
    IdInvalid {
        /// The rule that it breaks.
        rule: String,
    },
    /// The client's life is told by 1 to 64 bytes without control characters.
    #[error("`inc` takes 1 to 64 bytes without control characters: choose another random text")]
    IncInvalid,
    /// Somebody else has the id, or one that looks the same: they are logged in, or it is bound to
    /// their key.
    #[error(
        "the id, or one that looks the same, is in use or belongs to another key: choose another, or \
         connect with that key"
    )]
    IdTaken,
    /// The server has tokens, and neither the token nor the link's key proves the id.
    #[error("the credentials do not prove this id")]
    AuthFailed,
    /// The server could not write down, or not in time, that the id belongs to this link's key.
    #[error("the server cannot write down whose id this is: try again later")]
    NotKept,
    /// There are as many sessions as the server takes.
    #[error("the server is full: {max} sessions")]
    ServerFull {
        /// How many it takes.
        max: usize,
    },
    /// The connection has a session.
    #[error("this connection has logged in: open another to log in as somebody else")]
    AlreadyLoggedIn,
    /// The server's author has mounted the handler without the gate and the relay.
    #[error(
        "this server lets strangers in: start it with `Rendezvous::bind` or `Rendezvous::attach`"
    )]
    NotSetUp,
    /// The session that was to be resumed is gone.
    #[error("there is no such session to resume: log in without `resume`")]
    ResumeFailed,
    /// The server speaks another protocol, or another version of it.
    #[error("the server speaks {name} {version}: update the older side")]
    VersionMismatch {
        /// The server's protocol.
        name: String,
        /// Its version.
        version: String,
    },
}

/// Ends the session. Once this is answered, the server closes the link.
#[derive(Debug, Clone, Event)]
#[event(request, name = "logout", response = LoggedOut)]
pub struct LogOut {}

/// The session has ended.
#[derive(Debug, Clone, Event)]
#[event(response)]
pub struct LoggedOut {}

/// Asks for a sign of life and the server's time. Allowed before login.
#[derive(Debug, Clone, Default, Event)]
#[event(request, response = Pong)]
pub struct Ping {
    /// How many frames the client has got in its session: the server need not hold them any longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
}

/// The server's sign of life.
#[derive(Debug, Clone, Event)]
#[event(response)]
pub struct Pong {
    /// The server's clock, in milliseconds since 1970-01-01 UTC.
    pub server_ms: u64,
}

/// What every client of a rendezvous server can ask: `to_server` of a protocol. Handled by
/// [`Rendezvous`](crate::Rendezvous).
#[derive(Debug, Clone, EventSet)]
pub enum Login {
    /// Opens a session.
    LogIn(LogIn),
    /// Ends it.
    LogOut(LogOut),
    /// Asks for a sign of life.
    Ping(Ping),
}

/// The session has ended by the server's will; the link is closed next.
#[derive(Debug, Clone, Event)]
#[event(pass)]
pub struct SessionEnded {
    /// Why.
    pub reason: SessionEnd,
    /// Whether the session can be resumed.
    pub may_resume: bool,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EventData)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionEnd {
    /// The same peer logged in on another link.
    Replaced,
    /// The server's operator ended it.
    Removed,
    /// A reason of a later version.
    #[serde(other)]
    Unknown,
}

/// The server is about to stop. It answers what has arrived and closes every link.
#[derive(Debug, Clone, Event)]
#[event(pass)]
pub struct ServerClosing {
    /// In how many milliseconds the last link is cut off.
    pub deadline_ms: u64,
    /// After how many milliseconds it is worth connecting again.
    pub retry_after_ms: u64,
}

/// Passes for this client were dropped, since it did not read fast enough or had no link. Sent at most
/// once a second.
#[derive(Debug, Clone, Event)]
#[event(pass)]
pub struct Dropped {
    /// How many since the last of these.
    pub count: u64,
}

/// What a rendezvous server tells its clients of their session: `to_client` of a protocol. Handled
/// by [`ignore`](protocol_core::ignore), an inbox, or a handler of yours.
#[derive(Debug, Clone, EventSet)]
pub enum SessionNews {
    /// The session has ended.
    SessionEnded(SessionEnded),
    /// The server is about to stop.
    ServerClosing(ServerClosing),
    /// Passes were dropped.
    Dropped(Dropped),
}
