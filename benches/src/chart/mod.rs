//! A picture of one run: rates as ratios to the JSON floor, from the file that `--json` wrote.

mod drawing;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde::Deserialize;

use drawing::draw;

/// The contender that all bars are ratios to.
const FLOOR: &str = "json-floor";

/// The mode whose rates say where the scheduler put the two processes, and little else.
const SCHEDULED: &str = "1";

/// Draws the rates of a run, from the file that its `--json` wrote, as an SVG
#[derive(Debug, Args)]
pub(crate) struct Chart {
    /// What `--json` wrote
    #[arg(value_name = "RESULTS")]
    results: PathBuf,

    /// The SVG to write
    #[arg(value_name = "SVG")]
    svg: PathBuf,
}

/// What the chart needs of a run.
#[derive(Debug, Deserialize)]
struct Results {
    rounds: usize,
    seconds: f64,
    cores: usize,
    modes: Vec<OfMode>,
}

#[derive(Debug, Deserialize)]
struct OfMode {
    mode: String,
    baseline: String,
    contenders: Vec<OfContender>,
}

#[derive(Debug, Deserialize)]
struct OfContender {
    contender: String,
    rate_ratio: Spread,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Chart {
    pub(crate) fn run(&self) -> Result<()> {
        let path = self.results.display();
        let text = fs::read_to_string(&self.results);
        let text = text.with_context(|| format!("cannot read {path}"))?;
        let results: Results = serde_json::from_str(&text)
            .with_context(|| format!("{path} is not what `--json` of a run writes"))?;
        let svg = svg_of(results).with_context(|| format!("nothing of {path} can be drawn"))?;
        fs::write(&self.svg, svg)
            .with_context(|| format!("cannot write the chart to {}", self.svg.display()))
    }
}

/// The chart of all modes that the floor is the baseline of, but for [`SCHEDULED`].
fn svg_of(mut results: Results) -> Result<String> {
    let is_drawn = |mode: &OfMode| mode.baseline == FLOOR && mode.mode != SCHEDULED;
    results.modes.retain(is_drawn);
    for mode in &mut results.modes {
        mode.contenders.retain(|c| c.contender != FLOOR);
        for OfContender {
            contender,
            rate_ratio: Spread { median, min, max },
        } in &mode.contenders
        {
            ensure!(
                [median, min, max]
                    .iter()
                    .all(|ratio| ratio.is_finite() && **ratio > 0.0),
                "the ratio of {contender} in mode {} is not positive",
                mode.mode
            );
        }
    }
    results.modes.retain(|mode| !mode.contenders.is_empty());
    ensure!(
        !results.modes.is_empty(),
        "no mode has {FLOOR} as its baseline and another contender: run `--modes 64,256`"
    );
    draw(&results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(baseline: &str, median: f64) -> Results {
        let contender = |contender: &str| OfContender {
            contender: contender.to_owned(),
            rate_ratio: Spread {
                median,
                min: median * 0.9,
                max: median * 1.1,
            },
        };
        Results {
            rounds: 5,
            seconds: 1.0,
            cores: 2,
            modes: vec![OfMode {
                mode: "64".to_owned(),
                baseline: baseline.to_owned(),
                contenders: vec![contender(FLOOR), contender("protocol"), contender("a<b")],
            }],
        }
    }

    #[test]
    fn a_chart_names_its_modes_and_contenders() -> Result<()> {
        let svg = svg_of(results(FLOOR, 0.8))?;
        assert!(svg.starts_with("<svg "));
        for text in ["protocol", "a&lt;b", "64", "rate"] {
            assert!(svg.contains(text), "{text} is in the chart");
        }
        Ok(())
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(
            svg_of(results("protocol", 0.8)).is_err(),
            "another baseline"
        );
        let mut scheduled = results(FLOOR, 0.8);
        scheduled.modes[0].mode = SCHEDULED.to_owned();
        assert!(svg_of(scheduled).is_err(), "the scheduler's rates");
        assert!(svg_of(results(FLOOR, 0.0)).is_err(), "no logarithm");
        assert!(svg_of(results(FLOOR, f64::NAN)).is_err());
    }
}
