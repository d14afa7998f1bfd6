//! What a rendezvous server grants, with its defaults.

use std::time::Duration;

use protocol_core::{RateLimits, ServerLimits, StrangerLimits};

use crate::tokens::Tokens;

/// The bounds of a rendezvous server and what it asks of its clients. Every field can be changed
/// before use.
///
/// # Examples
///
/// ```
/// use rendezvous::Config;
///
/// let mut config = Config::default();
/// config.sessions = 100;
/// assert_eq!(config.login_burst, 10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The bounds of the server and of each connection.
    pub server: ServerLimits,
    /// Sessions in all; a further login gets `server_full`.
    pub sessions: usize,
    /// For how long a session may outlive its link, at most; zero for no session that does.
    pub grace: Duration,
    /// The time in which one address gets one more login; zero for no such limit. Loopback
    /// addresses have none: they are one machine's many programs.
    pub login_interval: Duration,
    /// Logins that one address may make at once.
    pub login_burst: u32,
    /// Refused logins after which a connection is closed; 0 for no such limit.
    pub login_failures: u32,
    /// Ids that are bound to a key in all. Where there are as many, the one that was unused longest
    /// leaves for a new one, if that was for 30 days; else the new one is not bound. With 0 none is.
    pub bindings: usize,
    /// The time in which logins from one address may bind one more id; zero for no such limit.
    /// Beyond it a login goes through, and its id is not bound. Loopback addresses, and logins with a
    /// token, have no limit.
    pub binding_interval: Duration,
    /// Ids that logins from one address may bind at once.
    pub binding_burst: u32,
    /// Who may log in, and the tokens that prove it; none where anybody may.
    pub tokens: Option<Tokens>,
    /// The time in which one address may have one more password of a room worked on; zero for no such
    /// limit. On loopback that counts by connection. Beyond it, `too_many_tries`.
    pub password_interval: Duration,
    /// Passwords that one address may have worked on at once.
    pub password_burst: u32,
    /// Rooms in all; a further one gets `server_full`.
    pub rooms: usize,
    /// Rooms that one peer may be in; one more gets `too_many_rooms`.
    pub rooms_a_peer: usize,
    /// Which peers reach each other.
    pub relay: Reach,
    /// Which clients may log in, by the protocol that they say they speak.
    pub speaks: Speaks,
}

/// Which peers reach each other by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reach {
    /// Any peer reaches any other.
    #[default]
    All,
    /// Peers reach each other while they share a room; others get `not_allowed`.
    Rooms,
}

/// Which protocols a server accepts. A client that does not say what it speaks is accepted by all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Speaks {
    /// The server's own, in the same version: it handles events of that protocol itself.
    #[default]
    Own,
    /// Any: the server only relays.
    Any,
}

impl Default for Config {
    fn default() -> Self {
        let mut server = ServerLimits::default();
        server.connection.stranger = Some(StrangerLimits::default());
        server.connection.rate_in = Some(RateLimits::default());
        Self {
            sessions: server.connections,
            server,
            grace: Duration::from_mins(1),
            login_interval: Duration::from_secs(1),
            login_burst: 10,
            login_failures: 5,
            bindings: 100_000,
            binding_interval: Duration::from_mins(10),
            binding_burst: 100,
            tokens: None,
            password_interval: Duration::from_millis(500),
            password_burst: 10,
            rooms: 10_000,
            rooms_a_peer: 8,
            relay: Reach::All,
            speaks: Speaks::Own,
        }
    }
}
