//! What a typed line asks for: text in, a checked command or what to write instead out.
//!
//! Must not know the link, or which rooms and peers there are.

mod fields;
mod table;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use protocol_core::wire::{FrameType, RawData, valid_name};

pub(super) use fields::{Field, FieldValue, Kind, json_text};
use table::Request;
pub(super) use table::{COMMANDS, Entry, Form, find};
use words::{Value, Word, Words};

/// A line that asks for something.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The command's name, as the table has it.
    pub(super) name: &'static str,
    pub(super) command: Command,
}

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// The list of commands, or more on one.
    Help(Option<&'static str>),
    /// A request to the server.
    Server {
        event: &'static str,
        fields: Vec<Field>,
    },
    /// An event that was typed by hand.
    Event {
        kind: FrameType,
        to: Option<Dest>,
        name: String,
        data: String,
    },
    /// Text for whoever is meant.
    Say {
        to: Option<Dest>,
        text: String,
    },
    /// A frame that was typed by hand.
    Raw(String),
    /// The answer to a request of another's.
    Answer {
        number: u64,
        data: String,
    },
    /// An error as the answer.
    Refuse {
        number: u64,
        code: String,
        message: String,
    },
    /// An event is to be waited for.
    Wait {
        from: Option<String>,
        name: String,
        at_most: Option<Duration>,
    },
    /// Members of the rooms that one is in.
    Who(Option<String>),
    More,
    Quit,
}

/// To whom an event goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dest {
    Peer(String),
    /// A room as it was typed, without its `#`.
    Room(String),
}

/// What `line` asks for; nothing where it is empty or a comment.
///
/// # Errors
///
/// Says what is wrong and what to write.
pub(super) fn parse(line: &str) -> Result<Option<Parsed>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (typed, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let entry = find(typed)?;
    let command = match &entry.form {
        Form::Server(request) => server(request, Words::new(rest)),
        Form::Event => event(entry.name, Words::new(rest)),
        Form::Own => own(entry.name, Words::new(rest)),
    };
    let command = command.map_err(|error| usage(entry, &error))?;
    let name = entry.name;
    Ok(Some(Parsed { name, command }))
}

/// An error with how the command is written.
fn usage(entry: &Entry, error: &str) -> String {
    let Entry { name, takes, .. } = entry;
    format!("{error} (usage: {})", format!("{name} {takes}").trim_end())
}

fn server(request: &Request, mut words: Words<'_>) -> Result<Command, String> {
    let mut fields: Vec<Field> = Vec::new();
    let mut plain = request.words.iter();
    let mut missing = request.needed;
    while let Some(word) = words.next()? {
        let field = match word {
            Word::Plain(value) => {
                let Some(&(key, kind)) = plain.next() else {
                    let text = value.into_text();
                    return Err(format!(
                        "`{text}` is a word too many: put quotes around text with spaces"
                    ));
                };
                missing = missing.saturating_sub(1);
                Field::parse(key, kind, value)?
            }
            Word::Pair(typed, value) => {
                let known = request.keys.iter().find(|(key, _)| *key == typed);
                let Some(&(key, kind)) = known else {
                    return Err(no_such_key(request, typed));
                };
                Field::parse(key, kind, value)?
            }
        };
        if fields.iter().any(|other| other.key == field.key) {
            return Err(format!("`{}` is given twice", field.key));
        }
        fields.push(field);
    }
    if missing > 0 {
        let next = plain.next().map_or("", |(key, _)| key);
        return Err(format!("add {}", next.to_uppercase()));
    }
    let event = request.event;
    match event {
        "join_room" if !fields.iter().any(|field| field.key != "password") => {
            Err("add ROOM or invite=CODE".to_owned())
        }
        "update_room" if fields.len() < 2 => Err("add what is to change, as key=value".to_owned()),
        _ => Ok(Command::Server { event, fields }),
    }
}

fn no_such_key(request: &Request, typed: &str) -> String {
    if request.keys.is_empty() {
        return format!("`{typed}=` is no key here: it takes none");
    }
    let known: Vec<_> = request.keys.iter().map(|(key, _)| *key).collect();
    format!(
        "`{typed}=` is no key here: write one of {}",
        known.join(", ")
    )
}

fn event(command: &str, mut words: Words<'_>) -> Result<Command, String> {
    let option = if command == "wait" { "from=" } else { "to=" };
    let mut peer = None;
    if words.rest().starts_with(option)
        && let Some(Word::Pair(_, value)) = words.next()?
    {
        peer = Some(value.into_text()).filter(|peer| !peer.is_empty());
        if peer.is_none() {
            return Err(format!("write who is meant behind `{option}`"));
        }
    }
    if command == "say" {
        let text = words.rest().to_owned();
        let to = peer.map(dest);
        return match text.as_str() {
            "" => Err("add the text".to_owned()),
            _ => Ok(Command::Say { to, text }),
        };
    }
    let (name, rest) = first(words.rest());
    if !valid_name(name) {
        return Err(match name {
            "" => "add the event's NAME".to_owned(),
            _ => format!(
                "`{name}` is no name of an event: write 1 to 64 of a-z, 0-9, `_`, `.`, `:` and `-`"
            ),
        });
    }
    let name = name.to_owned();
    let kind = match command {
        "wait" => {
            let at_most = match rest {
                "" => None,
                seconds => Some(wait_time(seconds)?),
            };
            let from = peer;
            return Ok(Command::Wait {
                from,
                name,
                at_most,
            });
        }
        "send" => FrameType::Pass,
        "confirm" => FrameType::ConfirmPass,
        _ => FrameType::Request,
    };
    let to = peer.map(dest);
    if kind != FrameType::Pass && matches!(to, Some(Dest::Room(_))) {
        return Err("a room is many receivers, so nobody answers for it: use `send`".to_owned());
    }
    let data = data(rest)?;
    Ok(Command::Event {
        kind,
        to,
        name,
        data,
    })
}

fn own(command: &str, words: Words<'_>) -> Result<Command, String> {
    let (word, rest) = first(words.rest());
    let number = || {
        let digits = word.trim_start_matches('#');
        let number = digits.parse::<u64>();
        number.map_err(|_| "write the number that stands before the request".to_owned())
    };
    match command {
        "help" if word.is_empty() => Ok(Command::Help(None)),
        "help" => Ok(Command::Help(Some(find(word)?.name))),
        "who" => {
            let mut words = words;
            let room = words.next()?.map(|word| match word {
                Word::Plain(value) => value.into_text(),
                Word::Pair(key, value) => format!("{key}={}", value.into_text()),
            });
            let room = room.map(|room| room.trim_start_matches('#').to_owned());
            Ok(Command::Who(room))
        }
        "raw" => match Words::new(words.rest()).next() {
            Ok(Some(Word::Plain(Value::Json(json)))) if json.get().len() == words.rest().len() => {
                Ok(Command::Raw(json.get().to_owned()))
            }
            _ => Err("write the frame as one JSON object".to_owned()),
        },
        "answer" => {
            let number = number()?;
            let data = data(rest)?;
            Ok(Command::Answer { number, data })
        }
        "refuse" => {
            let number = number()?;
            let (code, message) = first(rest);
            if !valid_name(code) {
                return Err("add a CODE, such as not_allowed".to_owned());
            }
            let (code, message) = (code.to_owned(), message.to_owned());
            Ok(Command::Refuse {
                number,
                code,
                message,
            })
        }
        _ if !word.is_empty() => Err(format!("`{word}` is a word too many")),
        "more" => Ok(Command::More),
        _ => Ok(Command::Quit),
    }
}

fn dest(typed: String) -> Dest {
    match typed.strip_prefix('#') {
        Some(room) => Dest::Room(room.to_owned()),
        None => Dest::Peer(typed),
    }
}

/// The first word and what follows it.
fn first(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// The data of an event; none is `null`.
fn data(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok("null".to_owned());
    }
    match RawData::parse(text) {
        // On one line, whatever was pasted.
        Ok(data) => Ok(data.to_json().get().to_owned()),
        Err(error) if text.starts_with(['{', '[', '"']) => Err(format!("no JSON: {error}")),
        Err(_) => Err(format!(
            "`{text}` is no JSON: write {} for text",
            json_text(text)
        )),
    }
}

/// The longest time to wait: a script that waits longer has hung.
const LONGEST_WAIT: u32 = 3_600;

fn wait_time(text: &str) -> Result<Duration, String> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse::<f64>();
    match seconds {
        Ok(seconds) if (0.0..=f64::from(LONGEST_WAIT)).contains(&seconds) => {
            Ok(Duration::from_secs_f64(seconds))
        }
        _ => Err(format!(
            "`{text}` is no time: write seconds, from 0 to {LONGEST_WAIT}"
        )),
    }
}
