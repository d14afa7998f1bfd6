//! `rendezvous man`: the manual, made from the same texts as the help.

use std::fs;
use std::io::{self, Write, stderr};
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use super::exit::Exit;
use super::{file, output};

/// Print the manual page, or write all pages into a directory
///
/// The page on stdout is that of `rendezvous`; each command has one of its own.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rendezvous man | man -l -
  rendezvous man --out ~/.local/share/man/man1")]
pub(super) struct Manual {
    /// Where to write all pages to, such as rendezvous-serve.1; made where it is missing
    #[arg(long, env = "RENDEZVOUS_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Manual {
    pub(super) fn run(&self, program: Command) -> Exit {
        // It has no page.
        let program = program.disable_help_subcommand(true);
        let Some(out) = &self.out else {
            let mut page = Vec::new();
            return match manual(&program, &program).render(&mut page) {
                Ok(()) => output::print(&page),
                Err(error) => failed("cannot make the page", &error),
            };
        };
        match write_all(program, out) {
            Ok(()) => Exit::Stopped,
            Err(error) => {
                let out = file::shown(&out.to_string_lossy());
                failed(&format!("cannot write to {out}"), &error)
            }
        }
    }
}

/// Writes the page of `program` and those of its commands.
fn write_all(mut program: Command, out: &Path) -> io::Result<()> {
    program.build();
    fs::create_dir_all(out)?;
    for command in program.get_subcommands().chain([&program]) {
        manual(&program, command).generate_to(out)?;
    }
    Ok(())
}

/// The page of one command of `program`.
fn manual(program: &Command, command: &Command) -> Man {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let version = program.get_version().unwrap_or_default();
    Man::new(command.clone())
        .title(name.to_uppercase())
        .source(format!("{} {version}", program.get_name()))
}

fn failed(what: &str, error: &io::Error) -> Exit {
    let _ = writeln!(stderr(), "error: {what}: {error}");
    Exit::Failed
}
