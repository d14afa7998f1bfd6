//! Everybody but the host: sees the board, and asks the host to make moves.

use protocol_core::{PeerId, RequestError, RoomId};
use rendezvous::events::{JoinRoom, LeaveReason, ListRooms, RoomNews};

use crate::events::{MoveError, Place, Placed};
use crate::game::Game;
use crate::link::{Failure, Heard, Link};
use crate::screen::Screen;
use crate::{ROOM_NAME, Seat};

const NO_GAME: &str =
    "there is no such game: open one with cargo run --example tictactoe -- host alice";

/// The opponent, or somebody who watches: the host knows which.
pub(crate) struct Player {
    link: Link,
    screen: Screen,
    room: RoomId,
    /// As the referee has told it.
    game: Option<Game>,
    is_out: bool,
}

impl Player {
    /// Enters the oldest game that has `players` or more. The first who joins a host plays.
    pub(crate) async fn enter(
        mut link: Link,
        screen: Screen,
        players: usize,
    ) -> Result<Self, Failure> {
        let ask = ListRooms {
            filter: Some(ROOM_NAME.to_owned()),
            ..ListRooms::default()
        };
        let mut games = link.client.request(ask).await?.rooms.into_iter();
        let game = games.find(|room| room.name == ROOM_NAME && room.players >= players);
        let game = game.ok_or(NO_GAME)?;
        let room = link.client.request(JoinRoom::new(game.id)).await?.id;
        link.enter(&room).await?;
        Ok(Self {
            link,
            screen,
            room,
            game: None,
            is_out: false,
        })
    }

    /// The referee.
    fn host(&self) -> Result<PeerId, Failure> {
        let room = self.link.rooms.get(&self.room);
        Ok(room.ok_or("you are no longer in the room")?.host.clone())
    }
}

impl Seat for Player {
    fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    fn is_over(&self) -> bool {
        self.is_out || self.game.as_ref().is_some_and(Game::is_over)
    }

    async fn place(&mut self, cell: u8) -> Result<(), Failure> {
        let (room, host) = (self.room.clone(), self.host()?);
        let host = self.link.client.to(&host);
        match host.request(Place { room, cell }).await {
            // The referee shows the board to everybody.
            Ok(Placed {}) => {}
            Err(RequestError::Refused(MoveError::CellTaken { by })) => {
                self.screen
                    .show(format!("{by} has cell {cell}: choose a free one"));
            }
            Err(error) => self.screen.show(error),
        }
        Ok(())
    }

    async fn take(&mut self, heard: Heard) -> Result<(), Failure> {
        match heard {
            // Anybody could send a board: the referee's counts.
            Heard::Board { from, game } if game.room == self.room && from == self.host()? => {
                if self.game.is_none() {
                    let (x, o) = (&game.x, &game.o);
                    self.screen.show(if self.link.me == *o {
                        format!("you play O against {x}")
                    } else {
                        format!("you watch {x} and {o}")
                    });
                }
                self.screen.show_game(&game);
                self.game = Some(game);
            }
            Heard::News(RoomNews::PlayerJoined(joined)) => {
                self.screen.show(format!("{} comes in", joined.player.id));
            }
            Heard::News(RoomNews::PlayerLeft(left)) => {
                self.screen.show(format!("{} goes away", left.player));
            }
            Heard::News(RoomNews::SelfLeft(left)) => {
                self.is_out = true;
                self.screen.show(match left.reason {
                    LeaveReason::HostClosed => "the host has left: this room is closed",
                    _ => "you are no longer in the room",
                });
            }
            // To drop a move is to refuse it: this is no referee.
            Heard::Board { .. } | Heard::News(_) | Heard::Move { .. } => {}
        }
        Ok(())
    }
}
