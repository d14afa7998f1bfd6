//! What a player hears, in words.

use protocol_core::{AtPeer, Context, PeerId, Received};
use tokio::sync::mpsc::Sender;

use super::events::{Challenge, GamesHandler, Playground, Reply, Talk};
use crate::cli::in_words::{Sentence, of_rooms, of_session};
use crate::events::{RoomNews, SessionNews};
use crate::my_rooms::MyRooms;

/// What a player hears that nobody has to answer, in the order in which it comes.
pub(super) enum Heard {
    Session(SessionNews),
    Rooms(RoomNews),
    Players(Talk),
}

/// What it says to a player whose rooms are `before`, with names in place of ids.
pub(super) fn in_words(heard: &Received<Heard>, before: &MyRooms) -> Sentence {
    match &heard.event {
        Heard::Session(news) => of_session(news),
        Heard::Rooms(news) => of_rooms(news, before, |room| room.name.clone()),
        Heard::Players(talk) => {
            let from = heard.from.as_ref().map_or("nobody", PeerId::as_str);
            talk.in_words(from)
        }
    }
}

/// Answers challenges, and tells of them.
pub(super) struct Ear(pub(super) Sender<Sentence>);

impl GamesHandler<Playground, AtPeer> for Ear {
    async fn on_challenge(&self, cx: &Context<Playground, AtPeer>, event: Challenge) -> Reply {
        let accepted = event.game == "chess";
        let word = if accepted { "yes" } else { "no" };
        let text = format!("{}: a game of {}? Answers {word}", cx.from(), event.game);
        // A player that is gone listens no more.
        let _ = self.0.send(Sentence::new::<Challenge>(text)).await;
        Reply { accepted }
    }
}
