//! From rounds to medians and tables.

use std::fmt;

use serde::Serialize;

use super::{
    Rooms,
    figures::{Load, count},
};
use crate::{
    placement::Placement,
    report::{ENOUGH_ROUNDS, Spread, cores},
};

/// Everything that one run found, as `--json` writes it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    clients: usize,
    members: u16,
    seconds: f64,
    cores: usize,
    placement: Placement,
    rounds: Vec<Round>,
}

/// What one server and its clients found.
#[derive(Debug, Serialize)]
pub(super) struct Round {
    pub(super) memory: Memory,
    /// User and system time of the server for each client that connects and logs in.
    pub(super) login_cpu_us: f64,
    /// The same for each that enters its room.
    pub(super) join_cpu_us: f64,
    /// The same while nobody sends anything, in percent of one core.
    pub(super) idle_percent: f64,
    pub(super) loads: Vec<Loaded>,
}

/// Anonymous memory of the server: the growth in bytes for each client.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Memory {
    /// In all, before the first client.
    pub(super) empty: f64,
    pub(super) logged_in: f64,
    pub(super) in_rooms: f64,
    /// At rest again after the steady load.
    pub(super) after_load: f64,
    /// At rest again after all loads.
    pub(super) after_all: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Loaded {
    name: String,
    #[serde(flatten)]
    load: Load,
}

/// A load with the name of its row.
pub(super) fn loaded(name: String, load: Load) -> Loaded {
    eprintln!(
        "{name}: {:.0}/s, server {:.2} µs a delivery",
        load.events_per_s, load.server_cpu_per_delivery_us
    );
    Loaded { name, load }
}

impl Report {
    pub(super) fn new(settings: &Rooms, rounds: Vec<Round>) -> Self {
        Self {
            clients: settings.clients,
            members: settings.members,
            seconds: settings.seconds,
            cores: cores(),
            placement: settings.placement,
            rounds,
        }
    }

    fn spread(&self, of: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(of))
    }
}

/// The report in Markdown.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = usize::from(self.members);
        writeln!(
            f,
            "### {} clients in {} rooms of {members} (placement: {})\n\n\
             Median (min–max) of {} rounds of {} s each, {} cores; the limits are those of \
             `rendezvous serve`.",
            self.clients,
            self.clients.div_ceil(members),
            self.placement.name(),
            self.rounds.len(),
            self.seconds,
            self.cores,
        )?;
        if self.rounds.len() < ENOUGH_ROUNDS {
            writeln!(
                f,
                "\n> Fewer than {ENOUGH_ROUNDS} rounds: good for a look, not for a claim."
            )?;
        }
        self.write_memory(f)?;
        self.write_changes(f)?;
        self.write_loads(f)
    }
}

impl Report {
    fn write_memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        type Of = fn(&Memory) -> f64;

        let clients = count(self.clients as u64);
        writeln!(
            f,
            "\n| memory of the server | for each client, KiB | in all, MiB |\n\
             | --- | ---: | ---: |"
        )?;
        let empty = self.spread(|round| round.memory.empty).median;
        writeln!(f, "| nobody | | {:.1} |", empty / 1_048_576.0)?;
        let rows: [(_, Of); 4] = [
            ("all logged in, in no room", |memory| memory.logged_in),
            ("all in rooms", |memory| memory.in_rooms),
            ("at rest after the steady loads", |memory| memory.after_load),
            ("at rest after all loads", |memory| memory.after_all),
        ];
        for (name, of) in rows {
            let each = self.spread(|round| of(&round.memory) / 1_024.0);
            let all = (empty + each.median * 1_024.0 * clients) / 1_048_576.0;
            writeln!(f, "| {name} | {each:.2} | {all:.1} |")?;
        }
        Ok(())
    }

    fn write_changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (login, join) = (
            self.spread(|round| round.login_cpu_us),
            self.spread(|round| round.join_cpu_us),
        );
        let idle = self.spread(|round| round.idle_percent);
        writeln!(
            f,
            "\nServer CPU: {login:.0} µs to connect and log in, {join:.0} µs to enter a room of \
             {} with all that its members hear of it, {idle:.2} % of a core while nobody sends.",
            self.members
        )
    }

    fn write_loads(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| load | events/s | deliveries/s | server CPU, % of a core | an event, µs | \
             a delivery, µs | client CPU a delivery, µs | p50, µs | p99, µs |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        )?;
        let names = self.rounds.first().map_or(&[][..], |round| &round.loads);
        for (place, Loaded { name, .. }) in names.iter().enumerate() {
            let spread = |of: fn(&Load) -> f64| self.spread(|round| of(&round.loads[place].load));
            writeln!(
                f,
                "| {name} | {:.0} | {:.0} | {:.0} | {:.1} | {:.2} | {:.2} | {:.0} | {:.0} |",
                spread(|load| load.events_per_s).median,
                spread(|load| load.deliveries_per_s).median,
                spread(|load| load.server_percent).median,
                spread(|load| load.server_cpu_per_event_us).median,
                spread(|load| load.server_cpu_per_delivery_us),
                spread(|load| load.client_cpu_per_delivery_us).median,
                spread(|load| load.p50_us).median,
                spread(|load| load.p99_us).median,
            )?;
        }
        Ok(())
    }
}
