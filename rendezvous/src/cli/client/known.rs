//! What the client has come to know: for completion, and for rooms that are typed by name.
//!
//! Holds names only, so many of them; must not know the link or the terminal.

use std::collections::{BTreeSet, VecDeque};

/// More rooms, peers or events than this are not worth completing.
const MOST: usize = 1_000;

/// Names with more bytes are nobody's.
const LONGEST: usize = 256;

/// Names that have been seen.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Who one is logged in as.
    pub(super) me: Option<String>,
    /// Rooms, the latest last.
    pub(super) rooms: VecDeque<Label>,
    pub(super) peers: BTreeSet<String>,
    pub(super) events: BTreeSet<String>,
}

/// A room as it can be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether one is in it.
    pub(super) inside: bool,
}

impl Known {
    pub(super) fn see_room(&mut self, id: &str, name: &str, inside: bool) {
        if !is_short(id) || !is_short(name) {
            return;
        }
        self.forget_room(id);
        if self.rooms.len() == MOST {
            self.rooms.pop_front();
        }
        self.rooms.push_back(Label {
            id: id.to_owned(),
            name: name.to_owned(),
            inside,
        });
    }

    pub(super) fn forget_room(&mut self, id: &str) {
        self.rooms.retain(|room| room.id != id);
    }

    /// One is no longer in the room; it may be there all the same.
    pub(super) fn leave_room(&mut self, id: &str) {
        for room in self.rooms.iter_mut().filter(|room| room.id == id) {
            room.inside = false;
        }
    }

    /// One is in no room any more.
    pub(super) fn leave_all(&mut self) {
        for room in &mut self.rooms {
            room.inside = false;
        }
    }

    pub(super) fn see_peer(&mut self, id: &str) {
        see(&mut self.peers, id);
    }

    pub(super) fn see_event(&mut self, name: &str) {
        see(&mut self.events, name);
    }

    /// Whether something is known of what was typed for a room, or nothing can be: an id.
    pub(super) fn knows(&self, typed: &str) -> bool {
        let fits = |room: &Label| room.name == typed || room.id.starts_with(typed);
        is_room_id(typed) || self.rooms.iter().any(fits)
    }

    /// Only `listed` rooms are public now: others are gone, but for those that one is in.
    pub(super) fn keep_rooms(&mut self, listed: &[&str]) {
        self.rooms
            .retain(|room| room.inside || listed.contains(&&*room.id));
    }

    /// The id of the room that was typed by its id, the start of it, or its name. What nothing is
    /// known of may be an id all the same: the server will say.
    ///
    /// # Errors
    ///
    /// Where several rooms are meant.
    pub(super) fn room<'a>(&'a self, typed: &'a str) -> Result<&'a str, String> {
        if is_room_id(typed) || self.rooms.iter().any(|room| room.id == typed) {
            return Ok(typed);
        }
        let named = |room: &&Label| room.name == typed;
        let inside = |room: &&Label| room.inside && room.name == typed;
        let starts = |room: &&Label| room.id.starts_with(typed);
        let matches: [Vec<&Label>; 3] = [
            self.rooms.iter().filter(inside).collect(),
            self.rooms.iter().filter(named).collect(),
            self.rooms.iter().filter(starts).collect(),
        ];
        match matches.iter().find(|rooms| !rooms.is_empty()) {
            None => Ok(typed),
            Some(rooms) if rooms.len() == 1 => Ok(&rooms[0].id),
            Some(rooms) => Err(format!(
                "`{typed}` may be {} rooms: write more of an id, such as {}",
                rooms.len(),
                rooms[0].id
            )),
        }
    }
}

/// Whether a name is no longer than names are.
pub(super) fn is_short(name: &str) -> bool {
    name.len() <= LONGEST
}

/// Whether a word is written as the server writes ids of rooms: nobody's name is taken for one.
fn is_room_id(typed: &str) -> bool {
    let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z') && !b"ilou".contains(&byte);
    typed.len() == 16 && typed.bytes().all(digit)
}

fn see(names: &mut BTreeSet<String>, name: &str) {
    if names.len() < MOST && is_short(name) && !names.contains(name) {
        names.insert(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_meant_by_its_id_its_start_or_its_name() {
        let mut known = Known::default();
        known.see_room("aa1", "lobby", false);
        known.see_room("ab2", "den", false);
        known.see_room("ab3", "lobby", true);
        for (typed, id) in [
            ("aa1", "aa1"),
            ("aa", "aa1"),
            ("den", "ab2"),
            ("lobby", "ab3"),
            ("ab2", "ab2"),
            ("zz", "zz"),
        ] {
            assert_eq!(known.room(typed), Ok(id), "{typed}");
        }
        known.see_room("ac4", "0123456789abcdez", true);
        assert_eq!(known.room("0123456789abcdez"), Ok("0123456789abcdez"));
        known.see_room("ac5", "0123456789abcdeu", true);
        assert_eq!(known.room("0123456789abcdeu"), Ok("ac5"), "no id has a u");
        let several = known.room("ab").unwrap_err();
        assert!(several.contains("may be 2 rooms"), "{several}");
        known.leave_room("ab3");
        assert!(known.room("lobby").is_err(), "two of that name, in none");
        known.forget_room("aa1");
        assert_eq!(known.room("lobby"), Ok("ab3"));
    }

    #[test]
    fn what_is_known_has_a_bound() {
        let mut known = Known::default();
        for n in 0..=MOST {
            known.see_room(&n.to_string(), "x", false);
            known.see_peer(&n.to_string());
        }
        assert_eq!((known.rooms.len(), known.peers.len()), (MOST, MOST));
        assert_eq!(known.rooms[0].id, "1", "the oldest made room");

        let mut known = Known::default();
        for length in [LONGEST, LONGEST + 1] {
            let name = "x".repeat(length);
            known.see_room("r1", &name, true);
            known.see_peer(&name);
            assert_eq!((known.rooms.len(), known.peers.len()), (1, 1));
        }
    }
}
