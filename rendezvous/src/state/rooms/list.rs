//! Public rooms, a part at a time.

use std::ops::Bound;

use super::Rooms;
use super::room::RoomState;
use crate::events::{Cursor, ListRooms, RoomList, RoomSummary};
use crate::state::name::nfkc_casefold;

const USUAL_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// Rooms that one list looks at, so that a filter that fits none takes no longer than one that does.
const MAX_LOOKED_AT: usize = 1_000;

/// Bytes of one list, roughly: a list is no reason to fill a client's queue.
const MAX_BYTES: usize = 64 * 1_024;

/// Bytes of a room in a list without its texts.
const ROOM_BYTES: usize = 192;

/// A filter that is longer fits no name.
const MAX_FILTER_BYTES: usize = 256;

/// Which public rooms are asked for.
#[derive(Debug, Clone)]
pub struct List {
    /// A part of the names' keys; none where it fits no name.
    filter: Option<String>,
    limit: usize,
    after: Bound<u64>,
}

impl List {
    /// Prepares what takes long, before anything is locked.
    pub fn new(request: &ListRooms) -> Self {
        let filter = request.filter.as_deref().unwrap_or_default();
        let fits = filter.len() <= MAX_FILTER_BYTES;
        Self {
            filter: fits.then(|| nfkc_casefold(filter)),
            limit: request.limit.unwrap_or(USUAL_LIMIT).clamp(1, MAX_LIMIT),
            after: match request.cursor {
                Some(Cursor(last)) => Bound::Excluded(last),
                None => Bound::Unbounded,
            },
        }
    }
}

impl<L: Clone> Rooms<L> {
    /// Lists public rooms in the order in which they became so.
    pub fn list(&self, asked: &List) -> RoomList {
        let Some(filter) = &asked.filter else {
            return RoomList {
                rooms: Vec::new(),
                cursor: None,
            };
        };
        let mut entries = self
            .listed
            .range((asked.after, Bound::Unbounded))
            .peekable();
        let (mut rooms, mut bytes, mut looked_at, mut last) = (Vec::new(), 0, 0, None);
        while rooms.len() < asked.limit && bytes < MAX_BYTES && looked_at < MAX_LOOKED_AT {
            let Some((number, id)) = entries.next() else {
                break;
            };
            (last, looked_at) = (Some(*number), looked_at + 1);
            let room = self.by_id.get(id);
            if let Some(room) = room.filter(|room| room.name.key().contains(&**filter)) {
                bytes += room.summary_bytes();
                rooms.push(room.summary());
            }
        }
        let cursor = last.filter(|_| entries.peek().is_some()).map(Cursor);
        RoomList { rooms, cursor }
    }
}

impl<L: Clone> RoomState<L> {
    fn summary(&self) -> RoomSummary {
        RoomSummary {
            id: self.id.clone(),
            name: self.name.as_str().to_owned(),
            host: self.host.clone(),
            capacity: self.capacity,
            visibility: self.visibility,
            locked: self.locked,
            has_password: self.password.is_some(),
            meta: self.meta.clone(),
            rev: self.rev,
            players: self.members.len(),
        }
    }

    fn summary_bytes(&self) -> usize {
        let texts = [
            &*self.id,
            self.name.as_str(),
            &*self.host,
            self.meta.json().get(),
        ];
        ROOM_BYTES + texts.iter().map(|text| text.len()).sum::<usize>()
    }
}
