//! The flags of `serve`, and the configuration that they ask for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command, ValueEnum};

use super::connection::Connection;
use super::links::Links;
use super::logins::Logins;
use crate::cli::{exit, log, values};
use crate::config::{Config, Reach, Speaks};
use crate::tokens::Tokens;

/// Run a server where peers log in by name and reach each other
///
/// The server relays between peers of any protocol. Its first line on stdout is `listening on ADDR`;
/// where it takes encrypted links the second and last is `public key HEX`, by which clients know it.
/// Everything else is logged to stderr. SIGTERM or Ctrl-C stops it in order, a second one at once.
///
/// Each flag has a variable, and each but --config a key of its name in the configuration file. A
/// flag counts more than its variable, a variable more than the file. `rendezvous check-config`
/// prints what they come to, as such a file.
#[derive(Debug, Args)]
#[command(after_help = concat!(
    exit::codes!(),
    "\n\nExamples:
  rendezvous serve --listen 127.0.0.1:7766 --max-sessions 500 --log-format json
  rendezvous serve --listen 0.0.0.0:7766       # takes encrypted links only
  rendezvous serve --config rendezvous.toml"
))]
pub(in crate::cli) struct Serve {
    /// The configuration file: TOML, with keys named like the flags, such as login-burst = 20
    #[arg(long, env = "RENDEZVOUS_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// The IP address and port to listen on; port 0 picks a free one
    #[arg(
        long,
        env = "RENDEZVOUS_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:7766",
        value_parser = values::address,
        help_heading = "Listening"
    )]
    pub(super) listen: SocketAddr,

    /// Connections in all
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_CONNECTIONS",
        value_name = "N",
        default_value = "10000",
        value_parser = values::count_above_zero,
        help_heading = "Listening"
    )]
    pub(super) max_connections: u32,

    /// Connections from one IP address; 0 for no limit. Loopback has none
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        default_value = "64",
        value_parser = values::count,
        help_heading = "Listening"
    )]
    max_connections_per_address: u32,

    #[command(flatten)]
    pub(super) links: Links,

    #[command(flatten)]
    pub(super) logins: Logins,

    /// Rooms in all
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_ROOMS",
        value_name = "N",
        default_value = "10000",
        value_parser = values::count_above_zero,
        help_heading = "Rooms"
    )]
    max_rooms: u32,

    /// Rooms that one peer may be in
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_ROOMS_PER_PEER",
        value_name = "N",
        default_value = "8",
        value_parser = values::count_above_zero,
        help_heading = "Rooms"
    )]
    max_rooms_per_peer: u32,

    /// The time in which one IP address may try one more password of a room; 0s for no limit. On
    /// loopback that counts by connection
    #[arg(
        long,
        env = "RENDEZVOUS_PASSWORD_INTERVAL",
        value_name = "TIME",
        default_value = "500ms",
        value_parser = values::time,
        help_heading = "Rooms"
    )]
    password_interval: Duration,

    /// Passwords that one IP address may try at once, before --password-interval holds
    #[arg(
        long,
        env = "RENDEZVOUS_PASSWORD_BURST",
        value_name = "N",
        default_value = "10",
        value_parser = values::count_above_zero,
        help_heading = "Rooms"
    )]
    password_burst: u32,

    /// Whom a peer reaches by id: all peers, or those who share a room with it
    #[arg(
        long,
        env = "RENDEZVOUS_RELAY",
        value_name = "REACH",
        default_value = "all",
        help_heading = "Rooms"
    )]
    relay: Relay,

    #[command(flatten)]
    connection: Connection,

    /// How long connections may take to get what is due to them once the server stops
    #[arg(
        long,
        env = "RENDEZVOUS_SHUTDOWN_DEADLINE",
        value_name = "TIME",
        default_value = "5s",
        value_parser = values::time,
        help_heading = "Stopping"
    )]
    pub(super) shutdown_deadline: Duration,

    #[command(flatten)]
    pub(super) log: log::Log,
}

/// Which peers reach each other.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Relay {
    /// Any peer reaches any other.
    All,
    /// Peers reach each other while they share a room.
    Rooms,
}

/// A command with the flags of `serve`, to look at.
pub(in crate::cli) fn flags() -> Command {
    Serve::augment_args(Command::new("serve"))
}

impl Serve {
    /// What the flags ask for, with the tokens that were read from their file.
    pub(super) fn config(&self, tokens: Option<Tokens>) -> Config {
        let mut server = Config::default().server;
        server.connections = self.max_connections as usize;
        server.connections_an_address = match self.max_connections_per_address {
            0 => None,
            limit => Some(limit as usize),
        };
        self.connection.limit(&mut server.connection);
        let stranger = server.connection.stranger.get_or_insert_default();
        stranger.timeout = self.logins.login_timeout;
        self.links.limit(&mut server, self.logins.login_timeout);
        Config {
            server,
            sessions: self.logins.max_sessions.unwrap_or(self.max_connections) as usize,
            grace: self.logins.grace,
            login_interval: self.logins.login_interval,
            login_burst: self.logins.login_burst,
            login_failures: self.logins.login_failures,
            bindings: self.logins.max_bindings as usize,
            binding_interval: self.logins.binding_interval,
            binding_burst: self.logins.binding_burst,
            tokens,
            password_interval: self.password_interval,
            password_burst: self.password_burst,
            rooms: self.max_rooms as usize,
            rooms_a_peer: self.max_rooms_per_peer as usize,
            relay: match self.relay {
                Relay::All => Reach::All,
                Relay::Rooms => Reach::Rooms,
            },
            speaks: Speaks::Any,
        }
    }

    /// Why flags that are right each by itself cannot hold together.
    pub(in crate::cli) fn conflict(&self) -> Option<String> {
        self.connection.conflict()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        serve: Serve,
    }

    fn config(flags: &[&str]) -> Config {
        let args = ["serve"].iter().chain(flags);
        Program::try_parse_from(args).unwrap().serve.config(None)
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let library = Config {
            speaks: Speaks::Any,
            ..Config::default()
        };
        assert_eq!(config(&[]), library);
    }

    #[test]
    fn each_flag_changes_what_it_names() {
        let config = config(&[
            "--max-connections=11",
            "--max-connections-per-address=12",
            "--max-sessions=13",
            "--login-interval=14s",
            "--login-burst=15",
            "--login-failures=16",
            "--login-timeout=17s",
            "--events-per-second=18",
            "--bytes-per-second=19KiB",
            "--deliveries-per-second=20",
            "--password-interval=27ms",
            "--password-burst=28",
            "--max-rooms=21",
            "--max-rooms-per-peer=22",
            "--relay=rooms",
            "--max-frame=23KiB",
            "--queue-events=24",
            "--queue-bytes=250KiB",
            "--max-open-calls=26",
            "--max-bindings=31",
            "--binding-interval=32s",
            "--binding-burst=33",
            "--handshake-timeout=16s",
            "--max-handshakes=29",
            "--max-handshakes-per-address=30",
        ]);
        assert_eq!(config.server.connections, 11);
        assert_eq!(config.server.connections_an_address, Some(12));
        assert_eq!(config.server.handshakes, 29);
        assert_eq!(config.server.handshakes_an_address, 30);
        assert_eq!(config.sessions, 13);
        assert_eq!(config.login_interval, Duration::from_secs(14));
        assert_eq!(config.login_burst, 15);
        assert_eq!(config.login_failures, 16);
        assert_eq!(config.bindings, 31);
        assert_eq!(config.binding_interval, Duration::from_secs(32));
        assert_eq!(config.binding_burst, 33);
        assert_eq!(config.password_interval, Duration::from_millis(27));
        assert_eq!(config.password_burst, 28);
        assert_eq!(config.rooms, 21);
        assert_eq!(config.rooms_a_peer, 22);
        assert_eq!(config.relay, Reach::Rooms);
        let connection = config.server.connection;
        assert_eq!(connection.frame_in, 23 * 1_024);
        assert_eq!(connection.outbound_events, 24);
        assert_eq!(connection.outbound_bytes, 250 * 1_024);
        assert_eq!(connection.relayed_calls, 26);
        assert_eq!(connection.handshake_timeout, Duration::from_secs(16));
        let stranger = connection.stranger.unwrap();
        assert_eq!(stranger.timeout, Duration::from_secs(17));
        let rate = connection.rate_in.unwrap();
        assert_eq!(rate.events_per_second, 18);
        assert_eq!(rate.bytes_per_second, 19 * 1_024);
        assert_eq!(rate.deliveries_per_second, 20);
    }

    #[test]
    fn zero_turns_a_limit_off() {
        let config = config(&["--max-connections-per-address=0"]);
        assert_eq!(config.server.connections_an_address, None);
    }

    #[test]
    fn a_handshake_is_part_of_the_time_for_a_login() {
        let config = config(&["--login-timeout=3s"]);
        let limit = config.server.connection.handshake_timeout;
        assert_eq!(limit, Duration::from_secs(3));
    }

    #[test]
    fn there_are_as_many_sessions_as_connections() {
        let config = config(&["--max-connections=11"]);
        assert_eq!(config.sessions, 11);
    }
}
