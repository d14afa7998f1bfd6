//! `rendezvous completions`: what a shell needs to complete the command line.

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Exit;
use super::output;

/// Print what a shell needs to complete commands and flags
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rendezvous completions bash > ~/.local/share/bash-completion/completions/rendezvous
  rendezvous completions zsh > \"${fpath[1]}/_rendezvous\"
  rendezvous completions fish > ~/.config/fish/completions/rendezvous.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, mut command: Command) -> Exit {
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        output::print(&script)
    }
}
