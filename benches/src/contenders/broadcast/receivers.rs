//! The clients of a broadcast: one publisher, and a task for each receiver.
//!
//! The publisher keeps as many broadcasts on their way as the mode says: each that all receivers
//! have heard makes room for the next.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use super::{
    super::{Load, Running},
    link::{Heard, Link, Messages},
    progress::{Hearing, Progress},
};
use crate::gauge::Lane;

/// What the clients of a contender say.
pub(super) trait Clients: Messages + Send + Sync + Sized + 'static {
    /// Whether the server keeps the order of what is said.
    const IN_ORDER: bool = true;

    /// Opens the publisher's link.
    fn publisher(&mut self, address: SocketAddr) -> impl Future<Output = Result<Link>> + Send;

    /// Opens the link of a receiver, which hears all that is said once this has returned.
    fn receiver(
        &self,
        address: SocketAddr,
        place: usize,
    ) -> impl Future<Output = Result<Link>> + Send;

    /// Appends what the publisher says with this number.
    fn say(&self, number: u64, out: &mut Vec<u8>) -> Result<()>;
}

/// Drives a broadcast to as many receivers as the mode has connections.
pub(super) fn drive<C: Clients>(load: Load, mut clients: C) -> Running {
    Box::pin(async move {
        let progress = Arc::new(Progress::new(load.mode.connections)?);
        let mut publisher = clients.publisher(load.address).await?;
        let mut receivers = JoinSet::new();
        for place in 0..load.mode.connections {
            // Whoever is there is told of those who come, and has to read it.
            let link = tokio::select! {
                link = clients.receiver(load.address, place) => link?,
                failed = listen::<C>(&mut publisher) => return failed,
            };
            receivers.spawn(receive::<C>(link, Arc::clone(&progress), load.lane()));
        }
        let lane = load.lane();
        let window = load.mode.in_flight as u64;
        tokio::select! {
            said = publish(clients, publisher, &progress, lane, window) => said?,
            Some(ended) = receivers.join_next() => {
                ended??;
                bail!("a receiver has ended before the publisher");
            }
        }
        // Their latencies are collected when they are gone.
        receivers.shutdown().await;
        Ok(())
    })
}

/// Says what is due until the lane stops and everybody has heard everything.
async fn publish<C: Clients>(
    clients: C,
    mut link: Link,
    progress: &Progress,
    lane: Lane,
    window: u64,
) -> Result<()> {
    let mut out = Vec::new();
    let (mut next, mut complete) = (0, 0);
    loop {
        while complete < next && progress.is_complete(complete) {
            complete += 1;
        }
        if lane.runs() {
            while next < complete + window {
                progress.send(next)?;
                clients.say(next, &mut out)?;
                next += 1;
            }
            link.write(&out).await?;
            out.clear();
        } else if complete == next {
            return Ok(());
        }
        tokio::select! {
            () = progress.more() => {}
            failed = listen::<C>(&mut link) => return failed,
        }
    }
}

/// Reads what the publisher hears: nothing of its own. Ends only with an error. Cancel-safe as far
/// as a pong, of which a part might be written, is rare.
async fn listen<C: Clients>(link: &mut Link) -> Result<()> {
    loop {
        while let Some(heard) = link.next::<C>()? {
            match heard {
                Heard::Broadcast(number) => bail!("the publisher hears broadcast {number}"),
                Heard::Ping => link.write(C::PONG).await?,
                Heard::Other(_) => {}
            }
        }
        link.fill().await?;
    }
}

/// Checks that all broadcasts arrive, once and in their order. Ends only with an error.
async fn receive<C: Clients>(
    mut link: Link,
    progress: Arc<Progress>,
    mut lane: Lane,
) -> Result<()> {
    let mut hearing = Hearing::default();
    loop {
        while let Some(heard) = link.next::<C>()? {
            match heard {
                Heard::Broadcast(number) => {
                    hearing.hear(number, C::IN_ORDER)?;
                    lane.received(|| progress.sent(number));
                    progress.heard(number);
                }
                Heard::Ping => link.write(C::PONG).await?,
                Heard::Other(_) => {}
            }
        }
        link.fill().await?;
    }
}
