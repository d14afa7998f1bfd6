//! The modes of load: how many connections, and how much in flight on each.
//!
//! Knows nothing of the contenders beyond the name of the one that a mode is compared with.

use crate::placement::Placement;

/// One way to load a server; every contender that takes it is measured in turn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mode {
    /// What `--modes` and the JSON call it.
    pub(crate) name: &'static str,
    /// The heading of its table.
    pub(crate) title: &'static str,
    pub(crate) workload: Workload,
    pub(crate) connections: usize,
    /// Requests in flight on each connection.
    pub(crate) in_flight: usize,
    pub(crate) links: Links,
    /// Where client and server run unless `--placement` says otherwise.
    pub(crate) placement: Placement,
    /// The contender that all ratios of this mode are to.
    pub(crate) baseline: &'static str,
}

/// Whose links a mode measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Plain ones, of all contenders.
    Plain,
    /// Plain and encrypted ones, of this project alone.
    Compared,
    /// Plain and encrypted ones, of all contenders.
    All,
}

/// What one counted event of a mode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// A request and its answer, checked by the client.
    Request,
    /// A new link, a request and its answer. As many as are in flight come at once.
    Connect,
    /// A pass that the server confirms once its handler has had it, beside requests.
    Confirmed,
    /// A link that is opened and answered once, and then says nothing.
    Idle,
    /// What one client sends to another through the server, beside requests to the server itself.
    /// A connection stands for a pair of clients then.
    Relay,
    /// A request and its answer; what is in flight is so for all connections together, each of which
    /// has its turn.
    InTurn,
    /// What one client says and all others hear: each that hears it is an event. A connection stands
    /// for a receiver then, and what is in flight is said by one publisher beside them.
    Broadcast,
}

/// All modes in the order in which they are measured.
pub(crate) const ALL: &[Mode] = &[
    Mode {
        name: "1",
        title: "1 in flight on one connection",
        workload: Workload::Request,
        connections: 1,
        in_flight: 1,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "json-floor",
    },
    Mode {
        name: "1-core",
        title: "1 in flight on one connection, both processes on one core",
        workload: Workload::Request,
        connections: 1,
        in_flight: 1,
        links: Links::Plain,
        placement: Placement::Together,
        baseline: "json-floor",
    },
    Mode {
        name: "64",
        title: "64 in flight on one connection",
        workload: Workload::Request,
        connections: 1,
        in_flight: 64,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "json-floor",
    },
    Mode {
        name: "256",
        title: "256 in flight on one connection",
        workload: Workload::Request,
        connections: 1,
        in_flight: 256,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "json-floor",
    },
    Mode {
        name: "50x16",
        title: "50 connections with 16 in flight each",
        workload: Workload::Request,
        connections: 50,
        in_flight: 16,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "json-floor",
    },
    Mode {
        name: "encrypted-1-core",
        title: "1 in flight, both processes on one core, plain and encrypted",
        workload: Workload::Request,
        connections: 1,
        in_flight: 1,
        links: Links::Compared,
        placement: Placement::Together,
        baseline: "protocol",
    },
    Mode {
        name: "encrypted",
        title: "64 in flight on one connection, plain and encrypted",
        workload: Workload::Request,
        connections: 1,
        in_flight: 64,
        links: Links::Compared,
        placement: Placement::Free,
        baseline: "protocol",
    },
    Mode {
        name: "encrypted-256",
        title: "256 in flight on one connection, plain and encrypted",
        workload: Workload::Request,
        connections: 1,
        in_flight: 256,
        links: Links::Compared,
        placement: Placement::Free,
        baseline: "protocol",
    },
    Mode {
        name: "encrypted-50x16",
        title: "50 connections with 16 in flight each, plain and encrypted",
        workload: Workload::Request,
        connections: 50,
        in_flight: 16,
        links: Links::Compared,
        placement: Placement::Free,
        baseline: "protocol",
    },
    Mode {
        name: "encrypted-confirmed",
        title: "64 confirmed passes in flight on one connection, plain and encrypted",
        workload: Workload::Confirmed,
        connections: 1,
        in_flight: 64,
        links: Links::Compared,
        placement: Placement::Free,
        baseline: "protocol-confirmed",
    },
    Mode {
        name: "encrypted-relay",
        title: "64 in flight between two clients, plain and encrypted",
        workload: Workload::Relay,
        connections: 1,
        in_flight: 64,
        links: Links::Compared,
        placement: Placement::Free,
        baseline: "relay",
    },
    Mode {
        name: "encrypted-room",
        title: "one publisher and 99 receivers, 16 broadcasts in flight, plain and encrypted",
        workload: Workload::Broadcast,
        connections: 99,
        in_flight: 16,
        links: Links::Compared,
        placement: Placement::Free,
        baseline: "room",
    },
    Mode {
        name: "connect",
        title: "16 clients that connect anew for each request",
        workload: Workload::Connect,
        connections: 1,
        in_flight: 16,
        links: Links::All,
        placement: Placement::Free,
        baseline: "protocol",
    },
    Mode {
        name: "confirmed",
        title: "64 confirmed passes in flight on one connection, beside requests",
        workload: Workload::Confirmed,
        connections: 1,
        in_flight: 64,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "protocol",
    },
    Mode {
        name: "relay",
        title: "64 in flight between two clients, beside requests to the server",
        workload: Workload::Relay,
        connections: 1,
        in_flight: 64,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "protocol",
    },
    Mode {
        name: "relay-25x16",
        title: "25 pairs of clients with 16 in flight each, beside requests to the server",
        workload: Workload::Relay,
        connections: 25,
        in_flight: 16,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "protocol",
    },
    Mode {
        name: "broadcast-100",
        title: "one publisher and 99 receivers, 16 broadcasts in flight",
        workload: Workload::Broadcast,
        connections: 99,
        in_flight: 16,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "queue-floor",
    },
    Mode {
        name: "broadcast-1000",
        title: "one publisher and 999 receivers, 4 broadcasts in flight",
        workload: Workload::Broadcast,
        connections: 999,
        in_flight: 4,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "queue-floor",
    },
    Mode {
        name: "idle-5000",
        title: "5,000 connections that are idle after one request each",
        workload: Workload::Idle,
        connections: 5_000,
        in_flight: 1,
        links: Links::All,
        placement: Placement::Free,
        baseline: "protocol",
    },
    Mode {
        name: "idle-10000",
        title: "10,000 connections that are idle after one request each",
        workload: Workload::Idle,
        connections: 10_000,
        in_flight: 1,
        links: Links::All,
        placement: Placement::Free,
        baseline: "protocol",
    },
];

impl Mode {
    /// How many events pass for each whose latency is taken. Reading the clock costs as much as a
    /// small part of a fast contender's event, so only a slow mode takes all; the prime keeps the
    /// samples from falling on the same places of every batch.
    pub(crate) fn sampling(&self) -> u32 {
        if self.connections * self.in_flight == 1 {
            1
        } else {
            13
        }
    }
}
