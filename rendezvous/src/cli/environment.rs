//! Says where a wrong value comes from, if it is no flag that was written.

use std::io::{Write, stderr};

use clap::Command;
use clap::error::{ContextKind, ContextValue};

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
