//! The program: its command line, and how each subcommand ends.
//!
//! A subcommand is a file here, a variant of `Command` and a line in its `run`.

mod check_config;
mod client;
mod completions;
mod demo;
mod environment;
mod exit;
mod file;
mod forget_key;
mod in_words;
mod key_file;
mod keygen;
mod log;
mod man;
mod output;
mod serve;
mod signals;
mod values;

use std::env::args_os;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use exit::Exit;
use file::File;

/// Runs the program with the arguments and the environment of this process.
pub fn main() -> ExitCode {
    let mut command = Cli::command();
    match parse(&mut command) {
        Ok(cli) => cli.command.run(),
        Err(Refusal::File(problems)) => Exit::usage(&problems),
        // A command has the version of the program, not one of its own.
        Err(Refusal::Flags(answer)) if answer.kind() == ErrorKind::DisplayVersion => {
            output::print(Cli::command().render_version().as_bytes())
        }
        Err(Refusal::Flags(answer)) => {
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

/// Why no command runs.
enum Refusal {
    /// The flags are wrong, or ask for nothing but help.
    Flags(clap::Error),
    /// The configuration file is wrong.
    File(Vec<String>),
}

impl From<clap::Error> for Refusal {
    fn from(error: clap::Error) -> Self {
        Self::Flags(error)
    }
}

/// Parses the arguments; twice where they name a configuration file, whose values are the defaults
/// of the second time.
fn parse(command: &mut clap::Command) -> Result<Cli, Refusal> {
    let mut matches = command.try_get_matches_from_mut(args_os())?;
    if let Some((name @ "serve", flags)) = matches.subcommand()
        && let Some(path) = flags.get_one::<PathBuf>("config")
    {
        let file = File::read(path, &serve::flags()).map_err(Refusal::File)?;
        let configured = Cli::command().mut_subcommand(name, |flags| file.defaults_of(flags));
        matches = configured.try_get_matches_from(args_os())?;
    }
    Ok(Cli::from_arg_matches(&matches)?)
}

/// Login, rooms and relay between peers over TCP: they find each other at one server.
#[derive(Debug, Parser)]
#[command(
    name = "rendezvous",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = concat!(
        exit::codes!(),
        "\n\nExamples:
  rendezvous serve --listen 127.0.0.1:7766
  rendezvous check-config > rendezvous.toml
  rendezvous serve --config rendezvous.toml
  rendezvous completions bash > ~/.local/share/bash-completion/completions/rendezvous"
    )
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Client(client::Client),
    Demo(demo::Demo),
    Keygen(keygen::Keygen),
    ForgetKey(forget_key::ForgetKey),
    CheckConfig(check_config::CheckConfig),
    Completions(completions::Completions),
    Man(man::Manual),
}

impl Command {
    fn run(self) -> Exit {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Client(client) => client.run(),
            Self::Demo(demo) => demo.run(),
            Self::Keygen(keygen) => keygen.run(),
            Self::ForgetKey(forget) => forget.run(),
            Self::CheckConfig(check) => check.run(),
            Self::Completions(completions) => completions.run(Cli::command()),
            Self::Man(manual) => manual.run(Cli::command()),
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
