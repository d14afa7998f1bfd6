//! The flags of `serve` about one connection: how fast it may send, and what is kept for it.

use clap::Args;
use protocol_core::Limits;

use crate::cli::values;

/// Seconds that one frame may take at the rate that is allowed. A frame may take 10 s to arrive, so
/// that a link is never paused for longer by one that came.
const LONGEST_FRAME: u32 = 8;

#[derive(Debug, Args)]
pub(super) struct Connection {
    /// Events that a connection may send in a second; 0 for no limit
    #[arg(
        long,
        env = "RENDEZVOUS_EVENTS_PER_SECOND",
        value_name = "N",
        default_value = "500",
        value_parser = values::count,
        help_heading = "Rates"
    )]
    events_per_second: u32,

    /// Bytes that a connection may send in a second, such as 64KiB; 0 for no limit
    #[arg(
        long,
        env = "RENDEZVOUS_BYTES_PER_SECOND",
        value_name = "SIZE",
        default_value = "1MiB",
        value_parser = values::bytes,
        help_heading = "Rates"
    )]
    bytes_per_second: u32,

    /// Events that others may get in a second because of one connection: an event to a room counts
    /// once for each member; 0 for no limit
    #[arg(
        long,
        env = "RENDEZVOUS_DELIVERIES_PER_SECOND",
        value_name = "N",
        default_value = "10000",
        value_parser = values::count,
        help_heading = "Rates"
    )]
    deliveries_per_second: u32,

    /// The longest event that a connection may send, on the wire; longer ones end it. Clients send
    /// at most 64KiB unless they are told otherwise
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_FRAME",
        value_name = "SIZE",
        default_value = "64KiB",
        value_parser = values::frame,
        help_heading = "Memory of a connection"
    )]
    max_frame: u32,

    /// Events that may wait until a peer reads them, half of them from other peers; more are refused
    #[arg(
        long,
        env = "RENDEZVOUS_QUEUE_EVENTS",
        value_name = "N",
        default_value = "1024",
        value_parser = values::count_above_zero,
        help_heading = "Memory of a connection"
    )]
    queue_events: u32,

    /// Bytes of such events
    #[arg(
        long,
        env = "RENDEZVOUS_QUEUE_BYTES",
        value_name = "SIZE",
        default_value = "1MiB",
        value_parser = values::queue,
        help_heading = "Memory of a connection"
    )]
    queue_bytes: u32,

    /// Requests and confirmed passes of a connection that other peers have not answered yet; one
    /// more gets `busy`
    #[arg(
        long,
        env = "RENDEZVOUS_MAX_OPEN_CALLS",
        value_name = "N",
        default_value = "1024",
        value_parser = values::count_above_zero,
        help_heading = "Memory of a connection"
    )]
    max_open_calls: u32,
}

impl Connection {
    /// Sets the limits that the flags ask for.
    pub(super) fn limit(&self, limits: &mut Limits) {
        limits.frame_in = self.max_frame as usize;
        limits.outbound_events = self.queue_events as usize;
        limits.outbound_bytes = self.queue_bytes as usize;
        limits.relayed_calls = self.max_open_calls as usize;
        let rate = limits.rate_in.get_or_insert_default();
        rate.events_per_second = self.events_per_second;
        rate.bytes_per_second = self.bytes_per_second;
        rate.deliveries_per_second = self.deliveries_per_second;
    }

    /// Why flags that are right each by itself cannot hold together.
    pub(super) fn conflict(&self) -> Option<String> {
        let (rate, frame) = (self.bytes_per_second, self.max_frame);
        let slowest = frame.div_ceil(LONGEST_FRAME);
        (1..slowest).contains(&rate).then(|| {
            format!(
                "--bytes-per-second {rate} is too slow for --max-frame {frame}: one event would \
                 pause its connection for {} s; write {slowest} or more, or 0 for no limit",
                frame / rate
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        connection: Connection,
    }

    fn conflict(flags: &[&str]) -> Option<String> {
        let args = ["serve"].iter().chain(flags);
        Program::try_parse_from(args).unwrap().connection.conflict()
    }

    #[test]
    fn a_rate_lets_the_longest_frame_through() {
        for (flags, conflicts) in [
            (&[][..], false),
            (&["--bytes-per-second=8192"], false),
            (&["--bytes-per-second=8191"], true),
            (&["--bytes-per-second=0", "--max-frame=512KiB"], false),
            (&["--bytes-per-second=64KiB", "--max-frame=512KiB"], false),
            (&["--bytes-per-second=65535", "--max-frame=512KiB"], true),
            (&["--bytes-per-second=512", "--max-frame=4KiB"], false),
        ] {
            assert_eq!(conflict(flags).is_some(), conflicts, "{flags:?}");
        }
    }
}
