//! The program: its command line, and how each subcommand ends.
//!
//! A subcommand is a file here, a variant of `Command` and a line in its `run`.

mod environment;
mod exit;
mod log;
mod serve;
mod signals;
mod values;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use exit::Exit;

/// Runs the program with the arguments and the environment of this process.
pub fn main() -> ExitCode {
    let mut command = Cli::command();
    let parsed = command
        .try_get_matches_from_mut(std::env::args_os())
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => cli.command.run(),
        Err(answer) => {
            // Whoever asked may have closed the pipe meanwhile.
            let _ = answer.print();
            environment::blame(&command, &answer);
            if answer.use_stderr() {
                Exit::Usage
            } else {
                Exit::Stopped
            }
        }
    }
    .into()
}

/// Login and relay between peers over TCP: they find each other by name at one server.
#[derive(Debug, Parser)]
#[command(
    name = "rendezvous",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = concat!(
        exit::codes!(),
        "\n\nExample:\n  rendezvous serve --listen 127.0.0.1:7766"
    )
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
}

impl Command {
    fn run(self) -> Exit {
        match self {
            Self::Serve(serve) => serve.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_flag_has_an_environment_variable_of_its_name() {
        let command = Cli::command();
        for subcommand in command.get_subcommands() {
            for arg in subcommand.get_arguments() {
                let Some(long) = arg.get_long() else { continue };
                let name = format!("RENDEZVOUS_{}", long.replace('-', "_").to_uppercase());
                let env = arg.get_env().and_then(|name| name.to_str());
                assert_eq!(env, Some(name.as_str()), "--{long}");
            }
        }
    }
}
