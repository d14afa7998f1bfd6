//! One game: who plays, and what they may do. The referee judges by it; it knows no network.

use protocol_core::{EventData, PeerId, RoomId};

use crate::board::{Board, Mark, Standing};
use crate::events::MoveError;

/// A game as everybody in its room sees it.
#[derive(Debug, Clone, PartialEq, Eq, EventData)]
pub(crate) struct Game {
    pub(crate) room: RoomId,
    /// Plays X, and begins.
    pub(crate) x: PeerId,
    pub(crate) o: PeerId,
    pub(crate) board: Board,
    /// Who went away before the end.
    pub(crate) gone: Option<PeerId>,
}

impl Game {
    pub(crate) fn new(room: RoomId, x: PeerId, o: PeerId) -> Self {
        Self {
            room,
            x,
            o,
            board: Board::default(),
            gone: None,
        }
    }

    /// A peer's move; whoever it is, and whatever they ask for.
    pub(crate) fn place(&mut self, by: &PeerId, cell: u8) -> Result<(), MoveError> {
        let mark = match by {
            x if *x == self.x => Mark::X,
            o if *o == self.o => Mark::O,
            _ => return Err(MoveError::NotPlaying),
        };
        if self.gone.is_some() {
            return Err(MoveError::GameOver);
        }
        self.board.place(mark, cell)
    }

    /// Somebody has left the room. Whether that has ended the game.
    pub(crate) fn leave(&mut self, peer: &PeerId) -> bool {
        let ends = !self.is_over() && [&self.x, &self.o].contains(&peer);
        if ends {
            self.gone = Some(peer.clone());
        }
        ends
    }

    pub(crate) fn is_over(&self) -> bool {
        self.gone.is_some() || !matches!(self.board.standing(), Standing::Turn(_))
    }

    /// Whose turn it is, or how it ended.
    pub(crate) fn standing(&self) -> String {
        let player = |mark| match mark {
            Mark::X => &self.x,
            Mark::O => &self.o,
        };
        match (&self.gone, self.board.standing()) {
            (Some(gone), _) => format!("{gone} has left: the game is over"),
            (None, Standing::Turn(mark)) => format!("{}'s turn: {mark}", player(mark)),
            (None, Standing::Won(mark)) => format!("{} has won", player(mark)),
            (None, Standing::Draw) => "a draw".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(id: &str) -> PeerId {
        PeerId::new(id).unwrap()
    }

    fn game() -> Game {
        let room = RoomId::new("r1").unwrap();
        Game::new(room, peer("alice"), peer("bob"))
    }

    #[test]
    fn only_the_players_play() {
        let mut game = game();
        assert_eq!(game.place(&peer("carol"), 1), Err(MoveError::NotPlaying));
        assert_eq!(game.place(&peer("bob"), 1), Err(MoveError::NotYourTurn));
        assert_eq!(game.standing(), "alice's turn: X");
        assert_eq!(game.place(&peer("alice"), 1), Ok(()));
        assert_eq!(game.standing(), "bob's turn: O");
    }

    #[test]
    fn a_player_who_leaves_ends_it() {
        for gone in ["alice", "bob"] {
            let mut game = game();
            assert!(game.leave(&peer(gone)));
            assert!(game.is_over());
            assert_eq!(
                game.standing(),
                format!("{gone} has left: the game is over")
            );
            assert_eq!(game.place(&peer("alice"), 1), Err(MoveError::GameOver));
        }
    }

    #[test]
    fn a_spectator_who_leaves_does_not() {
        let mut game = game();
        assert!(!game.leave(&peer("carol")));
        assert!(!game.is_over());
    }

    #[test]
    fn leaving_after_the_end_changes_no_result() {
        let mut game = game();
        for (by, cell) in ["alice", "bob"].iter().cycle().zip([1, 4, 2, 5, 3]) {
            game.place(&peer(by), cell).unwrap();
        }
        assert!(game.is_over());
        assert!(!game.leave(&peer("bob")));
        assert_eq!(game.standing(), "alice has won");
    }
}
