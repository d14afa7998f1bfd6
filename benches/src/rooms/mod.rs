//! What a server with many clients in many rooms takes: memory for each client, CPU for each event.
//!
//! There is no peer to compare with, so these are figures of one machine, not ratios. The server
//! has the limits of `rendezvous serve`; the clients are sockets with hand-written frames, since
//! five thousand of them share the machine with the server.

mod client;
mod crowd;
mod figures;
mod load;
mod report;
mod server;
mod tally;
mod wire;

use std::{cell::Cell, fmt::Display, path::PathBuf, thread, time::Duration};

use anyhow::{Result, anyhow};
use clap::Args;
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    files,
    placement::{Placement, Side},
    process::{Server, Watched},
    report::present,
};
use crowd::Crowd;
use figures::{Watch, count};
use load::To;
use report::{Memory, Report, Round};

pub(crate) use server::{NAME as SERVER, Stock, serve};
pub(crate) use wire::{Heard, read, request, saying};

/// Rooms whose size decides what a change or a broadcast costs.
const SIZES: [usize; 3] = [10, 100, 1_000];

/// Rooms of fewer are broadcast to by the steady load; one event at a time would run into the
/// number of events that one member may send in a second.
const BROADCAST_FROM: usize = 100;

/// How long everything rests before memory is read.
const REST: Duration = Duration::from_millis(500);

/// Measures a server with many clients in many rooms: memory for each, CPU for each event
#[derive(Debug, Args)]
pub(crate) struct Rooms {
    /// Clients that are logged in, all of them at once
    #[arg(long, default_value_t = 5_000)]
    clients: usize,

    /// Members of each room
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u16).range(2..=1_000))]
    members: u16,

    /// Events that each client sends in a second, separated by commas: a measurement each
    #[arg(long, value_delimiter = ',', default_values_t = [1.0, 2.0], value_parser = rate)]
    rates: Vec<f64>,

    /// Rounds, each of which has a server and clients of its own
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Length of each measurement in seconds, after a warm-up of a quarter of it
    #[arg(long, default_value_t = 3.0, value_parser = crate::seconds)]
    seconds: f64,

    /// How client and server share the cores
    #[arg(long, value_enum, default_value_t = Placement::Free)]
    placement: Placement,

    /// Also writes everything that was measured to this file
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

impl Rooms {
    pub(crate) fn run(&self) -> Result<()> {
        present(self.json.as_deref(), || self.measured())
    }

    pub(crate) fn measured(&self) -> Result<impl Serialize + Display + use<>> {
        files::allow(self.clients)?;
        let rounds = (1..=self.rounds).map(|round| {
            eprintln!("round {round}/{}", self.rounds);
            self.round()
        });
        let rounds = rounds.collect::<Result<_>>()?;
        Ok(Report::new(self, rounds))
    }

    fn round(&self) -> Result<Round> {
        let server = Server::start(SERVER, self.placement)?;
        let window = Duration::from_secs_f64(self.seconds);
        // A thread of its own, since only that is pinned.
        let measured = thread::scope(|scope| {
            let measuring = scope.spawn(|| {
                let watch = Watch {
                    server: server.watched,
                    client: Watched::process(std::process::id())?,
                    warm_up: window / 4,
                    window,
                    numbers: Cell::new(0),
                };
                let runtime = self.placement.runtime(Side::Client)?;
                let round = runtime.block_on(self.measure(&server, &watch));
                runtime.shutdown_background();
                round
            });
            measuring.join()
        });
        measured.map_err(|_| anyhow!("the client panicked"))?
    }

    async fn measure(&self, server: &Server, watch: &Watch) -> Result<Round> {
        let memory = async || {
            sleep(REST).await;
            watch.server.anonymous_memory()
        };
        let clients = count(self.clients.try_into()?);
        let cpu_since = |since: Duration| -> Result<f64> {
            let now = watch.server.cpu()?;
            Ok(now.saturating_sub(since).as_secs_f64())
        };
        let members = usize::from(self.members);
        let empty = memory().await?;

        let since = watch.server.cpu()?;
        let mut crowd = Crowd::log_in(server.address, self.clients).await?;
        let login_cpu_us = cpu_since(since)? * 1e6 / clients;
        let logged_in = memory().await?;

        let since = watch.server.cpu()?;
        let rooms = crowd.fill_rooms(members).await?;
        let join_cpu_us = cpu_since(since)? * 1e6 / clients;
        let in_rooms = memory().await?;

        let since = watch.server.cpu()?;
        sleep(watch.window).await;
        let idle_percent = cpu_since(since)? / self.seconds * 100.0;

        let mut loads = Vec::new();
        for (to, whom) in [(To::Room, "its room"), (To::Peer, "one peer")] {
            for rate in &self.rates {
                let name = format!("each client to {whom}, {rate}/s");
                let load = load::steady(&mut crowd, &rooms, to, rate * clients, watch).await?;
                loads.push(report::loaded(name, load));
            }
        }
        let after_load = memory().await?;

        for size in SIZES.into_iter().filter(|size| *size < self.clients) {
            let mut room = crowd.room_of(size - 1).await?;
            let visits = load::visits(&mut crowd, &room, watch).await?;
            loads.push(report::loaded(
                format!("joins and leaves, room of {size}"),
                visits,
            ));
            if size >= BROADCAST_FROM {
                crowd.add(&mut room).await?;
                let broadcasts = load::broadcasts(&mut crowd, &room, watch).await?;
                loads.push(report::loaded(
                    format!("one at a time to a room of {size}"),
                    broadcasts,
                ));
            }
            crowd.empty(room).await?;
        }
        crowd.check()?;
        let after_all = memory().await?;
        let each = |memory: u64| count(memory.saturating_sub(empty)) / clients;
        Ok(Round {
            login_cpu_us,
            join_cpu_us,
            idle_percent,
            memory: Memory {
                empty: count(empty),
                logged_in: each(logged_in),
                in_rooms: each(in_rooms),
                after_load: each(after_load),
                after_all: each(after_all),
            },
            loads,
        })
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=400.0).contains(&rate) => Ok(rate),
        _ => Err("expected events a second from 0.01 to 400".to_owned()),
    }
}
