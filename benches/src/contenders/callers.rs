//! Drives a client whose calls are futures: as many tasks as requests in flight, each of which
//! calls, awaits and checks, like the tasks of a program that uses such a client.

use std::{future::Future, net::SocketAddr};

use anyhow::Result;
use tokio::task::JoinSet;

use super::{Load, Running, newcomers};
use crate::{
    gauge::Lane,
    mode::{Mode, Workload},
    work::{self, Work},
};

/// A client whose clones share one connection.
pub(super) trait Caller: Clone + Send + Sync + 'static {
    fn connect(address: SocketAddr) -> impl Future<Output = Result<Self>> + Send;

    /// One request and its answer.
    fn call(&self, work: Work) -> impl Future<Output = Result<Work>> + Send;
}

/// The modes that any such client can do, if its server answers requests.
pub(super) fn takes(mode: &Mode) -> bool {
    mode.workload == Workload::Request || newcomers::takes(mode)
}

pub(super) fn drive<C: Caller>(load: Load) -> Running {
    if newcomers::takes(load.mode) {
        return newcomers::drive::<C>(load);
    }
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
