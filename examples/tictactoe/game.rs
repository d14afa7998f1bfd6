//! The rules: three in a row win, two play, and who leaves ends it. The referee judges by them; they
//! know no network.

use std::fmt;

use protocol_core::{EventData, PeerId};

use crate::events::MoveError;

const LINES: [[usize; 3]; 8] = [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7, 8],
    [0, 3, 6],
    [1, 4, 7],
    [2, 5, 8],
    [0, 4, 8],
    [2, 4, 6],
];

/// A game as everybody in its room sees it.
#[derive(Debug, Clone, PartialEq, Eq, EventData)]
pub(crate) struct Game {
    /// Plays X, and begins.
    pub(crate) x: PeerId,
    pub(crate) o: PeerId,
    pub(crate) board: Board,
    /// Who went away before the end.
    pub(crate) gone: Option<PeerId>,
}

impl Game {
    pub(crate) fn new(x: PeerId, o: PeerId) -> Self {
        Self {
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

/// One of the two players.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EventData)]
pub(crate) enum Mark {
    X,
    O,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Turn(Mark),
    Won(Mark),
    Draw,
}

/// Nine cells. Whose turn it is follows from them, so a board cannot contradict itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, EventData)]
pub(crate) struct Board([Option<Mark>; 9]);

impl Board {
    pub(crate) fn standing(&self) -> Standing {
        let Self(cells) = self;
        let mut rows = LINES.iter().map(|line| line.map(|cell| cells[cell]));
        if let Some([Some(winner), ..]) = rows.find(|[a, b, c]| a.is_some() && a == b && b == c) {
            return Standing::Won(winner);
        }
        match cells.iter().flatten().count() {
            9 => Standing::Draw,
            placed if placed % 2 == 0 => Standing::Turn(Mark::X),
            _ => Standing::Turn(Mark::O),
        }
    }

    /// Places a mark on a cell from 1 to 9. Where that is no legal move, nothing has changed.
    pub(crate) fn place(&mut self, mark: Mark, cell: u8) -> Result<(), MoveError> {
        match self.standing() {
            Standing::Turn(turn) if turn == mark => {}
            Standing::Turn(_) => return Err(MoveError::NotYourTurn),
            Standing::Won(_) | Standing::Draw => return Err(MoveError::GameOver),
        }
        let index = usize::from(cell).checked_sub(1);
        let place = index.and_then(|index| self.0.get_mut(index));
        let place = place.ok_or(MoveError::NoSuchCell { cell })?;
        if let Some(by) = *place {
            return Err(MoveError::CellTaken { by });
        }
        *place = Some(mark);
        Ok(())
    }
}

/// On one line, or on three with `{:#}`. A free cell shows its number.
impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cell) in self.0.iter().enumerate() {
            f.write_str(match index {
                0 => "",
                3 | 6 if f.alternate() => "\n",
                3 | 6 => " / ",
                _ => " ",
            })?;
            match cell {
                Some(mark) => mark.fmt(f)?,
                None => (index + 1).fmt(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The board after these cells, X first.
    fn after(cells: &[u8]) -> Board {
        let mut board = Board::default();
        for (mark, cell) in [Mark::X, Mark::O].into_iter().cycle().zip(cells) {
            board.place(mark, *cell).unwrap();
        }
        board
    }

    #[test]
    fn an_illegal_move_changes_nothing() {
        let board = after(&[5]);
        let taken = MoveError::CellTaken { by: Mark::X };
        let illegal = [
            (Mark::O, 5, taken),
            (Mark::X, 1, MoveError::NotYourTurn),
            (Mark::O, 0, MoveError::NoSuchCell { cell: 0 }),
            (Mark::O, 10, MoveError::NoSuchCell { cell: 10 }),
        ];
        for (mark, cell, error) in illegal {
            let mut same = board.clone();
            assert_eq!(same.place(mark, cell), Err(error));
            assert_eq!(same, board);
        }
    }

    #[test]
    fn each_line_wins_for_either_mark() {
        for line in LINES {
            for winner in [Mark::X, Mark::O] {
                let mut board = Board::default();
                for cell in line {
                    board.0[cell] = Some(winner);
                }
                assert_eq!(board.standing(), Standing::Won(winner), "{board}");
                board.0[line[1]] = None;
                assert!(matches!(board.standing(), Standing::Turn(_)), "{board}");
            }
        }
    }

    #[test]
    fn a_full_board_is_a_draw_unless_its_last_cell_has_won() {
        let draw = (after(&[1, 2, 3, 5, 4, 6, 8, 7, 9]), Standing::Draw);
        let won = (after(&[1, 2, 3, 4, 5, 6, 8, 7, 9]), Standing::Won(Mark::X));
        for (mut board, standing) in [draw, won] {
            assert_eq!(board.standing(), standing, "{board}");
            assert_eq!(board.place(Mark::O, 1), Err(MoveError::GameOver));
        }
    }

    #[test]
    fn it_is_drawn_on_one_line_or_three() {
        let board = after(&[5, 1]);
        assert_eq!(board.to_string(), "O 2 3 / 4 X 6 / 7 8 9");
        assert_eq!(format!("{board:#}"), "O 2 3\n4 X 6\n7 8 9");
    }

    fn peer(id: &str) -> PeerId {
        PeerId::new(id).unwrap()
    }

    fn game() -> Game {
        Game::new(peer("alice"), peer("bob"))
    }

    #[test]
    fn only_the_players_play_in_turns_and_x_begins() {
        let mut game = game();
        assert_eq!(game.place(&peer("carol"), 1), Err(MoveError::NotPlaying));
        assert_eq!(game.place(&peer("bob"), 1), Err(MoveError::NotYourTurn));
        assert_eq!(game.standing(), "alice's turn: X");
        assert_eq!(game.place(&peer("alice"), 1), Ok(()));
        assert_eq!(game.standing(), "bob's turn: O");
        assert_eq!(game.place(&peer("alice"), 2), Err(MoveError::NotYourTurn));
        assert_eq!(game.place(&peer("bob"), 2), Ok(()));
    }

    #[test]
    fn who_plays_ends_it_by_leaving_and_who_watches_does_not() {
        for gone in ["alice", "bob"] {
            let mut game = game();
            assert!(!game.leave(&peer("carol")));
            assert!(!game.is_over());
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
    fn nothing_changes_after_the_end() {
        let mut game = game();
        for (by, cell) in ["alice", "bob"].iter().cycle().zip([1, 4, 2, 5, 3]) {
            game.place(&peer(by), cell).unwrap();
        }
        assert!(game.is_over());
        assert_eq!(game.place(&peer("bob"), 6), Err(MoveError::GameOver));
        assert!(!game.leave(&peer("bob")));
        assert_eq!(game.standing(), "alice has won");
    }
}
