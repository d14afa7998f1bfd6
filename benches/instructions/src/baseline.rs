//! The file with the counts to compare with. It is kept in the repository, so that a change of a count
//! is seen beside what caused it.

use std::{fmt, str::FromStr};

use anyhow::{Context as _, Error, Result, ensure};

use crate::counts::Counts;

/// Counts, and the tools that they were found with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baseline {
    pub(crate) tools: String,
    pub(crate) counts: Counts,
}

const HEAD: &str = "\
# Instructions of each benchmark: see README.md. Written by `benches/instructions/run --save`.
";

const TOOLS: &str = "tools";

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEAD}{TOOLS} = \"{}\"\n\n[counts]\n", self.tools)?;
        for (name, count) in &self.counts {
            writeln!(f, "{name} = {count}")?;
        }
        Ok(())
    }
}

impl FromStr for Baseline {
    type Err = Error;

    /// Reads as much of TOML as is written.
    fn from_str(text: &str) -> Result<Self> {
        let (mut tools, mut counts) = (None, Counts::new());
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') || line == "[counts]" {
                continue;
            }
            let odd = || format!("neither tools nor a count: `{line}`");
            let (name, value) = line.split_once('=').with_context(odd)?;
            let (name, value) = (name.trim(), value.trim());
            if name == TOOLS {
                tools = Some(value.trim_matches('"').to_owned());
                continue;
            }
            let count = value.replace('_', "").parse().with_context(odd)?;
            ensure!(count > 0, "`{name}` has a baseline of 0");
            let earlier = counts.insert(name.to_owned(), count);
            ensure!(earlier.is_none(), "`{name}` is there twice");
        }
        Ok(Self {
            tools: tools.context("`tools` is missing")?,
            counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() -> Result<()> {
        let counts = [("encode".to_owned(), 2_745), ("relay".to_owned(), 482_147)];
        let baseline = Baseline {
            tools: "rustc 1.95.0, valgrind-3.19.0".to_owned(),
            counts: counts.into(),
        };
        let text = baseline.to_string();
        assert!(text.contains("\nrelay = 482147\n"), "{text}");
        assert_eq!(text.parse::<Baseline>()?, baseline);
        Ok(())
    }

    #[test]
    fn mistakes_of_hand_are_found() {
        for text in [
            "encode = 5",
            "tools = \"some\"\nencode",
            "tools = \"some\"\nencode = many",
            "tools = \"some\"\nencode = 0",
            "tools = \"some\"\nencode = 5\nencode = 6",
        ] {
            assert!(text.parse::<Baseline>().is_err(), "{text}");
        }
    }
}
