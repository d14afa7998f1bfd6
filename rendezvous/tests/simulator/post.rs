//! What the peers of a world say to each other and to the server, and what handles it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol_core::{
    AtClient, AtPeer, AtServer, Context, Event, EventError, EventSet, PeerId, Protocol,
};
use rendezvous::events::{
    HostChanged, PlayerJoined, PlayerLeft, PlayerUpdated, RoomNewsHandler, RoomUpdated, SelfJoined,
    SelfLeft, ServerClosing, SessionEnded, SessionNewsHandler,
};
use rendezvous::{Login, RoomNews, Rooms, SessionNews};
use tokio::time::sleep;

use crate::hearing::Hearing;
use crate::journal::{Journal, Kind, LifeId};

/// A numbered pass, to be confirmed or just sent.
#[derive(Debug, Clone, Event)]
#[event(pass, error = Unwanted)]
pub(crate) struct Parcel {
    pub(crate) label: Label,
    pub(crate) filler: String,
}

/// A numbered request.
#[derive(Debug, Clone, Event)]
#[event(request, response = Answer, error = Unwanted)]
pub(crate) struct Ask {
    pub(crate) label: Label,
}

/// A numbered request that is handled beside later events.
#[derive(Debug, Clone, Event)]
#[event(request, response = Answer, error = Unwanted, concurrent)]
pub(crate) struct Errand {
    pub(crate) label: Label,
}

/// What happens to everything that is sent.
#[derive(Debug, Clone, Copy, protocol_core::EventData)]
pub(crate) struct Label {
    /// Which of the sender's lives this is from.
    pub(crate) life: LifeId,
    /// Its number among those of one kind from this life to one destination.
    pub(crate) number: u64,
    /// How long its handler works.
    pub(crate) work_ms: u64,
    /// Whether its handler says no in the end.
    pub(crate) unwanted: bool,
}

#[derive(Debug, Clone, Event)]
#[event(response)]
pub(crate) struct Answer {
    pub(crate) number: u64,
    /// Which life of the answerer handled it.
    pub(crate) life: LifeId,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error, EventError)]
pub(crate) enum Unwanted {
    #[error("unwanted")]
    Unwanted,
}

#[derive(Debug, EventSet)]
pub(crate) enum Post {
    Parcel(Parcel),
    Ask(Ask),
    Errand(Errand),
}

/// To a room.
#[derive(Debug, Clone, Event)]
#[event(pass)]
pub(crate) struct Say {
    pub(crate) label: Label,
    /// The room, by its place in the story.
    pub(crate) room: usize,
}

#[derive(Debug, EventSet)]
pub(crate) enum Talk {
    Say(Say),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms, Post),
    to_client = (SessionNews, RoomNews),
    to_peer = (Post, Talk),
)]
pub(crate) struct World;

/// The handlers of one life of a client or of the server.
#[derive(Debug, Clone)]
pub(crate) struct Postman {
    pub(crate) journal: Journal,
    pub(crate) life: LifeId,
    pub(crate) hearing: Arc<Mutex<Hearing>>,
}

impl Postman {
    pub(crate) fn new(journal: Journal, life: LifeId) -> Self {
        Self {
            journal,
            life,
            hearing: Arc::default(),
        }
    }

    async fn handle(&self, kind: Kind, from: &PeerId, label: Label) -> Result<Answer, Unwanted> {
        let entry = self.journal.handling(self.life, kind, from, label);
        if label.work_ms > 0 {
            sleep(Duration::from_millis(label.work_ms)).await;
        }
        // What dies at work has not done it.
        if let Some(entry) = entry {
            self.journal.handled(entry);
        }
        if label.unwanted {
            return Err(Unwanted::Unwanted);
        }
        Ok(Answer {
            number: label.number,
            life: self.life,
        })
    }

    fn hear(&self, news: RoomNews) {
        let about = match &news {
            RoomNews::PlayerJoined(joined) => Some(&joined.player.id),
            RoomNews::PlayerLeft(left) => Some(&left.player),
            RoomNews::PlayerUpdated(updated) => Some(&updated.player),
            _ => None,
        };
        let name = self.journal.name(self.life);
        if about.is_some_and(|about| about.as_str() == name.split('#').next().unwrap_or_default()) {
            self.journal
                .wrong(&format!("{name} hears news of itself: {news:?}"));
        }
        let mut hearing = self.hearing.lock().expect("nothing panics with it");
        if hearing.hear(&news).is_err() {
            let rooms = hearing.rooms();
            self.journal
                .wrong(&format!("{name} is out of step: {news:?} after {rooms:?}"));
        }
        self.journal.heard(self.life, &news);
    }
}

impl PostHandler<World, AtServer> for Postman {
    async fn on_parcel(&self, cx: &Context<World>, event: Parcel) -> Result<(), Unwanted> {
        let from = cx.peer().expect("the gate lets nobody else through");
        self.handle(Kind::Parcel, from, event.label).await.map(drop)
    }

    async fn on_ask(&self, cx: &Context<World>, event: Ask) -> Result<Answer, Unwanted> {
        let from = cx.peer().expect("the gate lets nobody else through");
        self.handle(Kind::Ask, from, event.label).await
    }

    async fn on_errand(&self, cx: &Context<World>, event: Errand) -> Result<Answer, Unwanted> {
        let from = cx.peer().expect("the gate lets nobody else through");
        self.handle(Kind::Errand, from, event.label).await
    }
}

impl PostHandler<World, AtPeer> for Postman {
    async fn on_parcel(&self, cx: &Context<World, AtPeer>, event: Parcel) -> Result<(), Unwanted> {
        self.handle(Kind::Parcel, cx.from(), event.label)
            .await
            .map(drop)
    }

    async fn on_ask(&self, cx: &Context<World, AtPeer>, event: Ask) -> Result<Answer, Unwanted> {
        self.handle(Kind::Ask, cx.from(), event.label).await
    }

    async fn on_errand(
        &self,
        cx: &Context<World, AtPeer>,
        event: Errand,
    ) -> Result<Answer, Unwanted> {
        self.handle(Kind::Errand, cx.from(), event.label).await
    }
}

impl TalkHandler<World, AtPeer> for Postman {
    async fn on_say(&self, cx: &Context<World, AtPeer>, event: Say) {
        let kind = Kind::Say { room: event.room };
        // A room's talk is not refused: nobody would hear of it.
        drop(self.handle(kind, cx.from(), event.label).await);
    }
}

impl SessionNewsHandler<World, AtClient> for Postman {
    async fn on_session_ended(&self, _cx: &Context<World, AtClient>, event: SessionEnded) {
        let text = format!("hears that its session has ended: {:?}", event.reason);
        self.journal.note(self.life, &text);
    }

    async fn on_server_closing(&self, _cx: &Context<World, AtClient>, _event: ServerClosing) {
        self.journal.note(self.life, "hears that the server closes");
    }

    async fn on_dropped(&self, _cx: &Context<World, AtClient>, event: rendezvous::events::Dropped) {
        let text = format!("hears that {} passes were dropped", event.count);
        self.journal.note(self.life, &text);
    }
}

impl RoomNewsHandler<World, AtClient> for Postman {
    async fn on_self_joined(&self, _cx: &Context<World, AtClient>, event: SelfJoined) {
        self.hear(RoomNews::SelfJoined(event));
    }

    async fn on_self_left(&self, _cx: &Context<World, AtClient>, event: SelfLeft) {
        self.hear(RoomNews::SelfLeft(event));
    }

    async fn on_player_joined(&self, _cx: &Context<World, AtClient>, event: PlayerJoined) {
        self.hear(RoomNews::PlayerJoined(event));
    }

    async fn on_player_left(&self, _cx: &Context<World, AtClient>, event: PlayerLeft) {
        self.hear(RoomNews::PlayerLeft(event));
    }

    async fn on_player_updated(&self, _cx: &Context<World, AtClient>, event: PlayerUpdated) {
        self.hear(RoomNews::PlayerUpdated(event));
    }

    async fn on_host_changed(&self, _cx: &Context<World, AtClient>, event: HostChanged) {
        self.hear(RoomNews::HostChanged(event));
    }

    async fn on_room_updated(&self, _cx: &Context<World, AtClient>, event: RoomUpdated) {
        self.hear(RoomNews::RoomUpdated(event));
    }
}
