//! The counts in what gungraun prints: one line of JSON for each benchmark.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// Instructions by the name of the benchmark.
pub(crate) type Counts = BTreeMap<String, u64>;

#[derive(Debug, Deserialize)]
struct Summary {
    function_name: String,
    profiles: Vec<Profile>,
}

#[derive(Debug, Deserialize)]
struct Profile {
    tool: String,
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    total: Total,
}

#[derive(Debug, Deserialize)]
struct Total {
    metrics: BTreeMap<String, Metric>,
}

#[derive(Debug, Deserialize)]
struct Metric {
    values: Values,
}

/// Gungraun's own comparison with an earlier run is not asked for.
#[derive(Debug, Deserialize)]
struct Values {
    new: u64,
}

/// Reads the output of all benchmarks.
pub(crate) fn read(output: &str) -> Result<Counts> {
    let mut counts = Counts::new();
    for line in output.lines() {
        let (name, count) =
            of_one(line).with_context(|| format!("not what gungraun prints: {line}"))?;
        let earlier = counts.insert(name.clone(), count);
        ensure!(earlier.is_none(), "two benchmarks are called `{name}`");
    }
    ensure!(
        !counts.is_empty(),
        "there are no counts: did all benchmarks run?"
    );
    Ok(counts)
}

fn of_one(line: &str) -> Result<(String, u64)> {
    let summary: Summary = serde_json::from_str(line)?;
    let mut profiles = summary.profiles.into_iter();
    let profile = profiles.find(|profile| profile.tool == "Callgrind");
    let mut metrics = profile
        .context("no profile of callgrind")?
        .data
        .total
        .metrics;
    let instructions = metrics.remove("Ir").context("no instructions")?;
    Ok((summary.function_name, instructions.values.new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, count: u64) -> String {
        let total =
            format!(r#"{{"metrics":{{"Ir":{{"values":{{"new":{count}}}}}}},"regressions":[]}}"#);
        format!(
            r#"{{"function_name":"{name}","profiles":[{{"tool":"Callgrind","data":{{"parts":[],"total":{total}}}}}]}}"#
        )
    }

    #[test]
    fn each_line_is_a_benchmark() -> Result<()> {
        let counts = read(&format!("{}\n{}\n", line("relay", 7), line("encode", 5)))?;
        let expected = [("encode".to_owned(), 5), ("relay".to_owned(), 7)];
        assert_eq!(counts, Counts::from(expected));
        Ok(())
    }

    #[test]
    fn what_is_missing_or_there_twice_is_a_mistake() {
        assert!(read("").is_err());
        assert!(read("{}\n").is_err());
        assert!(read(&line("relay", 7).replace("Ir", "Dr")).is_err());
        assert!(read(&format!("{}\n{}", line("relay", 7), line("relay", 7))).is_err());
    }
}
