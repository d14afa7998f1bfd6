//! The state, a clock that only the test moves, and what each peer heard.

use std::rc::Rc;
use std::time::{Duration, Instant};

use protocol_core::{PeerId, RoomId};
use rendezvous::events::{
    Capacity, Changed, CreateError, CreateInvite, CreateRoom, DeleteError, DeleteRoom, InviteError,
    JoinError, JoinRoom, KickError, KickPlayer, LeaveError, LeaveReason, LeaveRoom, ListRooms,
    PlayerStatus, Room, RoomList, RoomNews, Secret, SetHost, SetHostError, UpdateError, UpdateRoom,
};
use rendezvous::state::PeerName;
use rendezvous::state::rooms::{
    Appoint, Command, Create, Created, Delete, Invite, Join, Joined, Kick, Leave, List, News,
    PasswordHash, Proof, RoomLimits, Rooms, Update, Updated,
};

/// The way to a peer: a number, new with each login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line(usize);

#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) name: PeerName,
    pub(crate) line: Line,
}

impl Peer {
    pub(crate) fn id(&self) -> &PeerId {
        self.name.id()
    }
}

pub(crate) struct House {
    pub(crate) rooms: Rooms<Line>,
    pub(crate) now: Instant,
    heard: Vec<(Line, Rc<RoomNews>)>,
    lines: usize,
    codes: usize,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with_limits(1_000, 8)
    }

    pub(crate) fn with_limits(rooms: usize, rooms_a_peer: usize) -> Self {
        Self {
            rooms: Rooms::new(RoomLimits {
                rooms,
                rooms_a_peer,
            }),
            now: Instant::now(),
            heard: Vec::new(),
            lines: 0,
            codes: 0,
        }
    }

    /// Somebody logs in.
    pub(crate) fn peer(&mut self, id: &str) -> Peer {
        self.lines += 1;
        Peer {
            name: PeerName::new(id).unwrap(),
            line: Line(self.lines),
        }
    }

    pub(crate) fn peers<const N: usize>(&mut self, ids: [&str; N]) -> [Peer; N] {
        ids.map(|id| self.peer(id))
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    pub(crate) fn apply<C: Command>(
        &mut self,
        peer: &Peer,
        command: C,
    ) -> Result<C::Reply, C::Error> {
        let mut news = Vec::new();
        let Peer { name, line } = peer;
        let result = self.rooms.apply(command, name, line, self.now, &mut news);
        self.deliver(news);
        result
    }

    /// The session of a peer ends.
    pub(crate) fn vanish(&mut self, peer: &Peer, reason: LeaveReason) {
        let mut news = Vec::new();
        self.rooms.leave_all(peer.id(), reason, &mut news);
        self.deliver(news);
    }

    /// The link of a peer is lost, or stands again.
    pub(crate) fn set_status(&mut self, peer: &Peer, status: PlayerStatus) {
        let mut news = Vec::new();
        self.rooms.set_status(peer.id(), status, &mut news);
        self.deliver(news);
    }

    pub(crate) fn end_all(&mut self, reason: LeaveReason) {
        let mut news = Vec::new();
        self.rooms.end_all(reason, &mut news);
        self.deliver(news);
    }

    /// What a peer has heard since it was last asked.
    pub(crate) fn heard(&mut self, peer: &Peer) -> Vec<RoomNews> {
        let mine = self.heard.extract_if(.., |(line, _)| *line == peer.line);
        mine.map(|(_, event)| (*event).clone()).collect()
    }

    pub(crate) fn all_heard(&mut self) -> Vec<(Line, Rc<RoomNews>)> {
        std::mem::take(&mut self.heard)
    }

    pub(crate) fn forget_news(&mut self) {
        self.heard.clear();
    }

    #[track_caller]
    pub(crate) fn assert_silent(&self) {
        assert!(self.heard.is_empty(), "{:?}", self.heard);
    }

    #[track_caller]
    pub(crate) fn view(&self, room: &RoomId) -> Room {
        self.rooms.view(room).expect("the room is there")
    }

    /// Runs what is to be refused, and sees that nothing is changed or heard by that. The state's
    /// `Debug` shows what no view does, such as bans and invites.
    #[track_caller]
    pub(crate) fn refusal<T, E>(&mut self, attempt: impl FnOnce(&mut Self) -> Result<T, E>) -> E {
        self.forget_news();
        let before = format!("{:?}", self.rooms);
        let Err(error) = attempt(self) else {
            panic!("it was not refused");
        };
        assert_eq!(format!("{:?}", self.rooms), before);
        self.assert_silent();
        error
    }

    /// A text that was none before.
    pub(crate) fn code(&mut self, mark: &str) -> String {
        self.codes += 1;
        format!("{mark}{}", self.codes)
    }

    /// Makes a room as a server does it: a password is hashed in between.
    pub(crate) fn create(&mut self, by: &Peer, request: CreateRoom) -> Result<Room, CreateError> {
        let given = request.password.clone();
        let mut create = Create {
            id: RoomId::new(self.code("room-")).unwrap(),
            request,
            password: None,
        };
        loop {
            match self.apply(by, create.clone())? {
                Created::Is(room) => return Ok(room),
                Created::Hash => create.password = self.hash(given.as_ref()),
            }
        }
    }

    /// A public room without anything special.
    pub(crate) fn lobby(&mut self, host: &Peer) -> RoomId {
        self.create(host, CreateRoom::new("lobby")).unwrap().id
    }

    pub(crate) fn lobby_of(&mut self, host: &Peer, seats: usize) -> RoomId {
        let request = CreateRoom {
            capacity: Capacity::new(seats),
            ..CreateRoom::new("lobby")
        };
        self.create(host, request).unwrap().id
    }

    /// Joins as a server does it: a password is compared in between.
    pub(crate) fn join(&mut self, by: &Peer, request: JoinRoom) -> Result<Room, JoinError> {
        let given = request.password.clone();
        let mut join = Join {
            request,
            proof: None,
        };
        loop {
            match self.apply(by, join.clone())? {
                Joined::In(room) => return Ok(room),
                Joined::Prove(hash) => {
                    let matches = matches(given.as_ref(), &hash);
                    join.proof = Some(Proof { hash, matches });
                }
            }
        }
    }

    pub(crate) fn enter(&mut self, by: &Peer, room: &RoomId) -> Result<Room, JoinError> {
        self.join(by, JoinRoom::new(room.clone()))
    }

    pub(crate) fn leave(&mut self, by: &Peer, room: &RoomId) -> Result<Changed, LeaveError> {
        let room = room.clone();
        self.apply(by, Leave(LeaveRoom { room }))
    }

    pub(crate) fn delete(&mut self, by: &Peer, room: &RoomId) -> Result<Changed, DeleteError> {
        let room = room.clone();
        self.apply(by, Delete(DeleteRoom { room }))
    }

    pub(crate) fn kick(
        &mut self,
        by: &Peer,
        room: &RoomId,
        player: &Peer,
        ban: Option<Duration>,
    ) -> Result<Changed, KickError> {
        let request = KickPlayer {
            room: room.clone(),
            player: player.id().clone(),
            ban_ms: ban.map(|ban| u64::try_from(ban.as_millis()).unwrap()),
            message: None,
        };
        self.apply(by, Kick(request))
    }

    pub(crate) fn appoint(
        &mut self,
        by: &Peer,
        room: &RoomId,
        player: &Peer,
    ) -> Result<Changed, SetHostError> {
        let (room, player) = (room.clone(), player.id().clone());
        self.apply(by, Appoint(SetHost { room, player }))
    }

    /// Changes a room as a server does it: a password is hashed in between.
    pub(crate) fn update(&mut self, by: &Peer, request: UpdateRoom) -> Result<Room, UpdateError> {
        let given = request.password.clone();
        let mut update = Update {
            request,
            password: None,
        };
        loop {
            match self.apply(by, update.clone())? {
                Updated::Is(room) => return Ok(room),
                Updated::Hash => update.password = self.hash(given.as_ref()),
            }
        }
    }

    pub(crate) fn invite(
        &mut self,
        by: &Peer,
        room: &RoomId,
        ttl: Option<Duration>,
        uses: Option<u32>,
    ) -> Result<Secret, InviteError> {
        let request = CreateInvite {
            room: room.clone(),
            ttl_ms: ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap().try_into().unwrap()),
            uses: uses.map(|uses| uses.try_into().unwrap()),
        };
        let code = Secret::new(self.code("invite-"));
        let invited = self.apply(by, Invite { code, request })?;
        Ok(invited.invite)
    }

    pub(crate) fn list(&self, request: &ListRooms) -> RoomList {
        self.rooms.list(&List::new(request))
    }

    /// What stands for a password's hash: salted, so that no two are equal. An empty one has none.
    pub(crate) fn hash(&mut self, password: Option<&Secret>) -> Option<PasswordHash> {
        let password = password.filter(|password| !password.expose().is_empty())?;
        let salt = self.code("$");
        Some(PasswordHash::new(&format!("{}{salt}", password.expose())))
    }

    fn deliver(&mut self, news: Vec<News<Line>>) {
        for News { to, event } in news {
            let event = Rc::new(event);
            let heard = to.into_iter().map(|line| (line, Rc::clone(&event)));
            self.heard.extend(heard);
        }
    }
}

/// Whether a password is the one of a [`House::hash`].
pub(crate) fn matches(password: Option<&Secret>, hash: &PasswordHash) -> bool {
    let (hashed, _) = hash.as_str().rsplit_once('$').unwrap();
    password.is_some_and(|password| password.expose() == hashed)
}

/// The room and the revision that news are of.
pub(crate) fn place_of(news: &RoomNews) -> (&RoomId, u64) {
    match news {
        RoomNews::SelfJoined(joined) => (&joined.id, joined.rev),
        RoomNews::SelfLeft(left) => (&left.room, left.rev),
        RoomNews::PlayerJoined(joined) => (&joined.room, joined.rev),
        RoomNews::PlayerLeft(left) => (&left.room, left.rev),
        RoomNews::PlayerUpdated(updated) => (&updated.room, updated.rev),
        RoomNews::HostChanged(changed) => (&changed.room, changed.rev),
        RoomNews::RoomUpdated(updated) => (&updated.0.id, updated.0.rev),
    }
}

#[track_caller]
pub(crate) fn assert_news(heard: &[RoomNews], expected: &[RoomNews]) {
    let same = heard.len() == expected.len() && heard.iter().zip(expected).all(is_same);
    assert!(same, "heard: {heard:#?}\nexpected: {expected:#?}");
}

fn is_same((one, other): (&RoomNews, &RoomNews)) -> bool {
    match (one, other) {
        (RoomNews::SelfJoined(one), RoomNews::SelfJoined(other)) => one == other,
        (RoomNews::SelfLeft(one), RoomNews::SelfLeft(other)) => one == other,
        (RoomNews::PlayerJoined(one), RoomNews::PlayerJoined(other)) => one == other,
        (RoomNews::PlayerLeft(one), RoomNews::PlayerLeft(other)) => one == other,
        (RoomNews::PlayerUpdated(one), RoomNews::PlayerUpdated(other)) => one == other,
        (RoomNews::HostChanged(one), RoomNews::HostChanged(other)) => one == other,
        (RoomNews::RoomUpdated(one), RoomNews::RoomUpdated(other)) => one == other,
        _ => false,
    }
}
