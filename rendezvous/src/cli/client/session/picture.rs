//! The rooms that one is in, as the server's events have told it, and each event as a sentence.
//!
//! Takes what fits the vocabulary and ignores the rest: any server may be at the other end.

use protocol_core::{EventSet, Json};

use crate::MyRooms;
use crate::cli::client::known::{Known, is_short};
use crate::cli::client::show::quoted;
use crate::cli::in_words::{of_rooms, of_session};
use crate::events::{JoinCause, LeaveReason, Room, RoomNews, SelfJoined, SessionNews};

/// The rooms that one is in.
#[derive(Debug, Default)]
pub(in crate::cli::client) struct Picture {
    rooms: MyRooms,
}

impl Picture {
    /// A server that lets one into more rooms is not followed there.
    const ROOMS: usize = 64;

    /// Nor into one with more players.
    const PLAYERS: usize = 1_000;

    pub(in crate::cli::client) fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter()
    }

    /// One is in `room` again.
    pub(super) fn enter(&mut self, room: Room, known: &mut Known) {
        let news = SelfJoined::new(room, JoinCause::Resumed);
        self.follow(&RoomNews::SelfJoined(news), known);
    }

    /// Takes in an event of the server's; what it says as a sentence, if it is known and fits.
    pub(super) fn hear(&mut self, name: &str, data: &Json, known: &mut Known) -> Option<String> {
        if let Some(news) = decoded::<RoomNews>(name, data) {
            let sentence = of_rooms(&news, &self.rooms, label);
            self.follow(&news, known);
            return Some(sentence.text);
        }
        let news = decoded(name, data)?;
        let text = of_session(&news).text;
        Some(match news {
            SessionNews::ServerClosing(closing) => {
                format!("{text}; connect again after {} ms", closing.retry_after_ms)
            }
            _ => text,
        })
    }

    /// News that are too much or out of step change nothing.
    fn follow(&mut self, news: &RoomNews, known: &mut Known) {
        if !self.has_room_for(news) || self.rooms.hear(news).is_err() {
            return;
        }
        match news {
            RoomNews::SelfJoined(joined) => {
                known.see_room(&joined.id, &joined.name, true);
                for player in &joined.players {
                    known.see_peer(&player.id);
                }
            }
            RoomNews::SelfLeft(left) => match left.reason {
                LeaveReason::RoomDeleted | LeaveReason::HostClosed | LeaveReason::Shutdown => {
                    known.forget_room(&left.room);
                }
                _ => known.leave_room(&left.room),
            },
            RoomNews::PlayerJoined(joined) => known.see_peer(&joined.player.id),
            RoomNews::RoomUpdated(updated) => {
                known.see_room(&updated.0.id, &updated.0.name, true);
            }
            _ => {}
        }
    }

    fn has_room_for(&self, news: &RoomNews) -> bool {
        match news {
            RoomNews::SelfJoined(joined) => {
                let rooms = self.rooms.iter().count();
                rooms < Self::ROOMS
                    && is_short(&joined.name)
                    && joined.players.len() <= Self::PLAYERS
            }
            RoomNews::RoomUpdated(updated) => {
                is_short(&updated.0.name) && updated.0.players.len() <= Self::PLAYERS
            }
            RoomNews::PlayerJoined(joined) => {
                let room = self.rooms.get(&joined.room);
                room.is_none_or(|room| room.players.len() < Self::PLAYERS)
            }
            _ => true,
        }
    }
}

/// The event, if it is one of the set and fits.
fn decoded<S: EventSet>(name: &str, data: &Json) -> Option<S> {
    let index = S::EVENTS.iter().position(|event| event.name == name)?;
    S::decode(index, data.as_raw()).ok()
}

/// How a room is called in a sentence.
pub(in crate::cli::client) fn label(room: &Room) -> String {
    format!("{} ({})", quoted(&room.name), quoted(&room.id))
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
        let room = picture.rooms().next().unwrap();
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
        assert_eq!(picture.rooms().count(), 0);
    }

    #[test]
    fn what_does_not_fit_is_no_news() {
        let mut picture = Picture::default();
        assert_eq!(hear(&mut picture, "self_joined", "7"), None);
        assert_eq!(hear(&mut picture, "moved", "{}"), None);
        assert_eq!(picture.rooms().count(), 0);
    }

    /// A room whose name has `name` bytes, with as many `players`, as news that one has joined it.
    fn joined(id: usize, name: usize, players: usize) -> String {
        let name = "x".repeat(name);
        let player = |n| format!(r#"{{"id":"p{n}","status":"online","joined_rev":1}}"#);
        let players: Vec<_> = (0..players).map(player).collect();
        ROOM.split_once("\"players\"")
            .unwrap()
            .0
            .replace("r1", &format!("r{id}"))
            .replace("lobby", &name)
            + &format!(r#""players":[{}],"cause":"joined"}}"#, players.join(","))
    }

    #[test]
    fn what_is_remembered_has_bounds() {
        let mut picture = Picture::default();
        for (name, players, taken) in [(256, 1, 1), (257, 1, 1), (1, 1_000, 2), (1, 1_001, 2)] {
            let data = format!("{{{}", joined(name + players, name, players));
            assert!(hear(&mut picture, "self_joined", &data).is_some());
            assert_eq!(picture.rooms().count(), taken);
        }
        let more =
            r#"{"room":"r1001","rev":2,"player":{"id":"bob","status":"online","joined_rev":2}}"#;
        assert!(hear(&mut picture, "player_joined", more).is_some());
        assert!(picture.rooms().all(|room| room.players.len() <= 1_000));
        for id in 0..64 {
            hear(
                &mut picture,
                "self_joined",
                &format!("{{{}", joined(id, 1, 1)),
            );
        }
        assert_eq!(picture.rooms().count(), 64);
    }
}
