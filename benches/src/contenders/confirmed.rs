//! This project's confirmed passes through its public API: an event without an answer of its own,
//! and the server says that its handler has had it.

use std::{future::pending, hint::black_box, process};

use anyhow::Result;
use protocol_core::{Client, Context, Event, EventSet, Protocol, Server};
use tokio::task::JoinSet;

use super::{Contender, Load, Running, protocol};
use crate::{
    gauge::Lane,
    mode::{Mode, Workload},
    process::Announcement,
    work::Work,
};

/// The same as a request carries.
#[derive(Debug, Event)]
#[event(pass)]
pub(super) struct Tell {
    pub(super) id: u64,
    name: String,
    tags: Vec<String>,
    pos: [f64; 3],
}

impl From<Work> for Tell {
    fn from(work: Work) -> Self {
        let Work {
            id,
            name,
            tags,
            pos,
        } = work;
        Self {
            id,
            name,
            tags,
            pos,
        }
    }
}

#[derive(Debug, EventSet)]
enum ToBench {
    Tell(Tell),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToBench)]
struct Bench;

struct Handler;

impl ToBenchHandler<Bench> for Handler {
    async fn on_tell(&self, _cx: &Context<Bench>, event: Tell) {
        // Nobody needs it any more, and it was to be decoded all the same.
        black_box(event);
    }
}

#[derive(Debug)]
pub(super) struct Confirmed<const LINKS: u8>;

impl<const LINKS: u8> Contender for Confirmed<LINKS> {
    fn name(&self) -> &'static str {
        let names = [
            "protocol-confirmed",
            "protocol-confirmed-aes",
            "protocol-confirmed-chacha",
        ];
        protocol::name(LINKS, names)
    }

    fn about(&self) -> &'static str {
        let plain = "confirmed passes of this project with the data of a request";
        protocol::about(LINKS, plain)
    }

    fn takes(&self, mode: &Mode) -> bool {
        mode.workload == Workload::Confirmed
    }

    fn kind(&self) -> Option<u8> {
        Some(LINKS)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let server = Server::<Bench>::bind("127.0.0.1:0")
                .encryption(protocol::encryption(LINKS))
                .handle(Handler)
                .await?;
            announcement.listening(server.address(), process::id())?;
            // The server lives as long as this future, which the driver drops.
            pending().await
        })
    }

    fn drive(&self, load: Load) -> Running {
        Box::pin(async move {
            let mut telling = JoinSet::new();
            for _ in 0..load.mode.connections {
                let client = protocol::connect(load.address, LINKS, [8; 32]).await?;
                for _ in 0..load.mode.in_flight {
                    telling.spawn(keep_telling(client.clone(), load.lane()));
                }
            }
            while let Some(ended) = telling.join_next().await {
                ended??;
            }
            Ok(())
        })
    }
}

/// Which of its passes a confirmation is for, the client itself checks: the call ends with its own.
async fn keep_telling(client: Client<Bench>, mut lane: Lane) -> Result<()> {
    let mut id = 0;
    while lane.runs() {
        let sent = lane.sent();
        client.confirm(Tell::from(Work::new(id))).await?;
        lane.answered(sent);
        id += 1;
    }
    Ok(())
}
