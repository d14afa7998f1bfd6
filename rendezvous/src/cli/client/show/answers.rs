//! Answers to what was asked, as lines for people.

use std::time::Duration;

use protocol_core::{Json, PeerIdentity};

use super::escape::quoted;
use super::line::{Line, Tone};
use crate::cli::client::session::label;
use crate::cli::in_words::status;
use crate::events::{Changed, Invited, LoggedIn, Pong, Room, RoomList, RoomSummary};

/// The lines that `data` is shown as, which answers the event `name` of the server's.
pub(super) fn of_server(
    name: &str,
    data: &Json,
    took: Duration,
    server: Option<PeerIdentity>,
) -> Vec<Line> {
    known(name, data, took, server).unwrap_or_else(|| vec![plain(data)])
}

/// The line for an answer of which nothing is known.
pub(super) fn plain(data: &Json) -> Line {
    Line::default().then(Tone::Dim, "answer ").json(data)
}

fn known(
    name: &str,
    data: &Json,
    took: Duration,
    server: Option<PeerIdentity>,
) -> Option<Vec<Line>> {
    let lines = match name {
        "login" => {
            let answer: LoggedIn = data.decode().ok()?;
            let kind = match server?.key() {
                Some(_) => " (encrypted link)",
                None => " (plain link)",
            };
            let line = Line::new("logged in as ").then(Tone::Who, quoted(&answer.id));
            vec![line.then(Tone::Dim, kind)]
        }
        "logout" => vec![Line::new("logged out")],
        "ping" => {
            data.decode::<Pong>().ok()?;
            let ms = took.as_secs_f64() * 1_000.0;
            vec![Line::new(format!("the server answers in {ms:.1} ms"))]
        }
        "create_room" | "join_room" | "update_room" => room(&data.decode().ok()?),
        "leave_room" | "delete_room" | "kick_player" | "set_host" => {
            let answer: Changed = data.decode().ok()?;
            vec![Line::new(format!("done: revision {}", answer.rev))]
        }
        "create_invite" => {
            let answer: Invited = data.decode().ok()?;
            let code = answer.invite.expose();
            vec![
                Line::new("invite ").then(Tone::Strong, code),
                Line::default().then(Tone::Dim, format!("others join with: join invite={code}")),
            ]
        }
        "list_rooms" => {
            let answer: RoomList = data.decode().ok()?;
            let mut lines: Vec<_> = answer.rooms.iter().map(summary).collect();
            if lines.is_empty() {
                lines.push(Line::new("no public rooms"));
            }
            if answer.cursor.is_some() {
                lines.push(Line::default().then(Tone::Dim, "there are more: `more` shows them"));
            }
            lines
        }
        _ => return None,
    };
    Some(lines)
}

/// A room with its members.
pub(super) fn room(room: &Room) -> Vec<Line> {
    let visibility = Json::from_value(&room.visibility).unwrap_or_default();
    let mut about = vec![visibility.get().trim_matches('"').to_owned()];
    about.extend(room.locked.then(|| "locked".to_owned()));
    about.extend(room.has_password.then(|| "password".to_owned()));
    let mut line = Line::default().then(Tone::Strong, label(room)).then(
        Tone::Plain,
        format!(
            ": {} of {}, revision {}, {}",
            room.players.len(),
            room.capacity,
            room.rev,
            about.join(", ")
        ),
    );
    if !room.meta.json().as_raw().is_null() {
        line = line.then(Tone::Plain, ", meta ").json(room.meta.json());
    }
    let mut lines = vec![line];
    for player in &room.players {
        let host = if player.id == room.host { ", host" } else { "" };
        lines.push(
            Line::new("  ")
                .then(Tone::Who, quoted(&player.id))
                .then(Tone::Plain, format!(" ({}{host})", status(player.status))),
        );
    }
    lines
}

fn summary(room: &RoomSummary) -> Line {
    let mut about = format!("  {} of {}", room.players, room.capacity);
    for (holds, word) in [(room.locked, ", locked"), (room.has_password, ", password")] {
        if holds {
            about.push_str(word);
        }
    }
    Line::default()
        .then(Tone::Dim, quoted(&room.id))
        .then(Tone::Plain, "  ")
        .then(Tone::Strong, quoted(&room.name))
        .then(Tone::Plain, format!("{about}, host "))
        .then(Tone::Who, quoted(&room.host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, data: &str) -> String {
        let data = Json::parse(data).unwrap();
        let lines = of_server(name, &data, Duration::from_micros(1_500), None);
        let lines = lines.iter().map(|line| line.render(false, 1_000));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn known_answers_are_sentences_and_others_stay_json() {
        let room = r#""id":"r1","name":"lobby","host":"alice","capacity":4,"visibility":"public",
            "locked":true,"has_password":false,"meta":{"a":1},"rev":7,"players""#;
        let list = format!(r#"{{"rooms":[{{{room}:2}}],"cursor":"9"}}"#);
        let whole = format!(r#"{{{room}:[{{"id":"alice","status":"online","joined_rev":1}}]}}"#);
        for (name, data, expected) in [
            ("ping", r#"{"server_ms":1}"#, "the server answers in 1.5 ms"),
            ("leave_room", r#"{"rev":7}"#, "done: revision 7"),
            ("list_rooms", r#"{"rooms":[]}"#, "no public rooms"),
            (
                "list_rooms",
                &list,
                "r1  lobby  2 of 4, locked, host alice\nthere are more: `more` shows them",
            ),
            (
                "join_room",
                &whole,
                "lobby (r1): 1 of 4, revision 7, public, locked, meta {\"a\":1}\n  alice (online, host)",
            ),
            (
                "create_invite",
                r#"{"invite":"c0de"}"#,
                "invite c0de\nothers join with: join invite=c0de",
            ),
            ("join_room", "7", "answer 7"),
            ("add", "[1,2]", "answer [1,2]"),
        ] {
            assert_eq!(shown(name, data), expected);
        }
    }
}
