//! File handles: the system grants a process few of them unless it asks.

/// Handles beside those of connections: the listener, the runtime's own, standard streams.
const OTHERS: u64 = 64;

/// Asks for as many file handles as `connections` need, and warns where there are fewer.
pub(super) fn raise_limit(connections: u32) {
    let wanted = u64::from(connections) + OTHERS;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(granted) if granted < wanted => tracing::warn!(
            granted,
            wanted,
            "the system grants too few file handles for --max-connections: raise `ulimit -n`"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, wanted, "cannot ask for more file handles"),
    }
}
