//! The peers and what they see, and what must hold after each step.

use std::fmt::{Debug, Write as _};

use protocol_core::{PeerId, RoomId};
use rendezvous::MyRooms;
use rendezvous::events::{Cursor, LeaveReason, Room, RoomNews, Secret};
use rendezvous::state::rooms::{Create, Join, Update};

use super::laws::{Cause, assert_sound, heard_by, is_in, player_of};
use super::model::Model;
use super::random::Random;
use crate::house::{House, Line, Peer, assert_news, place_of};

/// Each peer under two names that count as the same.
const PEERS: [[&str; 2]; 7] = [
    ["alice", "Alice"],
    ["bob", "BOB"],
    ["carol", "ｃａｒｏｌ"],
    ["alice 2", "ALICE 2"],
    ["bob 2", "Bob 2"],
    ["carol 2", "carol\u{200B} 2"],
    ["straße", "STRASSE"],
];

pub(super) struct World<'a> {
    pub(super) random: Random,
    pub(super) house: House,
    pub(super) model: Model,
    pub(super) now: u64,
    pub(super) clients: Vec<Client>,
    /// All that there ever were.
    pub(super) ids: Vec<RoomId>,
    pub(super) codes: Vec<(RoomId, Secret)>,
    /// With the number of the last room that was looked at.
    pub(super) cursors: Vec<(Cursor, usize)>,
    /// What is to be asked once more.
    pub(super) half_done: Vec<(Line, HalfDone)>,
    trace: &'a mut String,
    /// All rooms as they were after the last step.
    truth: Vec<Room>,
}

/// A command whose password has been compared or hashed.
pub(super) enum HalfDone {
    Create(Create),
    Join(Join),
    Update(Update),
}

pub(super) struct Client {
    pub(super) names: [&'static str; 2],
    pub(super) peer: Option<Peer>,
    /// Its link is lost.
    pub(super) is_away: bool,
    /// What it will hear when its link stands again.
    held: Vec<RoomNews>,
    picture: MyRooms,
}

impl<'a> World<'a> {
    pub(super) fn new(seed: u64, trace: &'a mut String) -> Self {
        let mut random = Random(seed);
        let (rooms, rooms_a_peer) = (1 + random.upto(6), 1 + random.upto(3));
        let mut house = House::with_limits(rooms, rooms_a_peer);
        let count = 2 + random.upto(PEERS.len() - 2);
        let clients = PEERS[..count].iter().map(|names| Client {
            names: *names,
            peer: Some(house.peer(names[0])),
            is_away: false,
            held: Vec::new(),
            picture: MyRooms::default(),
        });
        let clients = clients.collect();
        let model = Model {
            rooms,
            rooms_a_peer,
            ..Model::default()
        };
        Self {
            random,
            house,
            model,
            now: 0,
            clients,
            ids: Vec::new(),
            codes: Vec::new(),
            cursors: Vec::new(),
            half_done: Vec::new(),
            trace,
            truth: Vec::new(),
        }
    }

    /// All go, and nothing is left of them and their rooms.
    pub(super) fn close(mut self) {
        if let Some(room) = self.truth.first() {
            // So this shows what is kept of a room.
            assert!(self.kept().contains(&format!("{:?}", room.id)));
        }
        for who in 0..self.clients.len() {
            if self.clients[who].peer.is_some() {
                self.vanish(who, LeaveReason::GraceExpired);
            }
        }
        assert!(self.house.rooms.is_empty());
        let kept = self.kept();
        for id in &self.ids {
            assert!(!kept.contains(&format!("{id:?}")), "of {id}: {kept}");
        }
        for name in self.clients.iter().flat_map(|client| client.names) {
            let id = PeerId::new(name).unwrap();
            assert!(!kept.contains(&format!("{id:?}")), "of {id}: {kept}");
        }
    }

    fn kept(&self) -> String {
        format!("{:?}", self.house.rooms)
    }

    pub(super) fn log_in(&mut self, who: usize) {
        let name = self.random.pick(&self.clients[who].names);
        let peer = self.house.peer(name);
        self.note(&format!("{name} is {:?}", peer.line));
        self.clients[who].peer = Some(peer);
    }

    pub(super) fn vanish(&mut self, who: usize, reason: LeaveReason) {
        let peer = self.clients[who].peer.clone().unwrap();
        self.note(&format!("{} vanishes: {reason:?}", peer.id()));
        self.house.vanish(&peer, reason);
        self.model.vanish(peer.id());
        let peer = peer.id().clone();
        // Nobody hears what is held still, but it has to fit up to the end.
        self.clients[who].is_away = false;
        self.check(false, &Cause::Left { peer, reason });
        let client = &mut self.clients[who];
        assert_eq!(client.picture, MyRooms::default());
        client.peer = None;
    }

    pub(super) fn note(&mut self, text: &str) {
        writeln!(self.trace, "{} {text}", self.now).unwrap();
    }

    /// Compares an answer with what the rules say, and then all that can be seen.
    pub(super) fn told<T: Debug + PartialEq, E: Debug + PartialEq>(
        &mut self,
        by: &Peer,
        asked: &dyn Debug,
        (actual, expected): (Result<T, E>, Result<T, E>),
        (command, cause): (&str, Cause),
    ) {
        let id = by.id();
        self.note(&format!("{id} {asked:?}: {command} {actual:?}"));
        assert_eq!(actual, expected);
        self.check(actual.is_err(), &cause);
    }

    pub(super) fn check(&mut self, refused: bool, cause: &Cause) {
        let heard = self.house.all_heard();
        for (line, event) in &heard {
            self.note(&format!("    {line:?} hears {event:?}"));
        }
        let places = self.model.places.iter();
        let after: Vec<_> = places.map(|place| place.room.clone()).collect();
        let before = std::mem::replace(&mut self.truth, after);
        if refused {
            assert!(heard.is_empty(), "news of what was refused: {heard:?}");
            assert_eq!(self.truth, before, "changed by what was refused");
        }
        self.check_rooms(&before);
        let changes: Vec<_> = changes(&before, &self.truth).collect();
        let mut expected = 0;
        for client in &mut self.clients {
            let Some(peer) = &client.peer else { continue };
            let mine = heard.iter().filter(|(line, _)| *line == peer.line);
            let mine: Vec<&RoomNews> = mine.map(|(_, event)| &**event).collect();
            for (before, after) in &changes {
                let id = &before.or(*after).unwrap().id;
                let of_room = mine.iter().filter(|event| place_of(event).0 == id);
                let of_room: Vec<_> = of_room.copied().cloned().collect();
                let fitting = heard_by(peer.id(), *before, *after, cause);
                assert_news(&of_room, &fitting);
                let rev = before.map_or(1, |before| before.rev + 1);
                assert!(of_room.iter().all(|event| place_of(event).1 == rev));
                expected += fitting.len();
            }
            client.held.extend(mine.into_iter().cloned());
            let heard = if client.is_away { 0 } else { client.held.len() };
            for event in &client.held.drain(..heard).collect::<Vec<_>>() {
                assert_ne!(player_of(event), Some(peer.id()), "about itself");
                let fits = client.picture.hear(event);
                fits.unwrap_or_else(|error| panic!("{}: {error}: {event:?}", peer.id()));
            }
        }
        assert_eq!(heard.len(), expected, "news for nobody, or of nothing");
        for client in &self.clients {
            self.check_client(client);
        }
    }

    /// The state holds what the rules say, and no more.
    fn check_rooms(&self, before: &[Room]) {
        let rooms = &self.house.rooms;
        for room in &self.truth {
            assert_eq!(rooms.view(&room.id).as_ref(), Some(room));
            assert_eq!(rooms.host(&room.id), Some(&room.host));
            assert_sound(room);
        }
        assert_eq!(rooms.len(), self.truth.len());
        assert!(rooms.len() <= self.model.rooms);
        for (before, after) in changes(before, &self.truth) {
            match (before, after) {
                (None, Some(after)) => assert_eq!(after.rev, 1),
                (Some(before), Some(after)) => assert_eq!(after.rev, before.rev + 1),
                (Some(before), None) => {
                    assert_eq!(rooms.view(&before.id), None);
                    assert_eq!(rooms.host(&before.id), None);
                }
                (None, None) => unreachable!(),
            }
        }
    }

    /// A peer's picture is the truth, and so are the answers about it.
    fn check_client(&self, client: &Client) {
        let rooms = &self.house.rooms;
        let Some(peer) = &client.peer else {
            for name in client.names {
                assert!(rooms.of_peer(name).is_empty());
            }
            return;
        };
        let me = peer.id();
        assert!(rooms.of_peer(me).len() <= self.model.rooms_a_peer);
        if !client.is_away {
            let pictures: Vec<_> = client.picture.iter().map(|room| room.id.clone()).collect();
            assert_eq!(rooms.of_peer(me), pictures, "the rooms of {me}, in order");
        }
        for room in &self.truth {
            let mine = is_in(room, me).then_some(room);
            if !client.is_away {
                assert_eq!(client.picture.get(&room.id), mine, "what {me} sees");
            }
            assert_eq!(rooms.is_member(&room.id, me), mine.is_some());
            let others = rooms.others(&room.id, me);
            let others = others.map(|others| others.copied().collect::<Vec<_>>());
            assert_eq!(others, mine.map(|room| self.lines_but(room, me)));
        }
    }

    fn lines_but(&self, room: &Room, peer: &PeerId) -> Vec<Line> {
        let others = room.players.iter().filter(|player| player.id != *peer);
        let others = others.map(|player| {
            let mut peers = self.clients.iter().filter_map(|c| c.peer.as_ref());
            peers.find(|peer| *peer.id() == player.id).unwrap().line
        });
        others.collect()
    }
}

/// The rooms that are not what they were.
fn changes<'a>(
    before: &'a [Room],
    after: &'a [Room],
) -> impl Iterator<Item = (Option<&'a Room>, Option<&'a Room>)> {
    let of = |rooms: &'a [Room], id: &RoomId| rooms.iter().find(|room| room.id == *id);
    let gone_or_changed = before
        .iter()
        .map(move |room| (Some(room), of(after, &room.id)));
    let new = after
        .iter()
        .filter(move |room| of(before, &room.id).is_none());
    let new = new.map(|room| (None, Some(room)));
    gone_or_changed
        .chain(new)
        .filter(|(before, after)| before != after)
}
