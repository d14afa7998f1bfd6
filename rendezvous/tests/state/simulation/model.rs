//! The rules once more, as short as they can be said: who may do what, and what a room is then.
//! News are none of its business.

use protocol_core::{PeerId, RoomId};
use rendezvous::events::{
    CreateError, CreateRoom, JoinError, JoinRoom, KickError, KickPlayer, LeaveError, OnHostLeave,
    Player, PlayerStatus, Room, Secret, SetHostError, UpdateError, UpdateRoom, Visibility,
};
use rendezvous::state::{Name, PeerName};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A room, and what nobody sees of it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) room: Room,
    /// Its place in the order in which rooms became public, where it is.
    pub(super) listed: Option<usize>,
    /// With a salt, so that setting the same one again is another.
    password: Option<String>,
    closes: bool,
    nonce: Option<(PeerId, String)>,
    /// The last entry of the one who made it, among all entries.
    entry: usize,
    /// Keys, and until when.
    bans: Vec<(String, u64)>,
    tickets: Vec<Ticket>,
}

#[derive(Debug)]
struct Ticket {
    code: String,
    until: u64,
    uses: Option<u32>,
}

impl Ticket {
    fn holds(&self, now: u64) -> bool {
        now < self.until && self.uses != Some(0)
    }
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) rooms: usize,
    pub(super) rooms_a_peer: usize,
    pub(super) closed: bool,
    pub(super) listed: usize,
    pub(super) entries: usize,
    pub(super) places: Vec<Place>,
    /// Whose link is lost.
    pub(super) away: Vec<PeerId>,
}

/// What was asked for, or that a password has to be compared with this hash first.
#[derive(Debug, PartialEq)]
pub(super) enum Entered {
    In(Room),
    Prove(String),
}

impl Model {
    /// None where the password has to be hashed first.
    pub(super) fn create(
        &mut self,
        me: &PeerName,
        id: &RoomId,
        request: &CreateRoom,
        password: Option<String>,
    ) -> Result<Option<Room>, CreateError> {
        let rule = Name::new(&request.name).err().map(|rule| rule.to_string());
        if let Some(rule) = rule {
            return Err(CreateError::NameInvalid { rule });
        }
        if let Some(bytes) = request.nonce.as_ref().map(String::len)
            && bytes > 64
        {
            return Err(CreateError::NonceTooLong { bytes });
        }
        let nonce = request.nonce.clone().map(|nonce| (me.id().clone(), nonce));
        let mine = self.places.iter().filter(|place| place.has(me.id()));
        let same = mine.filter(|place| nonce.is_some() && place.nonce == nonce);
        // There are several where it has left one and come back.
        if let Some(place) = same.min_by_key(|place| place.entry) {
            return Ok(Some(place.room.clone()));
        }
        if self.closed {
            return Err(CreateError::SessionOver);
        }
        let (mine, max) = (self.count_of(me.id()), self.rooms_a_peer);
        if mine >= max {
            return Err(CreateError::TooManyRooms { max });
        }
        if self.places.len() >= self.rooms {
            return Err(CreateError::ServerFull { max: self.rooms });
        }
        if is_given(request.password.as_ref()) && password.is_none() {
            return Ok(None);
        }
        let room = Room {
            id: id.clone(),
            name: request.name.clone(),
            host: me.id().clone(),
            capacity: request.capacity.unwrap_or_default(),
            visibility: request.visibility.unwrap_or(Visibility::Public),
            locked: false,
            has_password: password.is_some(),
            meta: request.meta.clone().unwrap_or_default(),
            rev: 0,
            players: Vec::new(),
        };
        self.places.push(Place {
            room,
            listed: None,
            password,
            closes: request.on_host_leave == Some(OnHostLeave::Close),
            nonce,
            entry: 0,
            bans: Vec::new(),
            tickets: Vec::new(),
        });
        self.entries += 1;
        let status = self.status_of(me.id());
        let place = self.places.last_mut().unwrap();
        let room = place.seat(me.id(), status, self.entries);
        self.list_or_hide();
        Ok(Some(room))
    }

    /// `proof` is the hash that the password was compared with, and whether it is the same.
    pub(super) fn join(
        &mut self,
        me: &PeerName,
        now: u64,
        request: &JoinRoom,
        proof: Option<(&str, bool)>,
    ) -> Result<Entered, JoinError> {
        let (mine, status) = (self.count_of(me.id()), self.status_of(me.id()));
        self.entries += 1;
        let code = request.invite.as_ref().map(|code| code.expose().to_owned());
        let place = self.places.iter_mut().find(|place| {
            let has = |code: &String| place.tickets.iter().any(|ticket| ticket.code == *code);
            let id = request.room.as_ref();
            id.map_or(code.is_some(), |id| *id == place.room.id) && code.as_ref().is_none_or(has)
        });
        let place = place.ok_or(JoinError::RoomNotFound)?;
        if place.has(me.id()) {
            return Ok(Entered::In(place.room.clone()));
        }
        let mut tickets = place.tickets.iter_mut();
        let ticket = tickets.find(|ticket| Some(&ticket.code) == code.as_ref());
        let may = match &ticket {
            Some(ticket) => ticket.holds(now),
            None => place.room.visibility != Visibility::Private,
        };
        let ban = place.bans.iter().find(|(key, _)| key == me.key());
        let ban = ban.and_then(|(_, until)| until.checked_sub(now));
        let seats = place.room.capacity.seats();
        let is_given = is_given(request.password.as_ref());
        match (ban, &place.password, proof) {
            _ if !may => Err(JoinError::RoomNotFound),
            (Some(for_ms @ 1..), ..) => Err(JoinError::Banned { for_ms }),
            _ if place.room.locked => Err(JoinError::RoomLocked),
            (_, Some(_), _) if !is_given => Err(JoinError::BadPassword),
            (_, Some(hash), Some((with, false))) if hash == with => Err(JoinError::BadPassword),
            (_, Some(hash), None) => Ok(Entered::Prove(hash.clone())),
            (_, Some(hash), Some((with, _))) if hash != with => Ok(Entered::Prove(hash.clone())),
            _ if place.room.players.len() == seats => Err(JoinError::RoomFull { max: seats }),
            _ if mine == self.rooms_a_peer => Err(JoinError::TooManyRooms { max: mine }),
            _ => {
                if let Some(uses) = ticket.and_then(|ticket| ticket.uses.as_mut()) {
                    *uses -= 1;
                }
                Ok(Entered::In(place.seat(me.id(), status, self.entries)))
            }
        }
    }

    pub(super) fn invite(
        &mut self,
        me: &PeerId,
        now: u64,
        (id, code): (&RoomId, &str),
        (ttl, uses): (Option<u64>, Option<u32>),
    ) -> bool {
        let Some(place) = self.place(id).filter(|place| place.room.host == *me) else {
            return false;
        };
        place.tickets.push(Ticket {
            code: code.to_owned(),
            until: now + ttl.unwrap_or(DAY_MS).min(30 * DAY_MS),
            uses,
        });
        true
    }

    pub(super) fn leave(&mut self, me: &PeerId, id: &RoomId) -> Result<u64, LeaveError> {
        let place = self.place(id).filter(|place| place.has(me));
        let rev = place.ok_or(LeaveError::RoomNotFound)?.unseat(me);
        self.sweep();
        Ok(rev)
    }

    pub(super) fn vanish(&mut self, me: &PeerId) {
        self.away.retain(|away| away != me);
        for place in self.places.iter_mut().filter(|place| place.has(me)) {
            place.unseat(me);
        }
        self.sweep();
    }

    pub(super) fn delete(&mut self, me: &PeerId, id: &RoomId) -> Option<u64> {
        let place = self.place(id).filter(|place| place.room.host == *me)?;
        place.room.players.clear();
        place.room.rev += 1;
        let rev = place.room.rev;
        self.sweep();
        Some(rev)
    }

    pub(super) fn end_all(&mut self) {
        self.closed = true;
        self.places.clear();
    }

    pub(super) fn kick(
        &mut self,
        me: &PeerId,
        now: u64,
        request: &KickPlayer,
        key: &str,
    ) -> Result<u64, KickError> {
        let place = self.place(&request.room);
        let place = place.filter(|place| place.room.host == *me);
        let place = place.ok_or(KickError::NotHost)?;
        if request.player == *me {
            return Err(KickError::Yourself);
        }
        if !place.has(&request.player) {
            return Err(KickError::NotMember);
        }
        if let Some(ban) = request.ban_ms {
            place.bans.retain(|(banned, _)| banned != key);
            place
                .bans
                .push((key.to_owned(), now + ban.min(365 * DAY_MS)));
        }
        Ok(place.unseat(&request.player))
    }

    pub(super) fn set_host(
        &mut self,
        me: &PeerId,
        id: &RoomId,
        heir: &PeerId,
    ) -> Result<u64, SetHostError> {
        let place = self.place(id).filter(|place| place.room.host == *me);
        let place = place.ok_or(SetHostError::NotHost)?;
        if !place.has(heir) {
            return Err(SetHostError::NotMember);
        }
        if heir != me {
            place.room.host = heir.clone();
            place.room.rev += 1;
        }
        Ok(place.room.rev)
    }

    /// None where the password has to be hashed first.
    pub(super) fn update(
        &mut self,
        me: &PeerId,
        request: &UpdateRoom,
        password: Option<String>,
    ) -> Result<Option<Room>, UpdateError> {
        let place = self.place(&request.room).filter(|place| place.shows_to(me));
        let place = place.ok_or(UpdateError::RoomNotFound)?;
        let mut room = place.room.clone();
        let rule = request.name.as_ref().and_then(|name| Name::new(name).err());
        if room.host != *me {
            return Err(UpdateError::NotHost);
        }
        if request.if_rev.unwrap_or(room.rev) != room.rev {
            return Err(UpdateError::StaleRev { rev: room.rev });
        }
        if let Some(rule) = rule.map(|rule| rule.to_string()) {
            return Err(UpdateError::NameInvalid { rule });
        }
        room.name = request.name.clone().unwrap_or(room.name);
        room.capacity = request.capacity.unwrap_or(room.capacity);
        room.locked = request.locked.unwrap_or(room.locked);
        room.visibility = request.visibility.unwrap_or(room.visibility);
        room.meta = request.meta.clone().unwrap_or(room.meta);
        let players = room.players.len();
        if room.capacity.seats() < players {
            return Err(UpdateError::CapacityTooLow { players });
        }
        if is_given(request.password.as_ref()) && password.is_none() {
            return Ok(None);
        }
        let has_new_password = password.is_some();
        if request.password.is_some() {
            place.password = password;
        }
        room.has_password = place.password.is_some();
        if room != place.room || has_new_password {
            room.rev += 1;
        }
        place.room = room.clone();
        self.list_or_hide();
        Ok(Some(room))
    }

    pub(super) fn shows(&mut self, id: &RoomId, me: &PeerId) -> bool {
        self.place(id).is_some_and(|place| place.shows_to(me))
    }

    fn place(&mut self, id: &RoomId) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.room.id == *id)
    }

    fn count_of(&self, peer: &PeerId) -> usize {
        self.places.iter().filter(|place| place.has(peer)).count()
    }

    fn list_or_hide(&mut self) {
        for place in &mut self.places {
            let is_public = place.room.visibility == Visibility::Public;
            place.listed = place.listed.filter(|_| is_public);
            if is_public && place.listed.is_none() {
                self.listed += 1;
                place.listed = Some(self.listed);
            }
        }
    }

    /// A room without players is none.
    fn sweep(&mut self) {
        self.places.retain(|place| !place.room.players.is_empty());
    }
}

impl Place {
    pub(super) fn has(&self, peer: &PeerId) -> bool {
        self.room.players.iter().any(|player| player.id == *peer)
    }

    fn shows_to(&self, peer: &PeerId) -> bool {
        self.has(peer) || self.room.visibility != Visibility::Private
    }

    fn seat(&mut self, peer: &PeerId, status: PlayerStatus, entry: usize) -> Room {
        if self
            .nonce
            .as_ref()
            .is_some_and(|(creator, _)| creator == peer)
        {
            self.entry = entry;
        }
        self.room.rev += 1;
        self.room.players.push(Player {
            id: peer.clone(),
            name: None,
            status,
            joined_rev: self.room.rev,
        });
        self.room.clone()
    }

    fn unseat(&mut self, peer: &PeerId) -> u64 {
        self.room.rev += 1;
        self.room.players.retain(|player| player.id != *peer);
        if self.room.host == *peer {
            if self.closes {
                self.room.players.clear();
            }
            let mut players = self.room.players.iter();
            let heir = players.find(|player| player.status == PlayerStatus::Online);
            let heir = heir.or(self.room.players.first());
            self.room.host = heir.map_or(peer, |heir| &heir.id).clone();
        }
        self.room.rev
    }
}

fn is_given(password: Option<&Secret>) -> bool {
    password.is_some_and(|password| !password.expose().is_empty())
}
