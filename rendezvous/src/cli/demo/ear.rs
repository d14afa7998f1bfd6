//! What a player hears, in words.

use protocol_core::{AtClient, AtPeer, Context, Event, PeerId};
use tokio::sync::mpsc::Sender;

use super::events::{BetweenPlayersHandler, Challenge, Move, Playground, Reply, Say};
use crate::events::{
    Dropped, LeaveReason, Room, RoomNews, ServerClosing, SessionEnded, SessionNewsHandler,
};
use crate::my_rooms::MyRooms;

/// An event that a player got, and what it means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) event: &'static str,
    pub(super) text: String,
}

impl Heard {
    pub(super) fn new<E: Event>(text: impl Into<String>) -> Self {
        Self {
            event: E::NAME,
            text: text.into(),
        }
    }
}

/// The handlers of a player: they tell what they handle.
pub(super) struct Ear(pub(super) Sender<Heard>);

impl Ear {
    async fn tell<E: Event>(&self, text: String) {
        // A player that is gone listens no more.
        let _ = self.0.send(Heard::new::<E>(text)).await;
    }
}

impl BetweenPlayersHandler<Playground, AtPeer> for Ear {
    async fn on_say(&self, cx: &Context<Playground, AtPeer>, event: Say) {
        let text = format!("{}: \"{}\"", cx.from(), event.text);
        self.tell::<Say>(text).await;
    }

    async fn on_challenge(&self, cx: &Context<Playground, AtPeer>, event: Challenge) -> Reply {
        let accepted = event.game == "chess";
        let word = if accepted { "yes" } else { "no" };
        let text = format!("{}: a game of {}? Answers {word}", cx.from(), event.game);
        self.tell::<Challenge>(text).await;
        Reply { accepted }
    }

    async fn on_move(&self, cx: &Context<Playground, AtPeer>, event: Move) {
        let text = format!("{}: {} to {}", cx.from(), event.piece, event.to);
        self.tell::<Move>(text).await;
    }
}

impl SessionNewsHandler<Playground, AtClient> for Ear {
    async fn on_session_ended(&self, _cx: &Context<Playground, AtClient>, event: SessionEnded) {
        let text = format!("the session is over: {:?}", event.reason);
        self.tell::<SessionEnded>(text).await;
    }

    async fn on_server_closing(&self, _cx: &Context<Playground, AtClient>, _event: ServerClosing) {
        self.tell::<ServerClosing>("the server stops".to_owned())
            .await;
    }

    async fn on_dropped(&self, _cx: &Context<Playground, AtClient>, event: Dropped) {
        let text = format!("{} events are lost", event.count);
        self.tell::<Dropped>(text).await;
    }
}

/// What news of a room mean to a player whose rooms are `before`, with names in place of ids.
pub(super) fn in_words(news: &RoomNews, before: &MyRooms) -> String {
    let name = |id| before.get(id).map_or("a room", |room| room.name.as_str());
    match news {
        RoomNews::SelfJoined(joined) => {
            let room = joined.clone().into_room();
            format!("is in {}: {}", room.name, players(&room))
        }
        RoomNews::SelfLeft(left) => {
            let why = why(left.reason, left.by.as_deref());
            let message = left.message.as_ref();
            let message = message.map_or(String::new(), |message| format!(", \"{message}\""));
            format!("is out of {}: {why}{message}", name(&left.room))
        }
        RoomNews::PlayerJoined(joined) => {
            format!("{} is in {}", joined.player.id, name(&joined.room))
        }
        RoomNews::PlayerLeft(left) => {
            let why = why(left.reason, left.by.as_deref());
            format!("{} is out of {}: {why}", left.player, name(&left.room))
        }
        RoomNews::PlayerUpdated(updated) => {
            let (player, room) = (&updated.player, name(&updated.room));
            format!("{player} in {room}: {:?}", updated.status)
        }
        RoomNews::HostChanged(changed) => {
            let room = name(&changed.room);
            format!("{} is the host of {room} now", changed.host)
        }
        RoomNews::RoomUpdated(updated) => {
            let room = &updated.0;
            let locked = if room.locked { ", locked" } else { "" };
            format!("{} takes {} players{locked}", room.name, room.capacity)
        }
    }
}

/// Everybody in a room, the host marked.
fn players(room: &Room) -> String {
    let host = |id: &PeerId| if room.host == *id { " (host)" } else { "" };
    let players = room.players.iter().map(|player| &player.id);
    let players: Vec<_> = players.map(|id| format!("{id}{}", host(id))).collect();
    players.join(", ")
}

fn why(reason: LeaveReason, by: Option<&str>) -> String {
    let reason = match reason {
        LeaveReason::Left => "left",
        LeaveReason::Kicked => "kicked",
        LeaveReason::RoomDeleted => "the room was deleted",
        LeaveReason::HostClosed => "the host left, and the room closed",
        LeaveReason::GraceExpired => "the link was lost",
        LeaveReason::Shutdown => "the server stops",
        LeaveReason::Unknown => "for a new reason",
    };
    by.map_or(reason.to_owned(), |by| format!("{reason} by {by}"))
}
