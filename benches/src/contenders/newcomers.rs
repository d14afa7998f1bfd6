//! Clients that come, are answered once, and go or stay: for each new link, and for idle ones.

use std::net::SocketAddr;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::task::JoinSet;

use super::{Load, Running, callers::Caller};
use crate::{
    gauge::Lane,
    mode::{Mode, Workload},
    work::{self, Work},
};

/// Clients that come at once before all of them stay.
const AT_ONCE: usize = 32;

/// A client that keeps its link for as long as it lives.
pub(super) trait Newcomer: Sized + Send + 'static {
    /// Connects, and has one request answered and the answer checked.
    fn come(address: SocketAddr) -> impl Future<Output = Result<Self>> + Send;
}

impl<C: Caller> Newcomer for C {
    async fn come(address: SocketAddr) -> Result<Self> {
        let client = Self::connect(address).await?;
        let work = Work::new(0);
        let asked = work.id;
        work::check(asked, client.call(work).await?.id)?;
        Ok(client)
    }
}

/// Whether a mode takes nothing but newcomers.
pub(super) fn takes(mode: &Mode) -> bool {
    matches!(mode.workload, Workload::Connect | Workload::Idle)
}

/// Does what a mode of newcomers asks for.
pub(super) fn drive<N: Newcomer>(load: Load) -> Running {
    match load.mode.workload {
        Workload::Idle => Box::pin(stay::<N>(load)),
        _ => Box::pin(come_and_go::<N>(load)),
    }
}

/// Connects anew for each request, with as many at it as the mode has in flight.
async fn come_and_go<N: Newcomer>(load: Load) -> Result<()> {
    let mut coming = JoinSet::new();
    for _ in 0..load.mode.in_flight {
        coming.spawn(keep_coming::<N>(load.address, load.lane()));
    }
    while let Some(ended) = coming.join_next().await {
        ended??;
    }
    Ok(())
}

async fn keep_coming<N: Newcomer>(address: SocketAddr, mut lane: Lane) -> Result<()> {
    while lane.runs() {
        let sent = lane.sent();
        N::come(address).await?;
        lane.answered(sent);
    }
    Ok(())
}

/// Opens all connections of the mode, counts each that has been answered, and keeps them until the
/// measurement ends.
async fn stay<N: Newcomer>(load: Load) -> Result<()> {
    let mut lane = load.lane();
    let coming = stream::iter(0..load.mode.connections).map(|_| N::come(load.address));
    let mut coming = coming.buffer_unordered(AT_ONCE);
    let mut here = Vec::with_capacity(load.mode.connections);
    while let Some(client) = coming.try_next().await? {
        let sent = lane.sent();
        here.push(client);
        lane.answered(sent);
    }
    load.gauge.stopped().await;
    Ok(())
}
