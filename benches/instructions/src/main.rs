//! Compares counts of instructions with the baseline, or makes them the new one. Reads what gungraun
//! prints with `--output-format=json`; `run` brings both together.

mod baseline;
mod compare;
mod counts;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};

use crate::baseline::Baseline;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (path, tools, saves) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check", path, tools] => (PathBuf::from(path), tools, false),
        ["save", path, tools] => (PathBuf::from(path), tools, true),
        _ => bail!("usage: instructions check|save BASELINE TOOLS < COUNTS"),
    };
    let found = Baseline {
        tools: tools.to_owned(),
        counts: counts::read(&io::read_to_string(io::stdin())?)?,
    };
    if saves {
        fs::write(&path, found.to_string())
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{found}\nwritten to {}", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    let comparison = compare::compare(&read(&path)?, &found);
    print!("{comparison}");
    Ok(if comparison.is_within() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(path: &Path) -> Result<Baseline> {
    let text = fs::read_to_string(path);
    let text =
        text.with_context(|| format!("cannot read {}: write one with `--save`", path.display()))?;
    text.parse()
        .with_context(|| format!("{} is no baseline", path.display()))
}
