//! This project as a relay: pairs of its clients, one of which sends to the other through the
//! server, which reads where each frame goes and decodes no data.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    process,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use anyhow::{Context as _, Result};
use protocol_core::{
    AtPeer, Client, Context, Event, EventSet, Inbox, OpenRelay, PeerId, Protocol, Received, Server,
    inbox,
};
use tokio::task::JoinSet;

use super::{
    Contender, Load, Running,
    callers::{self, Caller},
    confirmed::Tell,
    protocol::{self, Echo, Echoed},
};
use crate::{
    gauge::Lane,
    mode::{Mode, Workload},
    process::Announcement,
    work::{self, Work},
};

/// Gives a connection the name that others reach it by.
#[derive(Debug, Event)]
#[event(pass)]
struct Join {
    id: PeerId,
}

#[derive(Debug, EventSet)]
enum ToRelay {
    Join(Join),
}

#[derive(Debug, EventSet)]
enum Requests {
    Echo(Echo),
}

#[derive(Debug, EventSet)]
enum Passes {
    Tell(Tell),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToRelay, to_peer = (Requests, Passes))]
struct Between;

struct Door;

impl ToRelayHandler<Between> for Door {
    async fn on_join(&self, cx: &Context<Between>, event: Join) {
        // Without a name nothing is relayed, so that the run fails where one was taken.
        if !cx.identify(event.id) {
            cx.close();
        }
    }
}

struct Echoing;

impl RequestsHandler<Between, AtPeer> for Echoing {
    async fn on_echo(&self, _cx: &Context<Between, AtPeer>, event: Echo) -> Echoed {
        event.into()
    }
}

async fn serve(announcement: Announcement, links: u8) -> Result<()> {
    let server = Server::<Between>::bind("127.0.0.1:0")
        .encryption(protocol::encryption(links))
        .relay(OpenRelay)
        .handle(Door)
        .await?;
    announcement.listening(server.address(), process::id())?;
    // The server lives as long as this future, which the driver drops.
    std::future::pending().await
}

/// Two clients that know each other through the server.
#[derive(Clone)]
struct Pair<const LINKS: u8> {
    from: Client<Between>,
    to: PeerId,
    /// Ends when its last handle is gone.
    _receiver: Client<Between>,
}

impl<const LINKS: u8> Pair<LINKS> {
    /// A pair, and what its receiver is told: at most `window` passes at once.
    async fn join(address: SocketAddr, window: usize) -> Result<(Self, Inbox<Passes>)> {
        let (from, _, _) = join(address, LINKS, 1).await?;
        let (receiver, to, told) = join(address, LINKS, window).await?;
        let pair = Self {
            from,
            to,
            _receiver: receiver,
        };
        Ok((pair, told))
    }
}

async fn join(
    address: SocketAddr,
    links: u8,
    window: usize,
) -> Result<(Client<Between>, PeerId, Inbox<Passes>)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);

    let id = PeerId::new(format!("peer-{}", NEXT.fetch_add(1, Relaxed)))?;
    let (passes, told) = inbox(window);
    let client = protocol::connect::<Between>(address, links, [8; 32])
        .handle((Echoing, passes))
        .await?;
    client.confirm(Join { id: id.clone() }).await?;
    Ok((client, id, told))
}

/// Requests from client to client; each is two relayed frames.
#[derive(Debug)]
pub(super) struct RelayedRequests<const LINKS: u8>;

impl<const LINKS: u8> Contender for RelayedRequests<LINKS> {
    fn name(&self) -> &'static str {
        protocol::name(LINKS, ["relay", "relay-aes", "relay-chacha"])
    }

    fn about(&self) -> &'static str {
        let plain = "requests of this project's clients to each other, relayed by its server";
        protocol::about(LINKS, plain)
    }

    fn takes(&self, mode: &Mode) -> bool {
        mode.workload == Workload::Relay
    }

    fn kind(&self) -> Option<u8> {
        Some(LINKS)
    }

    fn frames(&self) -> u32 {
        2
    }

    fn links(&self) -> usize {
        2
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(serve(announcement, LINKS))
    }

    fn drive(&self, load: Load) -> Running {
        callers::drive::<Pair<LINKS>>(load)
    }
}

impl<const LINKS: u8> Caller for Pair<LINKS> {
    async fn connect(address: SocketAddr) -> Result<Self> {
        let (pair, _) = Self::join(address, 1).await?;
        Ok(pair)
    }

    async fn call(&self, work: Work) -> Result<Work> {
        let asked = self.from.to(&self.to).request(Echo::from(work));
        Ok(asked.await?.into())
    }
}

/// Passes from client to client; each is one relayed frame.
#[derive(Debug)]
pub(super) struct RelayedPasses<const LINKS: u8>;

impl<const LINKS: u8> Contender for RelayedPasses<LINKS> {
    fn name(&self) -> &'static str {
        protocol::name(LINKS, ["relay-pass", "relay-pass-aes", "relay-pass-chacha"])
    }

    fn about(&self) -> &'static str {
        let plain = "passes of this project's clients to each other, relayed by its server";
        protocol::about(LINKS, plain)
    }

    fn takes(&self, mode: &Mode) -> bool {
        mode.workload == Workload::Relay
    }

    fn kind(&self) -> Option<u8> {
        Some(LINKS)
    }

    fn links(&self) -> usize {
        2
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(serve(announcement, LINKS))
    }

    fn drive(&self, load: Load) -> Running {
        Box::pin(async move {
            let window = load.mode.in_flight;
            let mut pairs = JoinSet::new();
            for _ in 0..load.mode.connections {
                let (pair, told) = Pair::<LINKS>::join(load.address, window).await?;
                pairs.spawn(keep_telling(pair, told, load.lane(), window));
            }
            while let Some(ended) = pairs.join_next().await {
                ended??;
            }
            Ok(())
        })
    }
}

/// Keeps `window` passes on their way, fewer than the server drops for a slow receiver, and checks
/// that all of them arrive in order.
async fn keep_telling<const LINKS: u8>(
    pair: Pair<LINKS>,
    mut told: Inbox<Passes>,
    mut lane: Lane,
    window: usize,
) -> Result<()> {
    let mut on_their_way = VecDeque::with_capacity(window);
    let (mut next, mut expected) = (0, 0);
    loop {
        while lane.runs() && on_their_way.len() < window {
            on_their_way.push_back(lane.sent());
            pair.from
                .to(&pair.to)
                .send(Tell::from(Work::new(next)))
                .await?;
            next += 1;
        }
        let Some(sent) = on_their_way.pop_front() else {
            return Ok(());
        };
        let Received { event, .. } = told.next().await.context("the receiver's link has ended")?;
        let Passes::Tell(Tell { id, .. }) = event;
        work::check(expected, id)?;
        expected += 1;
        lane.answered(sent);
    }
}
