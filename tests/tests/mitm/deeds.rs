//! What somebody on the way can do to one piece of a link.

use crate::pieces::{LENGTH_BYTES, Part, Piece, Towards};
use crate::proxy::{Act, Deed};

/// Sends the piece on as it is.
pub(crate) fn pass(piece: Piece) -> Vec<Act> {
    vec![Act::Say(piece.towards, piece.bytes)]
}

/// Does nothing but look.
pub(crate) fn look() -> Deed {
    Box::new(pass)
}

/// Does `act` to this piece and nothing to others.
pub(crate) fn to(
    towards: Towards,
    part: Part,
    mut act: impl FnMut(Piece) -> Vec<Act> + Send + 'static,
) -> Deed {
    Box::new(move |piece| {
        if (piece.towards, piece.part) == (towards, part) {
            act(piece)
        } else {
            pass(piece)
        }
    })
}

/// Does `act` to the record of this direction that says that nothing follows.
pub(crate) fn to_end(
    towards: Towards,
    mut act: impl FnMut(Piece) -> Vec<Act> + Send + 'static,
) -> Deed {
    Box::new(move |piece| {
        if piece.towards == towards && piece.is_end() {
            act(piece)
        } else {
            pass(piece)
        }
    })
}

/// Changes bits of the byte at `at`, the length's two bytes included.
pub(crate) fn flip(at: usize, bits: u8) -> impl FnMut(Piece) -> Vec<Act> + Send {
    move |mut piece| {
        piece.bytes[at] ^= bits;
        pass(piece)
    }
}

pub(crate) fn withhold(_: Piece) -> Vec<Act> {
    Vec::new()
}

/// In one write, so that both arrive together.
pub(crate) fn repeat(piece: Piece) -> Vec<Act> {
    vec![Act::Say(piece.towards, piece.bytes.repeat(2))]
}

/// Sends it back, instead of on.
pub(crate) fn reflect(piece: Piece) -> Vec<Act> {
    vec![Act::Say(piece.towards.back(), piece.bytes)]
}

/// Sends it on and back.
pub(crate) fn echo(piece: Piece) -> Vec<Act> {
    [reflect(piece.clone()), pass(piece)].concat()
}

/// Sends so much of it and ends the link.
pub(crate) fn cut_after(bytes: usize) -> impl FnMut(Piece) -> Vec<Act> + Send {
    move |mut piece| {
        piece.bytes.truncate(bytes);
        vec![Act::Say(piece.towards, piece.bytes), Act::Cut]
    }
}

/// Sends bytes of its own before it.
pub(crate) fn precede(bytes: Vec<u8>) -> impl FnMut(Piece) -> Vec<Act> + Send {
    move |piece| {
        let towards = piece.towards;
        let all = [bytes.clone(), piece.bytes].concat();
        vec![Act::Say(towards, all)]
    }
}

/// Sends bytes of its own instead of it.
pub(crate) fn replace(bytes: Vec<u8>) -> impl FnMut(Piece) -> Vec<Act> + Send {
    move |piece| vec![Act::Say(piece.towards, bytes.clone())]
}

/// Sends the record and the one behind it the other way round.
pub(crate) fn swap(towards: Towards, record: usize) -> Deed {
    let mut held = None;
    Box::new(move |piece| match (piece.part, piece.towards == towards) {
        (Part::Record(index), true) if index == record => {
            held = Some(piece);
            Vec::new()
        }
        (Part::Record(index), true) if index == record + 1 => {
            let held = held.take().into_iter().flat_map(pass);
            pass(piece).into_iter().chain(held).collect()
        }
        _ => pass(piece),
    })
}

/// Sends each byte of each piece on its own.
pub(crate) fn drip() -> Deed {
    Box::new(|piece| {
        let bytes = piece.bytes.into_iter();
        bytes
            .map(|byte| Act::Say(piece.towards, vec![byte]))
            .collect()
    })
}

/// A record that nobody sealed, with its length before it.
pub(crate) fn forged(body: usize) -> Vec<u8> {
    let length = u16::try_from(body).unwrap();
    let mut record = length.to_be_bytes().to_vec();
    record.resize(LENGTH_BYTES + body, 0x5a);
    record
}
