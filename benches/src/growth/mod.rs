//! How the server's cost of an event grows with its connections, and with its rooms.
//!
//! The load stays the same while there are more of them: so many requests in flight over all
//! connections together, or so many broadcasts over all rooms together, each of which has its turn.

mod report;

use std::{fmt::Display, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use crate::{
    contender_named,
    contenders::{Contender, Rooms},
    files,
    measure::{Measurement, Settings, measure},
    mode::{Links, Mode, Workload},
    placement::Placement,
    report::present,
};
use report::Report;

/// Requests in flight over all connections together: at most one for each, however few there are, so
/// that none is read or answered together with another one of its connection.
const REQUESTS: usize = 10;

/// Broadcasts in flight over all rooms together.
const BROADCASTS: usize = 16;

/// Members of each room, one of which is the publisher.
const MEMBERS: usize = 10;

/// The contenders whose connections grow.
const CONTENDERS: [&str; 2] = ["protocol", "json-await"];

static CONNECTIONS: [Mode; 4] = [
    requests(10),
    requests(100),
    requests(1_000),
    requests(10_000),
];

static IN_ROOMS: Mode = Mode {
    name: "growth-rooms",
    title: "a publisher and its rooms of ten",
    workload: Workload::Broadcast,
    connections: MEMBERS - 1,
    in_flight: BROADCASTS,
    links: Links::Plain,
    placement: Placement::Free,
    baseline: "protocol-room",
};

static ROOMS: [Rooms; 3] = [Rooms(1), Rooms(100), Rooms(10_000)];

const fn requests(connections: usize) -> Mode {
    Mode {
        name: "growth",
        title: "10 in flight over all connections together",
        workload: Workload::InTurn,
        connections,
        in_flight: REQUESTS,
        links: Links::Plain,
        placement: Placement::Free,
        baseline: "protocol",
    }
}

/// Measures what an event costs with 10 to 10,000 connections, and with 1 to 10,000 rooms
#[derive(Debug, Args)]
pub(crate) struct Growth {
    /// Rounds, each of which measures every size once
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Length of each measurement in seconds, after a warm-up of a quarter of it
    #[arg(long, default_value_t = 1.0, value_parser = crate::seconds)]
    seconds: f64,

    /// How client and server share the cores
    #[arg(long, value_enum, default_value_t = Placement::Free)]
    placement: Placement,

    /// Also writes everything that was measured to this file
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

/// One contender at one size.
struct Point {
    size: usize,
    contender: &'static dyn Contender,
    mode: &'static Mode,
    rounds: Vec<Measurement>,
}

/// What grows, from its first size on.
struct Series {
    name: &'static str,
    /// What there is more and more of.
    of: &'static str,
    points: Vec<Point>,
}

impl Growth {
    pub(crate) fn run(&self) -> Result<()> {
        present(self.json.as_deref(), || self.measure())
    }

    pub(crate) fn measure(&self) -> Result<impl Serialize + Display + use<>> {
        let most = CONNECTIONS.iter().map(|mode| mode.connections).max();
        files::allow(most.unwrap_or_default())?;
        let settings = Settings {
            warm_up: Duration::from_secs_f64(self.seconds / 4.0),
            window: Duration::from_secs_f64(self.seconds),
            placement: self.placement,
        };
        let mut all = all()?;
        for round in 1..=self.rounds {
            for series in &mut all {
                let Series { name, of, points } = series;
                for point in points {
                    let found = measure(point.contender, point.mode, settings)
                        .with_context(|| format!("{name} with {} {of}", point.size))?;
                    eprintln!(
                        "round {round}/{} {name} with {} {of}: {:.0}/s, server {:.2} µs",
                        self.rounds, point.size, found.events_per_s, found.server_cpu_us
                    );
                    point.rounds.push(found);
                }
            }
        }
        Ok(Report::new(self, all))
    }
}

fn all() -> Result<Vec<Series>> {
    let mut all = Vec::new();
    for name in CONTENDERS {
        let contender = contender_named(name)?;
        let points = CONNECTIONS.iter().map(|mode| Point {
            size: mode.connections,
            contender,
            mode,
            rounds: Vec::new(),
        });
        all.push(Series {
            name,
            of: "connections",
            points: points.collect(),
        });
    }
    let points = ROOMS.iter().map(|rooms| Point {
        size: rooms.0,
        contender: rooms,
        mode: &IN_ROOMS,
        rounds: Vec::new(),
    });
    all.push(Series {
        name: IN_ROOMS.baseline,
        of: "rooms",
        points: points.collect(),
    });
    Ok(all)
}
