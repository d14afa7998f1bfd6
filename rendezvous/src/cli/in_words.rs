//! The server's news as sentences, for the client and the demo.

use protocol_core::{Event, RoomId};

use super::client::quoted;
use crate::events::{
    Dropped, HostChanged, JoinCause, LeaveReason, PlayerJoined, PlayerLeft, PlayerStatus,
    PlayerUpdated, Room, RoomNews, RoomUpdated, SelfJoined, SelfLeft, ServerClosing, SessionEnd,
    SessionEnded, SessionNews,
};
use crate::my_rooms::MyRooms;

/// An event, and what it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    /// The event's name.
    pub(super) event: &'static str,
    pub(super) text: String,
}

impl Sentence {
    pub(super) fn new<E: Event>(text: impl Into<String>) -> Self {
        Self {
            event: E::NAME,
            text: text.into(),
        }
    }
}

/// What news say to whoever is in the rooms of `before`; `label` is how a room is called.
pub(super) fn of_rooms(news: &RoomNews, before: &MyRooms, label: fn(&Room) -> String) -> Sentence {
    let named = |id: &RoomId| {
        let room = before.get(id);
        room.map_or_else(|| format!("room {}", quoted(id)), label)
    };
    match news {
        RoomNews::SelfJoined(joined) => {
            let cause = match joined.cause {
                JoinCause::Created => " now: you made it",
                JoinCause::Resumed => " again",
                _ => " now",
            };
            Sentence::new::<SelfJoined>(format!(
                "you are in {}{cause}",
                label(&joined.clone().into_room())
            ))
        }
        RoomNews::SelfLeft(left) => {
            let why = why(left.reason, left.by.as_deref());
            let said = left.message.as_deref();
            let said = said.map_or(String::new(), |said| {
                format!(" ({})", serde_json::Value::from(said))
            });
            Sentence::new::<SelfLeft>(format!(
                "you are no longer in {}: {why}{said}",
                named(&left.room)
            ))
        }
        RoomNews::PlayerJoined(joined) => {
            let player = quoted(&joined.player.id);
            Sentence::new::<PlayerJoined>(format!("{player} is in {} now", named(&joined.room)))
        }
        RoomNews::PlayerLeft(left) => {
            let (player, room) = (quoted(&left.player), named(&left.room));
            let why = why(left.reason, left.by.as_deref());
            Sentence::new::<PlayerLeft>(format!("{player} is no longer in {room}: {why}"))
        }
        RoomNews::PlayerUpdated(updated) => {
            let (player, room) = (quoted(&updated.player), named(&updated.room));
            Sentence::new::<PlayerUpdated>(format!(
                "{player} in {room} is {}",
                status(updated.status)
            ))
        }
        RoomNews::HostChanged(changed) => {
            let (host, room) = (quoted(&changed.host), named(&changed.room));
            let previous = quoted(&changed.previous);
            Sentence::new::<HostChanged>(format!(
                "{host} is the host of {room} now, after {previous}"
            ))
        }
        RoomNews::RoomUpdated(updated) => {
            let room = &updated.0;
            let locked = if room.locked { ", locked" } else { "" };
            let (label, capacity) = (label(room), room.capacity);
            Sentence::new::<RoomUpdated>(format!(
                "{label} has changed: for {capacity} players{locked}"
            ))
        }
    }
}

/// What news of one's session say.
pub(super) fn of_session(news: &SessionNews) -> Sentence {
    match news {
        SessionNews::SessionEnded(ended) => Sentence::new::<SessionEnded>(match ended.reason {
            SessionEnd::Replaced => "the session has ended: you logged in elsewhere",
            SessionEnd::Removed => "the session has ended: the server's operator ended it",
            SessionEnd::Unknown => "the session has ended",
        }),
        SessionNews::ServerClosing(closing) => Sentence::new::<ServerClosing>(format!(
            "the server stops within {} ms",
            closing.deadline_ms
        )),
        SessionNews::Dropped(dropped) => {
            Sentence::new::<Dropped>(format!("{} events are lost", dropped.count))
        }
    }
}

/// Whether a player's link stands.
pub(super) fn status(status: PlayerStatus) -> &'static str {
    match status {
        PlayerStatus::Online => "online",
        PlayerStatus::Reconnecting => "reconnecting",
        PlayerStatus::Unknown => "in a state that this client does not know",
    }
}

fn why(reason: LeaveReason, by: Option<&str>) -> String {
    let reason = match reason {
        LeaveReason::Left => "left",
        LeaveReason::Kicked => "kicked",
        LeaveReason::RoomDeleted => "the room was deleted",
        LeaveReason::HostClosed => "the host left, and the room ended with that",
        LeaveReason::GraceExpired => "the link was lost for too long",
        LeaveReason::Shutdown => "the server stops",
        LeaveReason::Unknown => "for a reason that this client does not know",
    };
    by.map_or(reason.to_owned(), |by| {
        format!("{reason} by {}", quoted(by))
    })
}
