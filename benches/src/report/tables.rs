//! The report in Markdown: the table that sums up, and one for each mode.

use std::fmt::{self, Write as _};

use super::{About, ENOUGH_ROUNDS, LeftOut, OfMode, Report, STEADY, Spread};
use crate::{mode::Workload, placement::Placement};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Median (min–max) of {} rounds of {} s each, {} cores.",
            self.rounds, self.seconds, self.cores
        )?;
        if self.rounds < ENOUGH_ROUNDS {
            writeln!(
                f,
                "\n> Fewer than {ENOUGH_ROUNDS} rounds: good for a look, not for a claim."
            )?;
        }
        if !self.modes.is_empty() {
            self.write_summary(f)?;
        }
        for mode in &self.modes {
            write!(f, "\n{mode}")?;
        }
        for mode in &self.idle {
            write!(f, "\n{mode}")?;
        }
        writeln!(f)?;
        for About { name, about } in &self.contenders {
            writeln!(f, "- `{name}`: {about}")?;
        }
        for LeftOut { name, lacks } in &self.left_out {
            writeln!(f, "- `{name}` was left out: {lacks}")?;
        }
        Ok(())
    }
}

impl Report {
    /// One row a contender: rate and server CPU, both as ratios, in each mode.
    fn write_summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut head, mut rule) = (String::new(), String::new());
        for mode in &self.modes {
            let per = match mode.workload {
                Workload::Relay => " a frame",
                Workload::Broadcast => " a delivery",
                _ => "",
            };
            write!(head, " {}: rate, server CPU{per} |", mode.mode)?;
            rule.push_str(" --- |");
        }
        writeln!(f, "\n| ratios |{head}\n| --- |{rule}")?;
        let is_measured = |name| {
            let mut contenders = self.modes.iter().flat_map(|mode| &mode.contenders);
            contenders.any(|c| c.contender == name)
        };
        for About { name, .. } in self.contenders.iter().filter(|c| is_measured(c.name)) {
            write!(f, "| {name} |")?;
            for mode in &self.modes {
                match mode.contenders.iter().find(|c| c.contender == *name) {
                    Some(c) => write!(
                        f,
                        " {:.2}, {:.2} |",
                        c.rate_ratio.median, c.server_cpu_per_frame_ratio.median
                    )?,
                    None => write!(f, " – |")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for OfMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "### {} (placement: {})\n",
            self.title,
            self.placement.name()
        )?;
        let base = self.baseline;
        // What is relayed differs in frames from what it is compared with, so a frame is compared.
        let (events, frame_head, frame_rule, per) = match self.workload {
            Workload::Relay => (
                "events",
                " frames | server CPU a frame, µs |",
                " ---: | ---: |",
                " a frame",
            ),
            Workload::Broadcast => ("deliveries", "", "", " a delivery"),
            _ => ("events", "", "", ""),
        };
        writeln!(
            f,
            "| contender | {events}/s | rate to {base} | server CPU, µs |{frame_head} \
             server CPU{per} to {base} | client CPU, µs | p50, µs | p99, µs |\n\
             | --- | ---: | ---: | ---: |{frame_rule} ---: | ---: | ---: | ---: |",
        )?;
        for c in &self.contenders {
            write!(
                f,
                "| {} | {:.0} | {} | {:.2} |",
                c.contender,
                c.events_per_s.median,
                c.rate_ratio.ratio(),
                c.server_cpu_us.median,
            )?;
            if self.workload == Workload::Relay {
                let cpu = c.server_cpu_per_frame_us.median;
                write!(f, " {} | {cpu:.2} |", c.frames)?;
            }
            writeln!(
                f,
                " {} | {:.2} | {:.0} | {:.0} |",
                c.server_cpu_per_frame_ratio.ratio(),
                c.client_cpu_us.median,
                c.p50_us.median,
                c.p99_us.median,
            )?;
        }
        let baseline = self
            .contenders
            .iter()
            .find(|c| c.contender == self.baseline);
        if let Some(Spread { min, max, .. }) = baseline.map(|c| c.events_per_s)
            && max > min * STEADY
        {
            let why = match self.placement {
                Placement::Free => {
                    ", or the two processes shared a core in some rounds only, which \
                     `--placement split` rules out"
                }
                Placement::Split | Placement::Apart | Placement::Together => "",
            };
            writeln!(
                f,
                "\n> {} itself went from {min:.0} to {max:.0} events/s: the machine was busy{why}.",
                self.baseline
            )?;
        }
        Ok(())
    }
}
