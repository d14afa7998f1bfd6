//! The contenders, one file each, and what they have in common.
//!
//! A contender knows its own server and client; it knows nothing of processes, clocks or tables.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use anyhow::Result;

use crate::{
    gauge::{Gauge, Lane},
    mode::{Links, Mode, Workload},
    process::Announcement,
};

mod broadcast;
mod byte_floor;
mod callers;
mod confirmed;
mod envelope;
mod json_await;
mod json_floor;
mod jsonrpsee;
mod lines;
mod logged_in;
mod nats;
mod newcomers;
mod protocol;
mod relay;
mod room;
mod socketioxide;
mod tarpc;
mod tonic;
mod websocket;

pub(crate) use broadcast::Rooms;

/// All contenders in the order in which a round measures them.
pub(crate) const ALL: &[&dyn Contender] = &[
    &protocol::Ours::<{ protocol::PLAIN }>,
    &protocol::Ours::<{ protocol::AES_GCM }>,
    &protocol::Ours::<{ protocol::CHACHA_POLY }>,
    &logged_in::LoggedIn::<{ protocol::PLAIN }>,
    &logged_in::LoggedIn::<{ protocol::AES_GCM }>,
    &confirmed::Confirmed::<{ protocol::PLAIN }>,
    &confirmed::Confirmed::<{ protocol::AES_GCM }>,
    &confirmed::Confirmed::<{ protocol::CHACHA_POLY }>,
    &relay::RelayedRequests::<{ protocol::PLAIN }>,
    &relay::RelayedRequests::<{ protocol::AES_GCM }>,
    &relay::RelayedRequests::<{ protocol::CHACHA_POLY }>,
    &relay::RelayedPasses::<{ protocol::PLAIN }>,
    &relay::RelayedPasses::<{ protocol::AES_GCM }>,
    &relay::RelayedPasses::<{ protocol::CHACHA_POLY }>,
    &room::Room::<{ protocol::PLAIN }>,
    &room::Room::<{ protocol::AES_GCM }>,
    &room::Room::<{ protocol::CHACHA_POLY }>,
    &json_floor::ONE_WRITE_A_BATCH,
    &json_floor::EARLY_FLUSH,
    &json_await::JsonAwait,
    &byte_floor::ByteFloor,
    &tarpc::TarpcJson,
    &tarpc::TarpcBincode,
    &jsonrpsee::Jsonrpsee,
    &tonic::Tonic,
    &socketioxide::Socketioxide,
    &nats::Nats,
    &broadcast::Rooms(1),
    &broadcast::Floor::<broadcast::Queues>::NEW,
    &broadcast::Floor::<broadcast::Inline>::NEW,
    &broadcast::Socketioxide,
    &broadcast::Nats,
];

/// A future that ends only with an error, or when there is nothing left to do.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A server and a client that do the same work as all others.
pub(crate) trait Contender: Sync {
    fn name(&self) -> &'static str;

    /// What it is, in a line of `--help` and of the report.
    fn about(&self) -> &'static str;

    /// What it would need and this machine does not have; it is left out of the run then.
    fn lacks(&self) -> Option<&'static str> {
        None
    }

    /// Whether it does what a mode asks for, if that is of its kind of links.
    fn takes(&self, mode: &Mode) -> bool {
        mode.workload == Workload::Request
    }

    /// Which of this project's kinds of links it has; none for a contender that is the only one of
    /// its sort, which has plain ones.
    fn kind(&self) -> Option<u8> {
        None
    }

    /// Frames that the server takes in for each event, to answer them or to pass them on.
    fn frames(&self) -> u32 {
        1
    }

    /// Links to the server for each of the mode's connections.
    fn links(&self) -> usize {
        1
    }

    /// Listens on a port of its choice, announces it and serves until it is dropped. Runs in a
    /// process of its own.
    fn serve(&self, announcement: Announcement) -> Running;

    /// Opens the load's connections, keeps them as busy as its mode says while its lanes run,
    /// waits for the last answers and ends.
    fn drive(&self, load: Load) -> Running;
}

/// Whether a mode measures a contender.
pub(crate) fn takes_part(contender: &dyn Contender, mode: &Mode) -> bool {
    let kind = contender.kind();
    let of_its_kind = match mode.links {
        Links::Plain => kind.is_none_or(|kind| kind == protocol::PLAIN),
        Links::Compared => kind.is_some(),
        Links::All => true,
    };
    of_its_kind && contender.takes(mode)
}

/// What a client has to do.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) mode: &'static Mode,
    pub(crate) gauge: Arc<Gauge>,
}

impl Load {
    /// A place to count for one task.
    pub(crate) fn lane(&self) -> Lane {
        self.gauge.lane()
    }
}
