//! This project through its public API, as a user writes it: derived events, a real handler, ids,
//! deadlines and limits on.

use std::{net::SocketAddr, process};

use anyhow::Result;
use protocol_core::{Client, Context, Event, EventSet, Protocol, Server};

use super::{
    Contender, Load, Running,
    callers::{self, Caller},
};
use crate::{
    mode::{Mode, Workload},
    process::Announcement,
    work::Work,
};

/// Asks for the same back.
#[derive(Debug, Event)]
#[event(request, response = Echoed)]
pub(super) struct Echo {
    id: u64,
    name: String,
    tags: Vec<String>,
    pos: [f64; 3],
}

/// What was asked for.
#[derive(Debug, Event)]
#[event(response)]
pub(super) struct Echoed {
    id: u64,
    name: String,
    tags: Vec<String>,
    pos: [f64; 3],
}

impl From<Work> for Echo {
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

impl From<Echo> for Echoed {
    fn from(asked: Echo) -> Self {
        let Echo {
            id,
            name,
            tags,
            pos,
        } = asked;
        Self {
            id,
            name,
            tags,
            pos,
        }
    }
}

impl From<Echoed> for Work {
    fn from(answer: Echoed) -> Self {
        let Echoed {
            id,
            name,
            tags,
            pos,
        } = answer;
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
    Echo(Echo),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToBench)]
struct Bench;

struct Handler;

impl ToBenchHandler<Bench> for Handler {
    async fn on_echo(&self, _cx: &Context<Bench>, event: Echo) -> Echoed {
        event.into()
    }
}

#[derive(Debug)]
pub(super) struct Ours;

impl Contender for Ours {
    fn name(&self) -> &'static str {
        "protocol"
    }

    fn about(&self) -> &'static str {
        "this project through its public API, plain"
    }

    fn takes(&self, mode: &Mode) -> bool {
        matches!(mode.workload, Workload::Request | Workload::Relay)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let server = Server::<Bench>::bind("127.0.0.1:0").handle(Handler).await?;
            announcement.listening(server.address(), process::id())?;
            // The server lives as long as this future, which the driver drops.
            std::future::pending().await
        })
    }

    fn drive(&self, load: Load) -> Running {
        callers::drive::<Client<Bench>>(load)
    }
}

impl Caller for Client<Bench> {
    async fn connect(address: SocketAddr) -> Result<Self> {
        Ok(Client::<Bench>::connect(address).await?)
    }

    async fn call(&self, work: Work) -> Result<Work> {
        Ok(self.request(Echo::from(work)).await?.into())
    }
}
