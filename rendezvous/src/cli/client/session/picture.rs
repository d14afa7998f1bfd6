//! The rooms that one is in, as the server's events have told it, and each event as a sentence.
//!
//! Takes what fits the vocabulary and ignores the rest: any server may be at the other end.

use protocol_core::Json;

use crate::cli::client::command::json_text;
use crate::cli::client::known::Known;
use crate::cli::client::show::quoted;
use crate::events::{
    HostChanged, JoinCause, LeaveReason, PlayerJoined, PlayerLeft, PlayerStatus, PlayerUpdated,
    Room, RoomUpdated, SelfJoined, SelfLeft, ServerClosing, SessionEnd, SessionEnded,
};

/// The rooms that one is in.
#[derive(Debug, Default)]
pub(in crate::cli::client) struct Picture {
    rooms: Vec<Room>,
}

impl Picture {
    /// The server lets nobody into more; one that says otherwise is not believed.
    const MOST: usize = 1_000;

    pub(in crate::cli::client) fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    pub(in crate::cli::client) fn clear(&mut self) {
        self.rooms.clear();
    }

    /// One is in `room`, as it is now.
    pub(super) fn enter(&mut self, room: Room, known: &mut Known) {
        known.see_room(&room.id, &room.name, true);
        for player in &room.players {
            known.see_peer(&player.id);
        }
        if let Some(known) = self.rooms.iter_mut().find(|known| known.id == room.id) {
            *known = room;
        } else if self.rooms.len() < Self::MOST {
            self.rooms.push(room);
        }
    }

    /// Takes in an event of the server's; what it says as a sentence, if it is known and fits.
    pub(super) fn hear(&mut self, name: &str, data: &Json, known: &mut Known) -> Option<String> {
        match name {
            "self_joined" => {
                let news: SelfJoined = data.decode().ok()?;
                let cause = match news.cause {
                    JoinCause::Created => " now: you made it",
                    JoinCause::Resumed => " again",
                    _ => " now",
                };
                let room = news.into_room();
                let sentence = format!("you are in {}{cause}", label(&room));
                self.enter(room, known);
                Some(sentence)
            }
            "self_left" => {
                let news: SelfLeft = data.decode().ok()?;
                let at = self.rooms.iter().position(|room| room.id == news.room);
                let room = at.map(|at| self.rooms.remove(at));
                let label = room.map_or_else(|| unknown(&news.room), |room| label(&room));
                if matches!(
                    news.reason,
                    LeaveReason::RoomDeleted | LeaveReason::HostClosed | LeaveReason::Shutdown
                ) {
                    known.forget_room(&news.room);
                } else {
                    known.leave_room(&news.room);
                }
                let reason = reason(news.reason, news.by.as_deref());
                let said = news.message.map(|said| format!(" ({})", json_text(&said)));
                Some(format!(
                    "you are no longer in {label}: {reason}{}",
                    said.unwrap_or_default()
                ))
            }
            "player_joined" => {
                let news: PlayerJoined = data.decode().ok()?;
                let id = news.player.id.clone();
                known.see_peer(&id);
                let label = self.change(&news.room, news.rev, |room| {
                    room.players.retain(|player| player.id != news.player.id);
                    room.players.push(news.player);
                });
                Some(format!("{} is in {label} now", quoted(&id)))
            }
            "player_left" => {
                let news: PlayerLeft = data.decode().ok()?;
                let label = self.change(&news.room, news.rev, |room| {
                    room.players.retain(|player| player.id != news.player);
                });
                let reason = reason(news.reason, news.by.as_deref());
                let player = quoted(&news.player);
                Some(format!("{player} is no longer in {label}: {reason}"))
            }
            "player_updated" => {
                let news: PlayerUpdated = data.decode().ok()?;
                let label = self.change(&news.room, news.rev, |room| {
                    let mut players = room.players.iter_mut();
                    if let Some(player) = players.find(|player| player.id == news.player) {
                        player.status = news.status;
                    }
                });
                let status = status(news.status);
                Some(format!("{} in {label} is {status}", quoted(&news.player)))
            }
            "host_changed" => {
                let news: HostChanged = data.decode().ok()?;
                let host = news.host.clone();
                let label = self.change(&news.room, news.rev, |room| room.host = news.host);
                Some(format!(
                    "{} is the host of {label} now, after {}",
                    quoted(&host),
                    quoted(&news.previous)
                ))
            }
            "room_updated" => {
                let RoomUpdated(room) = data.decode().ok()?;
                let sentence = format!("{} has changed: revision {}", label(&room), room.rev);
                self.enter(room, known);
                Some(sentence)
            }
            _ => session_news(name, data),
        }
    }

    /// Changes a room, and says how it is called.
    fn change(&mut self, id: &str, rev: u64, change: impl FnOnce(&mut Room)) -> String {
        match self.rooms.iter_mut().find(|room| *room.id == *id) {
            Some(room) => {
                room.rev = rev;
                change(room);
                label(room)
            }
            None => unknown(id),
        }
    }
}

fn session_news(name: &str, data: &Json) -> Option<String> {
    match name {
        "session_ended" => {
            let news: SessionEnded = data.decode().ok()?;
            Some(match news.reason {
                SessionEnd::Replaced => "the session has ended: you logged in elsewhere".to_owned(),
                SessionEnd::Removed => {
                    "the session has ended: the server's operator ended it".to_owned()
                }
                SessionEnd::Unknown => "the session has ended".to_owned(),
            })
        }
        "server_closing" => {
            let news: ServerClosing = data.decode().ok()?;
            Some(format!(
                "the server stops within {} ms; connect again after {} ms",
                news.deadline_ms, news.retry_after_ms
            ))
        }
        _ => None,
    }
}

/// How a room is called in a sentence.
pub(in crate::cli::client) fn label(room: &Room) -> String {
    format!("{} ({})", quoted(&room.name), quoted(&room.id))
}

/// How a room is called of which nothing is known.
fn unknown(id: &str) -> String {
    format!("room {}", quoted(id))
}

/// Whether a player's link stands, in words.
pub(in crate::cli::client) fn status(status: PlayerStatus) -> &'static str {
    match status {
        PlayerStatus::Online => "online",
        PlayerStatus::Reconnecting => "reconnecting",
        PlayerStatus::Unknown => "in a state that this client does not know",
    }
}

fn reason(reason: LeaveReason, by: Option<&str>) -> String {
    let by = by
        .map(|by| format!(" by {}", quoted(by)))
        .unwrap_or_default();
    match reason {
        LeaveReason::Left => "left".to_owned(),
        LeaveReason::Kicked => format!("kicked{by}"),
        LeaveReason::RoomDeleted => format!("the room was deleted{by}"),
        LeaveReason::HostClosed => "the host left, and the room ended with that".to_owned(),
        LeaveReason::GraceExpired => "the link was lost for too long".to_owned(),
        LeaveReason::Shutdown => "the server stops".to_owned(),
        LeaveReason::Unknown => "for a reason that this client does not know".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = r#""id":"r1","name":"lobby","host":"alice","capacity":4,
        "visibility":"public","locked":false,"has_password":false,"meta":null,"rev":1,
        "players":[{"id":"alice","status":"online","joined_rev":1}]"#;

    fn hear(picture: &mut Picture, name: &str, data: &str) -> Option<String> {
        let data = Json::parse(data).unwrap();
        picture.hear(name, &data, &mut Known::default())
    }

    #[test]
    fn the_picture_follows_the_news() {
        let mut picture = Picture::default();
        let joined = format!(r#"{{{ROOM},"cause":"created"}}"#);
        assert_eq!(
            hear(&mut picture, "self_joined", &joined).unwrap(),
            "you are in lobby (r1) now: you made it"
        );
        let bob = r#"{"room":"r1","rev":2,"player":{"id":"bob","status":"online","joined_rev":2}}"#;
        assert_eq!(
            hear(&mut picture, "player_joined", bob).unwrap(),
            "bob is in lobby (r1) now"
        );
        let host = r#"{"room":"r1","rev":3,"host":"bob","previous":"alice"}"#;
        assert_eq!(
            hear(&mut picture, "host_changed", host).unwrap(),
            "bob is the host of lobby (r1) now, after alice"
        );
        let room = &picture.rooms()[0];
        assert_eq!((&*room.host, room.rev, room.players.len()), ("bob", 3, 2));

        let left = r#"{"room":"r1","rev":4,"player":"bob","reason":"kicked","by":"alice"}"#;
        assert_eq!(
            hear(&mut picture, "player_left", left).unwrap(),
            "bob is no longer in lobby (r1): kicked by alice"
        );
        let gone = r#"{"room":"r1","rev":5,"reason":"room_deleted","by":"alice","message":"bye"}"#;
        assert_eq!(
            hear(&mut picture, "self_left", gone).unwrap(),
            "you are no longer in lobby (r1): the room was deleted by alice (\"bye\")"
        );
        assert!(picture.rooms().is_empty());
    }

    #[test]
    fn what_does_not_fit_is_no_news() {
        let mut picture = Picture::default();
        assert_eq!(hear(&mut picture, "self_joined", "7"), None);
        assert_eq!(hear(&mut picture, "moved", "{}"), None);
        assert!(picture.rooms().is_empty());
    }
}
