//! The referee: judges the moves that players ask for. It shows nothing and sends nothing.
//!
//! It is a handler, so it runs beside the loop of the player who hosts it. `watch` holds the game
//! for both and wakes the loop after each change. As the loop alone tells the room, the boards go
//! out in the order of the moves.

use protocol_core::{AtPeer, Context, PeerId};
use tokio::sync::watch;

use crate::events::{MoveError, Place, Placed, TicTacToe, ToRefereeHandler};
use crate::game::Game;

/// Each client has one. Where it is not the host nobody is welcomed, so no move is legal.
#[derive(Clone, Default)]
pub(crate) struct Referee {
    game: watch::Sender<Option<Game>>,
}

impl Referee {
    /// The game after each change; none until somebody has joined.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Game>> {
        self.game.subscribe()
    }

    /// The first who joins plays. For whoever comes later the game counts as changed, so that they
    /// are told of it.
    pub(crate) fn welcome(&self, host: &PeerId, player: PeerId) {
        self.game.send_modify(|game| {
            game.get_or_insert_with(|| Game::new(host.clone(), player));
        });
    }

    pub(crate) fn dismiss(&self, player: &PeerId) {
        self.game
            .send_if_modified(|game| game.as_mut().is_some_and(|game| game.leave(player)));
    }
}

impl ToRefereeHandler<TicTacToe, AtPeer> for Referee {
    /// Judges a move, whoever makes it and whatever they ask for.
    async fn on_place(
        &self,
        cx: &Context<TicTacToe, AtPeer>,
        Place { cell }: Place,
    ) -> Result<Placed, MoveError> {
        let mut judged = Err(MoveError::NotPlaying);
        self.game.send_if_modified(|game| {
            if let Some(game) = game {
                judged = game.place(cx.from(), cell);
            }
            judged.is_ok()
        });
        judged.map(|()| Placed {})
    }
}
