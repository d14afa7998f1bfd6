//! Lists of rooms, and what they should be.

use rendezvous::events::{Cursor, ListRooms, Room, RoomList, RoomSummary};

use super::world::World;

/// Names, and how they are folded; the last are none.
pub(super) const NAMES: [(&str, Option<&str>); 6] = [
    ("Lobby", Some("lobby")),
    ("ＬＯＢＢＹ two", Some("lobby two")),
    ("Straße", Some("strasse")),
    ("duel", Some("duel")),
    ("", None),
    ("duel ", None),
];

/// Parts of names, and how they are folded.
const FILTERS: [(&str, &str); 5] = [
    ("", ""),
    ("LOBBY", "lobby"),
    ("STRASS", "strass"),
    ("ｅ", "e"),
    ("nowhere", "nowhere"),
];

impl World<'_> {
    pub(super) fn list(&mut self) {
        let from = self.random.maybe(2, |random| random.upto(3));
        let from = from
            .and_then(|back| self.cursors.iter().nth_back(back))
            .copied();
        let (filter, folded) = *self.random.pick(&FILTERS);
        let request = ListRooms {
            filter: Some(filter)
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            limit: self.random.maybe(2, |random| random.upto(3)),
            cursor: from.map(|(cursor, _)| cursor),
        };
        let after = from.map_or(0, |(_, number)| number);
        let RoomList { rooms, cursor } = self.house.list(&request);
        self.note(&format!("list {request:?}: {rooms:?} {cursor:?}"));
        let (fitting, last) = self.fitting(folded, request.limit.unwrap_or(50).max(1), after);
        assert_eq!(rooms, fitting);
        assert_eq!(cursor.is_some(), last.is_some());
        self.cursors.extend(cursor.zip(last));
        self.house.assert_silent();
        if let Some(cursor) = cursor {
            assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }
    }

    /// The next public rooms, and the number of the last that was looked at, where there are more.
    fn fitting(
        &self,
        filter: &str,
        limit: usize,
        after: usize,
    ) -> (Vec<RoomSummary>, Option<usize>) {
        let mut listed: Vec<_> = self.model.places.iter().collect();
        listed.retain(|place| place.listed.is_some_and(|number| number > after));
        listed.sort_by_key(|place| place.listed);
        let mut listed = listed.into_iter();
        let (mut rooms, mut last) = (Vec::new(), None);
        while rooms.len() < limit {
            let Some(place) = listed.next() else {
                return (rooms, None);
            };
            let room = &place.room;
            let mut names = NAMES.iter().filter(|(name, _)| *name == room.name);
            let folded = names.find_map(|(_, folded)| *folded).unwrap();
            if folded.contains(filter) {
                rooms.push(summary(room));
            }
            last = place.listed;
        }
        (rooms, last.filter(|_| listed.next().is_some()))
    }
}

fn summary(room: &Room) -> RoomSummary {
    RoomSummary {
        id: room.id.clone(),
        name: room.name.clone(),
        host: room.host.clone(),
        capacity: room.capacity,
        visibility: room.visibility,
        locked: room.locked,
        has_password: room.has_password,
        meta: room.meta.clone(),
        rev: room.rev,
        players: room.players.len(),
    }
}
