//! What is logged and how: always to stderr, so that stdout is free for results.

use std::ffi::OsStr;
use std::io::{IsTerminal, Write, stderr};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// The flags of a subcommand that logs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging")]
pub(super) struct Log {
    /// What is logged to stderr: a level (error, warn, info, debug, trace, off), or TARGET=LEVEL
    /// pairs, separated by commas
    #[arg(
        long,
        env = "RENDEZVOUS_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    log: Filter,

    /// How a line of the log looks. Text has colors on a terminal, unless `NO_COLOR` is set
    #[arg(
        long,
        env = "RENDEZVOUS_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    log_format: Format,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One object a line, for programs.
    Json,
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Directives that are known to be right; the filter itself cannot be cloned.
#[derive(Debug, Clone)]
struct Filter(String);

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hint = |error| format!("{error}: write for example info, or warn,rendezvous=debug");
        parse(text).map_err(hint)?;
        // The filter would take a mistyped level for a target, and log nothing else.
        let is_level = |word: &str| LEVELS.contains(&word.to_ascii_lowercase().as_str());
        let words = text.split(',').map(str::trim);
        let mut bare = words.filter(|word| !word.contains(['=', '[']) && !is_level(word));
        if let Some(word) = bare.next() {
            return Err(format!(
                "`{word}` is no level: write one of {}, or {word}=info for a target",
                LEVELS.join(", ")
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

fn parse(directives: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(directives)
}

impl Log {
    /// Logs from here on; called once in a process.
    pub(super) fn start(&self) {
        let terminal = stderr().is_terminal();
        let color = has_color(terminal, std::env::var_os("NO_COLOR").as_deref());
        let log = tracing_subscriber::fmt()
            .with_env_filter(parse(&self.log.0).unwrap_or_default())
            .with_writer(stderr)
            .with_ansi(color)
            // Where stderr is closed, complaining about it there would panic.
            .log_internal_errors(false);
        match self.log_format {
            Format::Text => log.init(),
            Format::Json => log
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .init(),
        }
    }

    /// Says on stderr why the program failed, as a line of the log where programs read it.
    pub(super) fn report(&self, error: &anyhow::Error) {
        if self.log_format == Format::Json && tracing::enabled!(tracing::Level::ERROR) {
            tracing::error!("{error:#}");
        } else {
            let _ = writeln!(stderr(), "error: {error:#}");
        }
    }
}

/// Whether escape codes may be written, by the rules of no-color.org.
pub(super) fn has_color(terminal: bool, no_color: Option<&OsStr>) -> bool {
    terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_needs_a_terminal_and_nobody_who_minds() {
        assert!(has_color(true, None));
        assert!(has_color(true, Some(OsStr::new(""))));
        assert!(!has_color(true, Some(OsStr::new("1"))));
        assert!(!has_color(false, None));
    }

    #[test]
    fn a_wrong_filter_is_refused_with_an_example() {
        for right in [
            "info",
            "off",
            "warn,rendezvous=debug",
            "protocol_core=trace",
        ] {
            assert!(right.parse::<Filter>().is_ok(), "{right}");
        }
        let error = "rendezvous=loud".parse::<Filter>().unwrap_err();
        assert!(error.contains("warn,rendezvous=debug"), "{error}");
        for (mistyped, word) in [("verbose", "verbose"), ("warn,inf", "inf")] {
            let error = mistyped.parse::<Filter>().unwrap_err();
            let expected = format!("`{word}` is no level: write one of error, warn, info,");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
