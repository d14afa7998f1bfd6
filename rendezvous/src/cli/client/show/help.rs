//! The help on commands, from their table.

use crate::cli::client::command::{COMMANDS, Entry};

/// The list of commands, or what there is to know of one.
pub(super) fn lines(command: Option<&str>) -> Vec<String> {
    match COMMANDS.iter().find(|entry| Some(entry.name) == command) {
        Some(entry) => {
            let mut lines = vec![format!("{}: {}", usage(entry), entry.about)];
            let more = entry.more.lines();
            lines.extend(more.map(|line| format!("  {line}")));
            lines
        }
        None => list(),
    }
}

fn list() -> Vec<String> {
    let widest = COMMANDS
        .iter()
        .map(|entry| usage(entry).chars().count())
        .max();
    let widest = widest.unwrap_or_default();
    let mut lines: Vec<_> = COMMANDS
        .iter()
        .map(|entry| format!("  {:<widest$}  {}", usage(entry), entry.about))
        .collect();
    lines.push(
        "Names of commands may be cut short. Text with spaces stands in quotes. `help COMMAND` \
         says more."
            .to_owned(),
    );
    lines
}

fn usage(entry: &Entry) -> String {
    format!("{} {}", entry.name, entry.takes)
        .trim_end()
        .to_owned()
}
