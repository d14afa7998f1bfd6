//! What a line that is being typed may go on with.

use rustyline::completion::Pair;

use crate::cli::client::command::{COMMANDS, Form, Kind, find};
use crate::cli::client::known::{Known, Label};
use crate::cli::client::show::escaped;

/// Where the word starts that may be completed, and what it may become.
pub(super) fn complete(line: &str, known: &Known) -> (usize, Vec<Pair>) {
    let start = line.rfind(char::is_whitespace).map_or(0, |at| {
        at + line[at..].chars().next().map_or(0, char::len_utf8)
    });
    let word = &line[start..];
    let mut before = line[..start].split_whitespace();
    let candidates = match before.next() {
        None => commands(word),
        Some(command) => {
            let places = before.filter(|word| !is_pair(word)).count();
            argument(command, places, word, known)
        }
    };
    // What could steer the terminal is not offered.
    let safe = candidates
        .into_iter()
        .filter(|pair| escaped(&pair.replacement) == pair.replacement)
        .filter(|pair| {
            !pair.replacement.contains(char::is_whitespace) || pair.replacement.ends_with(' ')
        });
    (start, safe.collect())
}

fn is_pair(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(key, _)| key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_')))
}

fn commands(word: &str) -> Vec<Pair> {
    let names = COMMANDS.iter().map(|entry| entry.name);
    matching(word, "", names, " ")
}

fn argument(command: &str, places: usize, word: &str, known: &Known) -> Vec<Pair> {
    let Ok(entry) = find(command) else {
        return Vec::new();
    };
    match &entry.form {
        Form::Server(request) => {
            if let Some((key, typed)) = word.split_once('=') {
                let kind = request.keys.iter().find(|(name, _)| *name == key);
                return kind.map_or_else(Vec::new, |(_, kind)| {
                    value(*kind, typed, &format!("{key}="), known)
                });
            }
            let mut candidates = match request.words.get(places) {
                Some((_, kind)) => value(*kind, word, "", known),
                None => Vec::new(),
            };
            if places >= request.needed {
                let keys = request.keys.iter().map(|(key, _)| *key);
                candidates.extend(matching(word, "", keys, "="));
            }
            candidates
        }
        Form::Event => {
            let option = if entry.name == "wait" { "from=" } else { "to=" };
            if let Some(typed) = word.strip_prefix(option) {
                let peers = known.peers.iter().map(String::as_str);
                let mut candidates = matching(typed, option, peers, " ");
                if let Some(typed) = typed.strip_prefix('#') {
                    candidates = rooms(typed, "to=#", known);
                } else if typed.is_empty() && option == "to=" {
                    candidates.extend(rooms("", "to=#", known));
                }
                return candidates;
            }
            if places > 0 {
                return Vec::new();
            }
            let mut candidates = matching(word, "", [option], "");
            if entry.name != "say" {
                let events = known.events.iter().map(String::as_str);
                candidates.extend(matching(word, "", events, " "));
            }
            candidates
        }
        Form::Own if entry.name == "help" && places == 0 => commands(word),
        Form::Own if entry.name == "who" && places == 0 => rooms(word, "", known),
        Form::Own => Vec::new(),
    }
}

fn value(kind: Kind, typed: &str, before: &str, known: &Known) -> Vec<Pair> {
    match kind {
        Kind::Room => rooms(typed, before, known),
        Kind::Peer => {
            let peers = known.peers.iter().map(String::as_str);
            matching(typed, before, peers, " ")
        }
        Kind::OneOf(choices) => matching(typed, before, choices.iter().copied(), " "),
        Kind::Flag => matching(typed, before, ["false", "true"], " "),
        Kind::Text | Kind::Whole | Kind::Json => Vec::new(),
    }
}

/// Rooms by their ids, or by their names where only one is called so.
fn rooms(typed: &str, before: &str, known: &Known) -> Vec<Pair> {
    let typed = typed.strip_prefix('#').unwrap_or(typed);
    let by_name = |room: &&Label| {
        let namesakes = known.rooms.iter().filter(|other| other.name == room.name);
        room.name.starts_with(typed) && namesakes.count() == 1
    };
    let names = known.rooms.iter().filter(by_name).map(|room| &room.name);
    let names = names.filter(|name| !name.contains([' ', '"', '\'', '{', '[', '=']));
    let mut candidates = matching(typed, before, names.map(String::as_str), " ");
    // Ids say nothing to people: they are offered where no name is.
    if candidates.is_empty() {
        let ids = known
            .rooms
            .iter()
            .filter(|room| room.id.starts_with(typed) || room.name.starts_with(typed));
        candidates = ids
            .map(|room| Pair {
                display: escaped(&format!("{} {}", room.id, room.name)).into_owned(),
                replacement: format!("{before}{} ", room.id),
            })
            .collect();
    }
    candidates
}

fn matching<'a>(
    typed: &str,
    before: &str,
    names: impl IntoIterator<Item = &'a str>,
    after: &str,
) -> Vec<Pair> {
    let names = names.into_iter().filter(|name| name.starts_with(typed));
    names
        .map(|name| Pair {
            display: name.to_owned(),
            replacement: format!("{before}{name}{after}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let mut known = Known::default();
        known.see_room("r1", "lobby", true);
        known.see_room("r2", "den", false);
        known.see_room("r3", "den", false);
        known.see_room("r4", "my room", false);
        for peer in ["alice", "bob", "b\u{1b}[31m"] {
            known.see_peer(peer);
        }
        known.see_event("moved");
        known
    }

    fn offers(line: &str) -> Vec<String> {
        let (start, pairs) = complete(line, &known());
        let whole = |pair: &Pair| format!("{}{}", &line[..start], pair.replacement);
        pairs.iter().map(whole).collect()
    }

    #[test]
    fn words_are_completed_by_where_they_stand() {
        for (line, expected) in [
            ("cr", &["create "][..]),
            ("help ki", &["help kick "]),
            ("join lo", &["join lobby "]),
            ("join d", &["join r2 ", "join r3 "]),
            ("join my", &["join r4 "]),
            ("join r1", &["join r1 "]),
            ("join lobby pa", &["join lobby password="]),
            ("kick lobby b", &["kick lobby bob "]),
            ("create x vis", &["create x visibility="]),
            ("create x visibility=pr", &["create x visibility=private "]),
            ("update x locked=t", &["update x locked=true "]),
            ("send mo", &["send moved "]),
            ("send t", &["send to="]),
            ("send to=b", &["send to=bob "]),
            ("send to=#l", &["send to=#lobby "]),
            ("send to=bob mo", &["send to=bob moved "]),
            ("send to=bob moved x", &[]),
            ("wait from=a", &["wait from=alice "]),
            ("who lo", &["who lobby "]),
            ("xyzzy a", &[]),
        ] {
            assert_eq!(offers(line), expected, "{line}");
        }
    }
}
