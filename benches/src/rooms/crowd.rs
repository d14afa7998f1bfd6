//! All clients, and the rooms that they are in.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, Error, Result, anyhow};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::mpsc;

use super::{client::Client, tally::Tally};

/// Clients that log in or join at once.
const AT_ONCE: usize = 32;

#[derive(Debug)]
pub(super) struct Crowd {
    pub(super) clients: Vec<Arc<Client>>,
    pub(super) tally: Arc<Tally>,
    ended: mpsc::Receiver<Error>,
}

/// Clients that are in one room.
#[derive(Debug)]
pub(super) struct Room {
    /// How its members are reached together: `#` and its id.
    pub(super) dest: String,
    pub(super) members: Vec<Arc<Client>>,
}

impl Crowd {
    /// Logs in so many clients.
    pub(super) async fn log_in(address: SocketAddr, clients: usize) -> Result<Self> {
        let tally = Arc::new(Tally::new());
        let (end, ended) = mpsc::channel(1);
        let coming = stream::iter(0..clients).map(|number| {
            let id = format!("client-{number}");
            Client::log_in(address, id, Arc::clone(&tally), end.clone())
        });
        let clients = coming.buffered(AT_ONCE).try_collect().await?;
        Ok(Self {
            clients,
            tally,
            ended,
        })
    }

    /// Puts all clients into rooms of so many; the last room may have fewer.
    pub(super) async fn fill_rooms(&self, members: usize) -> Result<Vec<Room>> {
        let rooms = self.clients.chunks(members);
        let filled = stream::iter(rooms.map(Self::gather)).buffered(AT_ONCE);
        let before = self.tally.received();
        let rooms: Vec<Room> = filled.try_collect().await?;
        let news: u64 = rooms.iter().map(Room::news_of_filling).sum();
        self.tally.until(before + news).await?;
        Ok(rooms)
    }

    /// Makes a room of the first so many clients.
    pub(super) async fn room_of(&self, members: usize) -> Result<Room> {
        let before = self.tally.received();
        let mut room = Self::gather(&self.clients[..1]).await?;
        room.members = self.clients[..members].to_vec();
        let joining = stream::iter(&room.members[1..]).map(|client| client.join(room.id()));
        let () = joining.buffer_unordered(AT_ONCE).try_collect().await?;
        self.tally.until(before + room.news_of_filling()).await?;
        Ok(room)
    }

    /// Lets one more client into a room.
    pub(super) async fn add(&self, room: &mut Room) -> Result<()> {
        let client = &self.clients[room.members.len()];
        let due = self.tally.received() + room.members.len() as u64 + 1;
        client.join(room.id()).await?;
        room.members.push(Arc::clone(client));
        self.tally.until(due).await
    }

    /// Lets everybody leave a room, the host last, so that none migrates.
    pub(super) async fn empty(&self, room: Room) -> Result<()> {
        let due = self.tally.received() + room.news_of_filling();
        for member in room.members.iter().rev() {
            member.leave(room.id()).await?;
        }
        self.tally.until(due).await
    }

    async fn gather(members: &[Arc<Client>]) -> Result<Room> {
        let (host, others) = members.split_first().context("a room of nobody")?;
        let id = host.create_room().await?;
        for member in others {
            member.join(&id).await?;
        }
        Ok(Room {
            dest: format!("#{id}"),
            members: members.to_vec(),
        })
    }

    /// Why a client has ended, which none should.
    pub(super) fn check(&mut self) -> Result<()> {
        match self.ended.try_recv() {
            Ok(error) => Err(error),
            Err(mpsc::error::TryRecvError::Empty) => Ok(()),
            Err(mpsc::error::TryRecvError::Disconnected) => Err(anyhow!("all clients have ended")),
        }
    }
}

impl Room {
    pub(super) fn id(&self) -> &str {
        &self.dest[1..]
    }

    /// What its members heard while it was filled: the first joined alone, each later one was heard
    /// by all before it and by itself. As much as while it is emptied.
    fn news_of_filling(&self) -> u64 {
        let members = self.members.len() as u64;
        members * (members + 1) / 2
    }
}
