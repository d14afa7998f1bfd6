//! Drives a client whose calls are futures: as many tasks as requests in flight, each of which
//! calls, awaits and checks, like the tasks of a program that uses such a client.

use std::{future::Future, net::SocketAddr};

use anyhow::Result;
use tokio::task::JoinSet;

use super::{Load, Running};
use crate::{
    gauge::Lane,
    work::{self, Work},
};

/// A client whose clones share one connection.
pub(super) trait Caller: Clone + Send + Sync + 'static {
    fn connect(address: SocketAddr) -> impl Future<Output = Result<Self>> + Send;

    /// One request and its answer.
    fn call(&self, work: Work) -> impl Future<Output = Result<Work>> + Send;
}

pub(super) fn drive<C: Caller>(load: Load) -> Running {
    Box::pin(async move {
        let mut callers = JoinSet::new();
        for _ in 0..load.mode.connections {
            let client = C::connect(load.address).await?;
            for _ in 0..load.mode.in_flight {
                callers.spawn(keep_calling(client.clone(), load.lane()));
            }
        }
        while let Some(ended) = callers.join_next().await {
            ended??;
        }
        Ok(())
    })
}

/// Connects anew for each request, with as many at it as the mode has in flight.
pub(super) fn drive_anew<C: Caller>(load: Load) -> Running {
    Box::pin(async move {
        let mut callers = JoinSet::new();
        for _ in 0..load.mode.in_flight {
            callers.spawn(keep_connecting::<C>(load.address, load.lane()));
        }
        while let Some(ended) = callers.join_next().await {
            ended??;
        }
        Ok(())
    })
}

async fn keep_connecting<C: Caller>(address: SocketAddr, mut lane: Lane) -> Result<()> {
    let mut id = 0;
    while lane.runs() {
        let sent = lane.sent();
        let client = C::connect(address).await?;
        let answer = client.call(Work::new(id)).await?;
        work::check(id, answer.id)?;
        lane.answered(sent);
        id += 1;
    }
    Ok(())
}

async fn keep_calling<C: Caller>(client: C, mut lane: Lane) -> Result<()> {
    let mut id = 0;
    while lane.runs() {
        let sent = lane.sent();
        let answer = client.call(Work::new(id)).await?;
        work::check(id, answer.id)?;
        lane.answered(sent);
        id += 1;
    }
    Ok(())
}
