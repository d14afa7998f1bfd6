//! This project's rendezvous server with the rooms that come with it: a pass whose `dest` is a
//! room, relayed to all other members.

use std::{net::SocketAddr, process};

use ::rendezvous::{Config, Rendezvous};
use anyhow::{Context as _, Result};

use super::{
    super::{Contender, Load, Running},
    link::{Heard, Link, Messages, first_line, number},
    receivers::{self, Clients},
    takes,
};
use crate::{
    mode::Mode,
    process::Announcement,
    rooms::{self, Stock, request, saying},
};

/// Rooms that a client asks to be let into before it waits for the answers.
const AT_ONCE: usize = 32;

/// A server with as many rooms. The publisher and its receivers are in the first few and have their
/// broadcasts in each in turn; the others have a host each, who is silent.
#[derive(Debug)]
pub(crate) struct Rooms(pub(crate) usize);

impl Contender for Rooms {
    fn name(&self) -> &'static str {
        "protocol-room"
    }

    fn about(&self) -> &'static str {
        "this project's rendezvous server with its rooms: a pass to a room"
    }

    fn takes(&self, mode: &Mode) -> bool {
        takes(mode)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let mut config = Config::default();
            // A publisher that may say 500 things a second would be what is measured.
            config.server.connection.rate_in = None;
            let rendezvous = Rendezvous::new(config);
            let bind = rendezvous.bind::<Stock>("127.0.0.1:0");
            let server = bind.handle(rendezvous.clone()).await?;
            announcement.listening(server.address(), process::id())?;
            // The server lives as long as this future, which the driver drops.
            std::future::pending().await
        })
    }

    fn drive(&self, load: Load) -> Running {
        let members = Members {
            wanted: self.0,
            rooms: Vec::new(),
            hosts: Vec::new(),
        };
        receivers::drive(load, members)
    }
}

#[derive(Debug)]
struct Members {
    /// Rooms in all.
    wanted: usize,
    /// Those of the publisher.
    rooms: Vec<String>,
    /// The links of those who have the others.
    hosts: Vec<Link>,
}

impl Messages for Members {
    // Never asked for.
    const PONG: &'static [u8] = b"";

    fn first(bytes: &[u8]) -> Result<Option<(usize, Heard<'_>)>> {
        let Some((length, line)) = first_line(bytes) else {
            return Ok(None);
        };
        let heard = if let Some(number) = number(line)? {
            Heard::Broadcast(number)
        } else {
            // Anything that nobody should hear fails the run here.
            rooms::read(line)?;
            Heard::Other(line)
        };
        Ok(Some((length, heard)))
    }
}

/// Asks once for each data; returns the ids of what the answers are about.
async fn ask_all(link: &mut Link, name: &str, data: &[String]) -> Result<Vec<Option<String>>> {
    let mut ids = Vec::with_capacity(data.len());
    for some in data.chunks(AT_ONCE) {
        let asked: String = some.iter().map(|data| request(name, data)).collect();
        link.write(asked.as_bytes()).await?;
        for _ in some {
            // News of who else has come are among the answers.
            let id = loop {
                let heard = link.other::<Members>().await?;
                if let rooms::Heard::Answer { id } = rooms::read(&heard)? {
                    break id;
                }
            };
            ids.push(id);
        }
    }
    Ok(ids)
}

async fn log_in(address: SocketAddr, id: &str) -> Result<Link> {
    let mut link = Link::connect(address).await?;
    ask_all(&mut link, "login", &[format!(r#"{{"id":"{id}"}}"#)]).await?;
    Ok(link)
}

/// Makes rooms of a thousand seats; returns their ids.
async fn create_rooms(link: &mut Link, rooms: usize) -> Result<Vec<String>> {
    let data = vec![r#"{"name":"load","capacity":1000}"#.to_owned(); rooms];
    let ids = ask_all(link, "create_room", &data).await?.into_iter();
    ids.map(|id| id.context("a room without an id")).collect()
}

impl Clients for Members {
    async fn publisher(&mut self, address: SocketAddr) -> Result<Link> {
        let a_peer = Config::default().rooms_a_peer;
        let own = self.wanted.min(a_peer);
        let mut others = self.wanted - own;
        while others > 0 {
            let mut host = log_in(address, &format!("host-{}", self.hosts.len())).await?;
            let some = others.min(a_peer);
            create_rooms(&mut host, some).await?;
            self.hosts.push(host);
            others -= some;
        }
        let mut link = log_in(address, "publisher").await?;
        self.rooms = create_rooms(&mut link, own).await?;
        Ok(link)
    }

    async fn receiver(&self, address: SocketAddr, place: usize) -> Result<Link> {
        let mut link = log_in(address, &format!("receiver-{place}")).await?;
        let rooms = self.rooms.iter();
        let data: Vec<String> = rooms.map(|id| format!(r#"{{"room":"{id}"}}"#)).collect();
        ask_all(&mut link, "join_room", &data).await?;
        Ok(link)
    }

    fn say(&self, number: u64, out: &mut Vec<u8>) -> Result<()> {
        let place = usize::try_from(number)? % self.rooms.len();
        out.extend_from_slice(saying(&format!("#{}", self.rooms[place]), number).as_bytes());
        Ok(())
    }
}
