//! The host: plays X, and is the referee, whose board is the one that counts.

use protocol_core::{PeerId, RoomId};
use rendezvous::events::{CreateRoom, OnHostLeave, RoomNews};

use crate::events::{BoardChanged, MoveError, Place, Placed};
use crate::game::Game;
use crate::link::{Failure, Heard, Link};
use crate::screen::Screen;
use crate::{ROOM_NAME, Seat};

pub(crate) struct Host {
    link: Link,
    screen: Screen,
    room: RoomId,
    /// None until somebody has joined.
    game: Option<Game>,
}

impl Host {
    pub(crate) async fn open(mut link: Link, screen: Screen) -> Result<Self, Failure> {
        let mut ask = CreateRoom::new(ROOM_NAME);
        // A game without its referee is over.
        ask.on_host_leave = Some(OnHostLeave::Close);
        let room = link.client.request(ask).await?.id;
        link.enter(&room).await?;
        screen.show("you play X, and wait for somebody to play O");
        Ok(Self {
            link,
            screen,
            room,
            game: None,
        })
    }

    /// Shows everybody how the game stands, oneself too.
    async fn tell(&self) -> Result<(), Failure> {
        if let Some(game) = &self.game {
            self.screen.show_game(game);
            let room = self.link.client.to_room(&self.room);
            room.send(BoardChanged(game.clone())).await?;
        }
        Ok(())
    }

    /// Judges a move: whoever makes it, and whatever they ask for.
    fn judge(&mut self, by: &PeerId, Place { room, cell }: &Place) -> Result<Placed, MoveError> {
        let game = self.game.as_mut().filter(|game| game.room == *room);
        game.ok_or(MoveError::NotPlaying)?.place(by, *cell)?;
        Ok(Placed {})
    }

    /// The first who joins plays; whoever comes later is shown the game.
    async fn welcome(&mut self, player: PeerId) -> Result<(), Failure> {
        self.screen.show(format!("{player} comes in"));
        if let Some(game) = &self.game {
            let late = self.link.client.to(&player);
            late.send(BoardChanged(game.clone())).await?;
            return Ok(());
        }
        let (room, me) = (self.room.clone(), self.link.me.clone());
        self.game = Some(Game::new(room, me, player));
        self.tell().await
    }
}

impl Seat for Host {
    fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    fn is_over(&self) -> bool {
        self.game.as_ref().is_some_and(Game::is_over)
    }

    async fn place(&mut self, cell: u8) -> Result<(), Failure> {
        let (me, room) = (self.link.me.clone(), self.room.clone());
        match self.judge(&me, &Place { room, cell }) {
            Ok(Placed {}) => self.tell().await?,
            Err(error) => self.screen.show(format!("refused: {error}")),
        }
        Ok(())
    }

    async fn take(&mut self, heard: Heard) -> Result<(), Failure> {
        match heard {
            Heard::Move {
                from,
                asked,
                answer,
            } => {
                let placed = self.judge(&from, &asked);
                if placed.is_ok() {
                    self.tell().await?;
                }
                // Whoever asked may be gone.
                let _ = answer.send(placed);
            }
            Heard::News(RoomNews::PlayerJoined(joined)) => self.welcome(joined.player.id).await?,
            Heard::News(RoomNews::PlayerLeft(left)) => {
                self.screen.show(format!("{} goes away", left.player));
                let game = self.game.as_mut();
                if game.is_some_and(|game| game.leave(&left.player)) {
                    self.tell().await?;
                }
            }
            Heard::News(RoomNews::SelfLeft(_)) => return Err("the room was closed".into()),
            // There is one referee here, and this is it.
            Heard::Board { .. } | Heard::News(_) => {}
        }
        Ok(())
    }
}
