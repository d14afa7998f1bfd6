//! What differs from the baseline, and whether that is too much.

use std::fmt;

use crate::baseline::Baseline;

/// A count may be so much above its baseline; one that is so far below it wants a new one.
const MOST_PERCENT: u64 = 5;

/// How all benchmarks compare.
#[derive(Debug)]
pub(crate) struct Comparison {
    rows: Vec<Row>,
    /// The tools of the baseline, and the others that these counts were found with.
    other_tools: Option<(String, String)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    baseline: Option<u64>,
    found: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Within,
    Fewer,
    More,
    /// In the baseline only, or not in it.
    Unpaired,
}

pub(crate) fn compare(baseline: &Baseline, found: &Baseline) -> Comparison {
    let mut rows: Vec<_> = (baseline.counts.iter())
        .map(|(name, count)| Row {
            name: name.clone(),
            baseline: Some(*count),
            found: found.counts.get(name).copied(),
        })
        .collect();
    let new = found.counts.iter();
    let new = new.filter(|(name, _)| !baseline.counts.contains_key(*name));
    rows.extend(new.map(|(name, count)| Row {
        name: name.clone(),
        baseline: None,
        found: Some(*count),
    }));
    let other_tools =
        (baseline.tools != found.tools).then(|| (baseline.tools.clone(), found.tools.clone()));
    Comparison { rows, other_tools }
}

impl Comparison {
    /// Whether nothing is above its baseline by more than it may be, and all have one.
    pub(crate) fn is_within(&self) -> bool {
        let mut verdicts = self.rows.iter().map(Row::verdict);
        verdicts.all(|verdict| matches!(verdict, Verdict::Within | Verdict::Fewer))
    }
}

impl Row {
    fn verdict(&self) -> Verdict {
        let (Some(baseline), Some(found)) = (self.baseline, self.found) else {
            return Verdict::Unpaired;
        };
        if found * 100 > baseline * (100 + MOST_PERCENT) {
            Verdict::More
        } else if found * 100 < baseline * (100 - MOST_PERCENT) {
            Verdict::Fewer
        } else {
            Verdict::Within
        }
    }

    /// By how many percent it differs, with the sign.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn percent(&self) -> Option<f64> {
        let (baseline, found) = (self.baseline? as f64, self.found? as f64);
        Some((found / baseline - 1.0) * 100.0)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: Option<u64>| count.map_or("none".to_owned(), |count| count.to_string());
        writeln!(
            f,
            "{:<12}{:>12}{:>12}{:>10}",
            "bench", "baseline", "found", "change"
        )?;
        for row in &self.rows {
            let change = row.percent().map(|percent| format!("{percent:+.2} %"));
            let (name, change) = (&row.name, change.unwrap_or_default());
            let (baseline, found) = (count(row.baseline), count(row.found));
            writeln!(f, "{name:<12}{baseline:>12}{found:>12}{change:>10}")?;
        }
        for row in &self.rows {
            write!(f, "{row}")?;
        }
        if let Some((baseline, found)) = &self.other_tools {
            writeln!(f, "note: the baseline is of {baseline}; these are {found}")?;
        }
        if !self.is_within() {
            writeln!(
                f,
                "If that is meant, `benches/instructions/run --save` writes a new baseline: \
                 commit it with what caused it, and say why."
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    /// What there is to do about it, if anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            baseline,
            found,
        } = self;
        let percent = self.percent().unwrap_or_default().abs();
        let both = baseline.zip(*found);
        match (self.verdict(), both) {
            (Verdict::More, Some((baseline, found))) => writeln!(
                f,
                "error: `{name}` takes {found} instructions, {percent:.2} % more than its baseline of \
                 {baseline}; {MOST_PERCENT} % are allowed"
            ),
            (Verdict::Fewer, Some((baseline, found))) => writeln!(
                f,
                "note: `{name}` takes {found} instructions, {percent:.2} % fewer than its baseline of \
                 {baseline}: keep that with `benches/instructions/run --save`"
            ),
            (Verdict::Unpaired, _) if found.is_none() => {
                writeln!(f, "error: `{name}` is in the baseline and was not counted")
            }
            (Verdict::Unpaired, _) => writeln!(f, "error: `{name}` has no baseline"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[(&str, u64)]) -> Baseline {
        let counts = counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count));
        Baseline {
            tools: "some".to_owned(),
            counts: counts.collect(),
        }
    }

    #[test]
    fn five_percent_are_allowed_and_no_more() {
        for (found, is_within, says) in [
            (1_000, true, ""),
            (1_050, true, ""),
            (
                1_051,
                false,
                "error: `relay` takes 1051 instructions, 5.10 % more",
            ),
            (950, true, ""),
            (
                949,
                true,
                "note: `relay` takes 949 instructions, 5.10 % fewer",
            ),
        ] {
            let comparison = compare(&of(&[("relay", 1_000)]), &of(&[("relay", found)]));
            assert_eq!(comparison.is_within(), is_within, "{found}");
            let text = comparison.to_string();
            assert!(text.contains(says), "{text}");
            assert_eq!(text.lines().count() == 2, says.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_has_no_counterpart_fails() {
        let (one, two) = (of(&[("relay", 5)]), of(&[("relay", 5), ("encode", 7)]));
        let missing = compare(&two, &one);
        let new = compare(&one, &two);
        assert!(!missing.is_within() && !new.is_within());
        let missing = missing.to_string();
        assert!(
            missing.contains("`encode` is in the baseline and was not"),
            "{missing}"
        );
        assert!(
            new.to_string().contains("`encode` has no baseline"),
            "{new}"
        );
    }

    #[test]
    fn other_tools_are_told_and_do_not_fail() {
        let (old, mut new) = (of(&[("relay", 5)]), of(&[("relay", 5)]));
        new.tools = "others".to_owned();
        let comparison = compare(&old, &new);
        assert!(comparison.is_within());
        let text = comparison.to_string();
        assert!(
            text.contains("the baseline is of some; these are others"),
            "{text}"
        );
    }
}
