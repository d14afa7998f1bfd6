//! This project's rendezvous server and a room of its clients, all through the public API: what one
//! says and all others hear, over plain and over encrypted links.

use std::{process, sync::Arc};

use anyhow::{Context as _, Result, bail};
use protocol_core::{
    Client, Event, EventSet, Inbox, PeerId, Protocol, Received, RoomId, ignore, inbox,
};
use rendezvous::{
    Config, Login, LoginExt as _, Rendezvous, RoomNews, Rooms, SessionNews,
    events::{Capacity, CreateRoom, JoinRoom},
};
use tokio::task::JoinSet;

use super::{
    Contender, Load, Running,
    broadcast::{Hearing, Progress},
    protocol,
};
use crate::{
    gauge::Lane,
    mode::{Mode, Workload},
    process::Announcement,
};

/// With its number a frame of 150 bytes, as in all broadcasts.
const TEXT: usize = 60;

#[derive(Debug, Event)]
#[event(pass)]
struct Say {
    number: u64,
    text: String,
}

#[derive(Debug, EventSet)]
enum Talk {
    Say(Say),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms),
    to_client = (SessionNews, RoomNews),
    to_peer = Talk
)]
struct Hall;

#[derive(Debug)]
pub(super) struct Room<const LINKS: u8>;

impl<const LINKS: u8> Contender for Room<LINKS> {
    fn name(&self) -> &'static str {
        protocol::name(LINKS, ["room", "room-aes", "room-chacha"])
    }

    fn about(&self) -> &'static str {
        let plain = "this project's rendezvous server and clients in a room, plain";
        protocol::about(LINKS, plain)
    }

    fn takes(&self, mode: &Mode) -> bool {
        mode.workload == Workload::Broadcast && mode.baseline == "room"
    }

    fn kind(&self) -> Option<u8> {
        Some(LINKS)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let mut config = Config::default();
            // A publisher that may say 500 things a second would be what is measured.
            config.server.connection.rate_in = None;
            let rendezvous = Rendezvous::new(config);
            let server = rendezvous
                .bind::<Hall>("127.0.0.1:0")
                .encryption(protocol::encryption(LINKS))
                .handle(rendezvous.clone())
                .await?;
            announcement.listening(server.address(), process::id())?;
            // The server lives as long as this future, which the driver drops.
            std::future::pending().await
        })
    }

    fn drive(&self, load: Load) -> Running {
        Box::pin(drive(load, LINKS))
    }
}

type Member = Client<Hall>;

async fn log_in(load: &Load, links: u8, number: usize) -> Result<(Member, Inbox<Talk>)> {
    // Each has a key of its own, to which an encrypted server binds the id.
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_le_bytes());
    let (talk, heard) = inbox(load.mode.in_flight);
    let handlers = (ignore::<SessionNews>(), ignore::<RoomNews>(), talk);
    let connect = protocol::connect::<Hall>(load.address, links, key);
    let client = connect.handle(handlers).await?;
    let id = PeerId::new(format!("member-{number}"))?;
    client.login(id.as_str()).await?;
    Ok((client, heard))
}

async fn drive(load: Load, links: u8) -> Result<()> {
    let receivers = load.mode.connections;
    let progress = Arc::new(Progress::new(receivers)?);
    let (publisher, _told) = log_in(&load, links, receivers).await?;
    let ask = CreateRoom {
        capacity: Capacity::new(receivers + 1),
        ..CreateRoom::new("load")
    };
    let room = publisher.request(ask).await?.id;
    let mut receiving = JoinSet::new();
    for number in 0..receivers {
        let (client, heard) = log_in(&load, links, number).await?;
        client.request(JoinRoom::new(room.clone())).await?;
        receiving.spawn(receive(client, heard, Arc::clone(&progress), load.lane()));
    }
    let window = load.mode.in_flight as u64;
    tokio::select! {
        said = publish(publisher, room, &progress, load.lane(), window) => said?,
        Some(ended) = receiving.join_next() => {
            ended??;
            bail!("a receiver has ended before the publisher");
        }
    }
    // Their latencies are collected when they are gone.
    receiving.shutdown().await;
    Ok(())
}

/// Says what is due until the lane stops and everybody has heard everything.
async fn publish(
    publisher: Member,
    room: RoomId,
    progress: &Progress,
    lane: Lane,
    window: u64,
) -> Result<()> {
    let (mut next, mut complete) = (0, 0);
    loop {
        while complete < next && progress.is_complete(complete) {
            complete += 1;
        }
        if lane.runs() {
            while next < complete + window {
                progress.send(next)?;
                let text = ".".repeat(TEXT);
                let say = Say { number: next, text };
                publisher.to_room(&room).send(say).await?;
                next += 1;
            }
        } else if complete == next {
            return Ok(());
        }
        progress.more().await;
    }
}

/// Checks that all broadcasts arrive, once and in their order. Ends only with an error.
async fn receive(
    _client: Member,
    mut heard: Inbox<Talk>,
    progress: Arc<Progress>,
    mut lane: Lane,
) -> Result<()> {
    let mut hearing = Hearing::default();
    loop {
        let Received { event, .. } = heard.next().await.context("a receiver's link has ended")?;
        let Talk::Say(Say { number, .. }) = event;
        hearing.hear(number, true)?;
        lane.received(|| progress.sent(number));
        progress.heard(number);
    }
}
