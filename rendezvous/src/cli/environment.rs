//! The variables that stand for flags: which of them has a wrong value, and which are misspelt.

use std::io::{Write, stderr};

use clap::error::{ContextKind, ContextValue};
use clap::{Command, CommandFactory};

use super::Cli;
use super::file::{alike, shown};

/// What all variables of this program start with.
const PREFIX: &str = "RENDEZVOUS_";

/// Where `error` blames a flag that nobody wrote, names the variable that stands for it.
pub(super) fn blame(command: &Command, error: &clap::Error) {
    let Some(ContextValue::String(blamed)) = error.get(ContextKind::InvalidArg) else {
        return;
    };
    let Some(flag) = blamed.split([' ', '=']).next() else {
        return;
    };
    let written =
        std::env::args_os().any(|arg| arg.to_string_lossy().split('=').next() == Some(flag));
    let args = command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .filter(|arg| arg.get_long() == flag.strip_prefix("--"));
    let variable = args
        .filter_map(clap::Arg::get_env)
        .find(|name| std::env::var_os(name).is_some());
    if let (false, Some(variable)) = (written, variable) {
        let name = variable.display();
        let _ = writeln!(stderr(), "\nThe value comes from the environment: {name}.");
    }
}

/// What to say of each variable that looks like one of this program's and is none.
pub(super) fn strays() -> Vec<String> {
    let command = Cli::command();
    let args = command.get_subcommands().flat_map(Command::get_arguments);
    let known = args
        .filter_map(clap::Arg::get_env)
        .filter_map(|name| name.to_str());
    let known: Vec<_> = known.collect();
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut strays: Vec<_> = set
        .filter(|name| name.starts_with(PREFIX) && !known.contains(&&**name))
        .map(|name| match alike(&known, &name) {
            Some(meant) => format!("unknown variable '{}': write '{meant}'", shown(&name)),
            None => format!("unknown variable '{}'", shown(&name)),
        })
        .collect();
    strays.sort();
    strays
}

/// Says so on stderr.
pub(super) fn warn_of_strays() {
    for stray in strays() {
        // Nothing is to be done about a stderr that is closed.
        let _ = writeln!(stderr(), "warning: {stray}");
    }
}
