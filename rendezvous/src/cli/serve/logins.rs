//! The flags of `serve` about who may log in, how often, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::values;

#[derive(Debug, Args)]
pub(super) struct Logins {
    /// Peers that are logged in at once [default: as many as --max-connections]
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_SESSIONS",
        value_name = "N",
        value_parser = values::count_above_zero,
        help_heading = "Login"
    )]
    pub(super) max_sessions: Option<u32>,

    /// How long a connection may stay without logging in
    #[arg(
        long,
        env = "RENDEZVOUS_LOGIN_TIMEOUT",
        value_name = "TIME",
        default_value = "5s",
        value_parser = values::time_above_zero,
        help_heading = "Login"
    )]
    pub(super) login_timeout: Duration,

    /// For how long a session may outlive its link, where its client asks for that; 0s for not at all
    #[arg(
        long,
        env = "RENDEZVOUS_GRACE",
        value_name = "TIME",
        default_value = "1m",
        value_parser = values::time,
        help_heading = "Login"
    )]
    pub(super) grace: Duration,

    /// The time in which one IP address gets one more login; 0s for no limit. Loopback has none
    #[arg(
        long,
        env = "RENDEZVOUS_LOGIN_INTERVAL",
        value_name = "TIME",
        default_value = "1s",
        value_parser = values::time,
        help_heading = "Login"
    )]
    pub(super) login_interval: Duration,

    /// Logins that one IP address may make at once, before --login-interval holds
    #[arg(
        long,
        env = "RENDEZVOUS_LOGIN_BURST",
        value_name = "N",
        default_value = "10",
        value_parser = values::count_above_zero,
        help_heading = "Login"
    )]
    pub(super) login_burst: u32,

    /// Refused logins after which a connection is closed; 0 for no limit
    #[arg(
        long,
        env = "RENDEZVOUS_LOGIN_FAILURES",
        value_name = "N",
        default_value = "5",
        value_parser = values::count,
        help_heading = "Login"
    )]
    pub(super) login_failures: u32,

    /// The file that says who may log in: TOML, with a line such as alice = "TOKEN" for each id, which
    /// others must not be able to read. A login needs the token of its id, or on an encrypted link the
    /// key that its id is bound to. Without this anybody may log in
    #[arg(
        long,
        env = "RENDEZVOUS_AUTH_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Login"
    )]
    pub(super) auth_token_file: Option<PathBuf>,

    /// Ids that are bound to the keys of their clients, at their first login on an encrypted link;
    /// others may take those that are not. One that was unused for 30 days may leave for another; 0
    /// binds none
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_BINDINGS",
        value_name = "N",
        default_value = "100000",
        value_parser = values::count,
        help_heading = "Login"
    )]
    pub(super) max_bindings: u32,

    /// The time in which one IP address may bind one more id; 0s for no limit. Loopback and logins
    /// with a token have none
    #[arg(
        long,
        env = "RENDEZVOUS_BINDING_INTERVAL",
        value_name = "TIME",
        default_value = "10m",
        value_parser = values::time,
        help_heading = "Login"
    )]
    pub(super) binding_interval: Duration,

    /// Ids that one IP address may bind at once, before --binding-interval holds
    #[arg(
        long,
        env = "RENDEZVOUS_BINDING_BURST",
        value_name = "N",
        default_value = "100",
        value_parser = values::count_above_zero,
        help_heading = "Login"
    )]
    pub(super) binding_burst: u32,
}
