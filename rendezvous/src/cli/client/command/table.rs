//! The commands: their names, what they take, and what help says of them.

use super::fields::Kind;

/// A command as help shows it.
#[derive(Debug)]
pub(in crate::cli::client) struct Entry {
    pub(in crate::cli::client) name: &'static str,
    /// What follows the name.
    pub(in crate::cli::client) takes: &'static str,
    /// One line for the list.
    pub(in crate::cli::client) about: &'static str,
    /// More for those who ask.
    pub(in crate::cli::client) more: &'static str,
    pub(in crate::cli::client) form: Form,
}

/// How a command is read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli::client) enum Form {
    /// A request to the server whose fields are known.
    Server(Request),
    /// An event that is typed by hand.
    Event,
    /// In a way of its own.
    Own,
}

/// A request to the server.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli::client) struct Request {
    pub(in crate::cli::client) event: &'static str,
    /// Fields that stand by themselves, in this order.
    pub(in crate::cli::client) words: &'static [(&'static str, Kind)],
    /// How many of those must be there.
    pub(in crate::cli::client) needed: usize,
    /// Fields that stand as `key=value`.
    pub(in crate::cli::client) keys: &'static [(&'static str, Kind)],
}

const fn server(
    event: &'static str,
    needed: usize,
    words: &'static [(&'static str, Kind)],
    keys: &'static [(&'static str, Kind)],
) -> Form {
    Form::Server(Request {
        event,
        words,
        needed,
        keys,
    })
}

const VISIBILITY: Kind = Kind::OneOf(&["public", "unlisted", "private"]);
const ON_HOST_LEAVE: Kind = Kind::OneOf(&["migrate", "close"]);
const ROOM: (&str, Kind) = ("room", Kind::Room);
const PLAYER: (&str, Kind) = ("player", Kind::Peer);

macro_rules! entry {
    ($name:literal, $takes:literal, $about:literal, $more:literal, $form:expr) => {
        Entry {
            name: $name,
            takes: $takes,
            about: $about,
            more: $more,
            form: $form,
        }
    };
}

/// All commands, as help lists them.
pub(in crate::cli::client) static COMMANDS: &[Entry] = &[
    entry!(
        "create",
        "NAME [key=value …]",
        "make a room and enter it as its host",
        "Keys: capacity=8, visibility=public|unlisted|private, password=…, meta={JSON},\n\
         on_host_leave=migrate|close, nonce=…\n\
         Example: create \"my room\" capacity=4 visibility=private",
        server(
            "create_room",
            1,
            &[("name", Kind::Text)],
            &[
                ("capacity", Kind::Whole),
                ("visibility", VISIBILITY),
                ("password", Kind::Text),
                ("meta", Kind::Json),
                ("on_host_leave", ON_HOST_LEAVE),
                ("nonce", Kind::Text),
            ]
        )
    ),
    entry!(
        "join",
        "ROOM|invite=CODE [password=…]",
        "enter a room",
        "ROOM is a room's id, the start of one, or the name of a room that `rooms` or `who` has\n\
         shown. Example: join lobby password=sesame",
        server(
            "join_room",
            0,
            &[ROOM],
            &[("invite", Kind::Text), ("password", Kind::Text)]
        )
    ),
    entry!(
        "leave",
        "ROOM",
        "leave a room",
        "The host's leaving passes the role on, or ends the room, as it was made.",
        server("leave_room", 1, &[ROOM], &[])
    ),
    entry!(
        "delete",
        "ROOM",
        "end a room (host only)",
        "Everybody in it is told.",
        server("delete_room", 1, &[ROOM], &[])
    ),
    entry!(
        "rooms",
        "[FILTER] [limit=N]",
        "list public rooms",
        "FILTER is a part of their names. `more` shows what did not fit.",
        server(
            "list_rooms",
            0,
            &[("filter", Kind::Text)],
            &[("limit", Kind::Whole), ("cursor", Kind::Text)]
        )
    ),
    entry!(
        "more",
        "",
        "the next part of the list of rooms",
        "After `rooms`.",
        Form::Own
    ),
    entry!(
        "update",
        "ROOM key=value …",
        "change a room (host only)",
        "Keys: name=…, capacity=8, locked=true, visibility=public|unlisted|private, password=…\n\
         (password= removes it), meta={JSON}, if_rev=N\n\
         Example: update lobby locked=true",
        server(
            "update_room",
            1,
            &[ROOM],
            &[
                ("name", Kind::Text),
                ("capacity", Kind::Whole),
                ("locked", Kind::Flag),
                ("visibility", VISIBILITY),
                ("password", Kind::Text),
                ("meta", Kind::Json),
                ("if_rev", Kind::Whole),
            ]
        )
    ),
    entry!(
        "kick",
        "ROOM PLAYER [ban_ms=N] [message=…]",
        "put a player out of a room (host only)",
        "Example: kick lobby bob ban_ms=60000 message=\"come back later\"",
        server(
            "kick_player",
            2,
            &[ROOM, PLAYER],
            &[("ban_ms", Kind::Whole), ("message", Kind::Text)]
        )
    ),
    entry!(
        "host",
        "ROOM PLAYER",
        "give a room another host (host only)",
        "Example: host lobby bob",
        server("set_host", 2, &[ROOM, PLAYER], &[])
    ),
    entry!(
        "invite",
        "ROOM [ttl_ms=N] [uses=N]",
        "make a code by which others can join (host only)",
        "Whoever has the code can join: `join invite=CODE`.",
        server(
            "create_invite",
            1,
            &[ROOM],
            &[("ttl_ms", Kind::Whole), ("uses", Kind::Whole)]
        )
    ),
    entry!(
        "who",
        "[ROOM]",
        "the rooms that you are in, and who is there",
        "Shown as the server's events have told it; asks nobody.",
        Form::Own
    ),
    entry!(
        "say",
        "[to=PEER|to=#ROOM] TEXT",
        "send text as the event `say`",
        "Without `to=` it goes to the room that you are in, if that is one.\n\
         Example: say to=#lobby hello everybody",
        Form::Event
    ),
    entry!(
        "send",
        "[to=PEER|to=#ROOM] NAME [JSON]",
        "send an event that has no answer",
        "Without `to=` it goes to the server. Example: send to=bob moved {\"x\":3}",
        Form::Event
    ),
    entry!(
        "confirm",
        "[to=PEER] NAME [JSON]",
        "send an event and wait for its acknowledgement",
        "Example: confirm to=bob moved {\"x\":3}",
        Form::Event
    ),
    entry!(
        "request",
        "[to=PEER] NAME [JSON]",
        "ask, and wait for the answer",
        "Example: request to=bob add [1,2]",
        Form::Event
    ),
    entry!(
        "answer",
        "N [JSON]",
        "answer a peer's request by its number",
        "Numbers stand before requests when they arrive. Example: answer 1 3",
        Form::Own
    ),
    entry!(
        "refuse",
        "N CODE [MESSAGE]",
        "answer a peer's request with an error",
        "Example: refuse 1 not_allowed only the host may start",
        Form::Own
    ),
    entry!(
        "wait",
        "[from=PEER] NAME [SECONDS]",
        "wait until an event has arrived",
        "One that has arrived already counts once. Without SECONDS it waits as long as --timeout\n\
         says. Example: wait from=bob moved 5",
        Form::Event
    ),
    entry!(
        "raw",
        "{JSON …}",
        "send a frame as it is typed",
        "The answer is awaited where the frame asks for one.\n\
         Example: raw {\"type\":\"request\",\"name\":\"ping\",\"request_id\":\"1\"}",
        Form::Own
    ),
    entry!(
        "ping",
        "",
        "ask the server for a sign of life",
        "Shows how long the way there and back takes.",
        server("ping", 0, &[], &[])
    ),
    entry!(
        "login",
        "ID [token=…]",
        "log in, and connect before where that is needed",
        "After `logout`, or when the link was lost.",
        server("login", 1, &[("id", Kind::Text)], &[("token", Kind::Text)])
    ),
    entry!(
        "logout",
        "",
        "log out; the server then ends the link",
        "`login ID` connects again.",
        server("logout", 0, &[], &[])
    ),
    entry!(
        "help",
        "[COMMAND]",
        "this list, or more on one command",
        "",
        Form::Own
    ),
    entry!("quit", "", "log out and leave (or Ctrl-D)", "", Form::Own),
];

/// The command of that name, of another name for it, or the only one that starts so.
///
/// # Errors
///
/// Says what is close to it.
pub(in crate::cli::client) fn find(typed: &str) -> Result<&'static Entry, String> {
    let typed = typed.strip_prefix('/').unwrap_or(typed);
    let typed = typed.to_ascii_lowercase();
    let name = match typed.as_str() {
        "?" => "help",
        "exit" | "q" => "quit",
        "ls" | "list" => "rooms",
        name => name,
    };
    if let Some(entry) = COMMANDS.iter().find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let mut starts = COMMANDS.iter().filter(|entry| entry.name.starts_with(name));
    match (starts.next(), starts.next()) {
        (Some(entry), None) => Ok(entry),
        (Some(first), Some(second)) => Err(format!(
            "`{typed}` is short for several commands, such as {} and {}: write more of it",
            first.name, second.name
        )),
        (None, _) => {
            let close = COMMANDS
                .iter()
                .map(|entry| (strsim::jaro_winkler(entry.name, name), entry.name))
                .filter(|(likeness, _)| *likeness > 0.8)
                .max_by(|one, other| one.0.total_cmp(&other.0));
            Err(match close {
                Some((_, close)) => format!("there is no command `{typed}`: did you mean {close}?"),
                None => format!("there is no command `{typed}`: `help` lists them"),
            })
        }
    }
}
