//! Drives a client whose calls are futures: as many tasks as requests in flight, each of which
//! calls, awaits and checks, like the tasks of a program that uses such a client.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::task::JoinSet;

use super::{Load, Running, newcomers};
use crate::{
    gauge::Lane,
    mode::{Mode, Workload},
    work::{self, Work},
};

/// Clients that connect at once before all of them are at work.
const AT_ONCE: usize = 32;

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
    if load.mode.workload == Workload::InTurn {
        return drive_in_turn::<C>(load);
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

/// Keeps as many requests in flight as the mode says over all its connections together: each is sent
/// on the connection whose turn it is.
fn drive_in_turn<C: Caller>(load: Load) -> Running {
    Box::pin(async move {
        let coming = stream::iter(0..load.mode.connections).map(|_| C::connect(load.address));
        let clients: Vec<C> = coming.buffered(AT_ONCE).try_collect().await?;
        let turns = Arc::new(Turns {
            clients,
            next: AtomicUsize::new(0),
        });
        let mut callers = JoinSet::new();
        for _ in 0..load.mode.in_flight {
            callers.spawn(keep_calling_in_turn(Arc::clone(&turns), load.lane()));
        }
        while let Some(ended) = callers.join_next().await {
            ended??;
        }
        Ok(())
    })
}

struct Turns<C> {
    clients: Vec<C>,
    next: AtomicUsize,
}

async fn keep_calling_in_turn<C: Caller>(turns: Arc<Turns<C>>, mut lane: Lane) -> Result<()> {
    while lane.runs() {
        let turn = turns.next.fetch_add(1, Relaxed);
        let client = &turns.clients[turn % turns.clients.len()];
        let id = turn.try_into()?;
        let sent = lane.sent();
        let answer = client.call(Work::new(id)).await?;
        work::check(id, answer.id)?;
        lane.answered(sent);
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
