//! The rules of the board: three in a row win. Knows no peers and no network.

use std::fmt;

use protocol_core::EventData;

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
    fn the_marks_take_turns_and_x_begins() {
        assert_eq!(after(&[]).standing(), Standing::Turn(Mark::X));
        assert_eq!(after(&[5]).standing(), Standing::Turn(Mark::O));
        assert_eq!(after(&[]).place(Mark::O, 1), Err(MoveError::NotYourTurn));
        assert_eq!(after(&[5]).place(Mark::X, 1), Err(MoveError::NotYourTurn));
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
    fn a_full_board_without_a_line_is_a_draw() {
        let board = after(&[1, 2, 3, 5, 4, 6, 8, 7, 9]);
        assert_eq!(board.standing(), Standing::Draw, "{board}");
    }

    #[test]
    fn the_last_cell_can_win() {
        let board = after(&[1, 2, 3, 4, 5, 6, 8, 7, 9]);
        assert_eq!(board.standing(), Standing::Won(Mark::X), "{board}");
    }

    #[test]
    fn nobody_moves_once_it_is_over() {
        let mut won = after(&[1, 4, 2, 5, 3]);
        assert_eq!(won.place(Mark::O, 6), Err(MoveError::GameOver));
        let mut draw = after(&[1, 2, 3, 5, 4, 6, 8, 7, 9]);
        assert_eq!(draw.place(Mark::O, 1), Err(MoveError::GameOver));
    }

    #[test]
    fn it_is_drawn_on_one_line_or_three() {
        let board = after(&[5, 1]);
        assert_eq!(board.to_string(), "O 2 3 / 4 X 6 / 7 8 9");
        assert_eq!(format!("{board:#}"), "O 2 3\n4 X 6\n7 8 9");
    }
}
