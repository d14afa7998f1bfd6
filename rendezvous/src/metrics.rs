//! What an operator of a rendezvous server watches: sessions and rooms, and each limit that acts.
//!
//! Names only, as in [`protocol_core::metrics`], which has those of connections; they go to whatever
//! recorder of the crate [`metrics`] the program installs.

use metrics::{describe_counter, describe_gauge};

/// Peers that are logged in, those included whose link is lost and whose grace is not over.
pub const SESSIONS_OPEN: &str = "rendezvous_sessions_open";

/// Sessions that ended since the same peer logged in anew.
pub const SESSIONS_REPLACED: &str = "rendezvous_sessions_replaced_total";

/// Graces that were granted shorter than they were asked for.
pub const GRACES_CUT: &str = "rendezvous_graces_cut_total";

/// Logins that opened a session or went on with one.
pub const LOGINS: &str = "rendezvous_logins_total";

/// Logins that were refused, by `code`.
pub const LOGINS_REFUSED: &str = "rendezvous_logins_refused_total";

/// Logins that were not looked at, since their address makes too many.
pub const LOGINS_LIMITED: &str = "rendezvous_logins_limited_total";

/// Connections that were closed after as many refused logins as they may have.
pub const LOGINS_EXHAUSTED: &str = "rendezvous_logins_exhausted_total";

/// Ids that were not bound to their key, by `limit`: `address` binds too many, or `all` bindings are in
/// use.
pub const BINDINGS_LIMITED: &str = "rendezvous_bindings_limited_total";

/// Passwords of rooms that were not worked on, by `limit`: their `address` tries too many, or `all`
/// places to wait in are taken.
pub const PASSWORDS_LIMITED: &str = "rendezvous_passwords_limited_total";

/// What peers wanted of rooms and was refused, by `code`: `server_full`, `too_many_rooms` and
/// `room_full` are limits.
pub const COMMANDS_REFUSED: &str = "rendezvous_commands_refused_total";

/// The names of all metrics of this crate.
pub const ALL: &[&str] = &[
    SESSIONS_OPEN,
    SESSIONS_REPLACED,
    GRACES_CUT,
    LOGINS,
    LOGINS_REFUSED,
    LOGINS_LIMITED,
    LOGINS_EXHAUSTED,
    BINDINGS_LIMITED,
    PASSWORDS_LIMITED,
    COMMANDS_REFUSED,
];

/// Tells the recorder what each metric of this crate, and of [`protocol_core`], is.
///
/// # Examples
///
/// ```
/// // Once the program has installed its recorder:
/// rendezvous::metrics::describe();
/// ```
pub fn describe() {
    protocol_core::metrics::describe();
    describe_gauge!(SESSIONS_OPEN, "Peers that are logged in.");
    describe_counter!(
        SESSIONS_REPLACED,
        "Sessions that ended since the same peer logged in anew."
    );
    describe_counter!(
        GRACES_CUT,
        "Graces that were granted shorter than they were asked for."
    );
    describe_counter!(LOGINS, "Logins that opened a session or went on with one.");
    describe_counter!(LOGINS_REFUSED, "Logins that were refused, by `code`.");
    describe_counter!(
        LOGINS_LIMITED,
        "Logins that were not looked at, since their address makes too many."
    );
    describe_counter!(
        LOGINS_EXHAUSTED,
        "Connections that were closed after as many refused logins as they may have."
    );
    describe_counter!(
        BINDINGS_LIMITED,
        "Ids that were not bound to their key, by `limit`: `address` or `all`."
    );
    describe_counter!(
        PASSWORDS_LIMITED,
        "Passwords of rooms that were not worked on, by `limit`: `address` or `all`."
    );
    describe_counter!(
        COMMANDS_REFUSED,
        "What peers wanted of rooms and was refused, by `code`."
    );
}

/// Counts one.
pub(crate) fn count(name: &'static str) {
    metrics::counter!(name).increment(1);
}

/// Counts one of those that a label tells apart.
pub(crate) fn count_by(name: &'static str, label: &'static str, value: &'static str) {
    metrics::counter!(name, label => value).increment(1);
}

/// One more is open.
pub(crate) fn rise(name: &'static str) {
    metrics::gauge!(name).increment(1.0);
}

/// One less is open.
pub(crate) fn fall(name: &'static str) {
    metrics::gauge!(name).decrement(1.0);
}
