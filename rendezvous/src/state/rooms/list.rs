//! Public rooms, a part at a time.

use std::ops::Bound;

use super::Rooms;
use super::room::RoomState;
use crate::events::{Cursor, ListRooms, RoomList, RoomSummary, Visibility};
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
const MAX_FILTER_BYTES: usize = 1_024;

impl<L: Clone> Rooms<L> {
    /// Lists public rooms in the order in which they were made.
    pub fn list(&self, request: &ListRooms) -> RoomList {
        let filter = request.filter.as_deref().unwrap_or_default();
        if filter.len() > MAX_FILTER_BYTES {
            return RoomList {
                rooms: Vec::new(),
                cursor: None,
            };
        }
        let filter = nfkc_casefold(filter);
        let limit = request.limit.unwrap_or(USUAL_LIMIT).clamp(1, MAX_LIMIT);
        let after = request
            .cursor
            .map_or(Bound::Unbounded, |Cursor(last)| Bound::Excluded(last));
        let mut entries = self.by_number.range((after, Bound::Unbounded)).peekable();
        let (mut rooms, mut bytes, mut looked_at, mut last) = (Vec::new(), 0, 0, None);
        while rooms.len() < limit && bytes < MAX_BYTES && looked_at < MAX_LOOKED_AT {
            let Some((number, id)) = entries.next() else {
                break;
            };
            (last, looked_at) = (Some(*number), looked_at + 1);
            let room = self.by_id.get(id).filter(|room| {
                room.visibility == Visibility::Public && room.name.key().contains(&*filter)
            });
            if let Some(room) = room {
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
