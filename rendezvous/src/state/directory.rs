//! The seam behind which the state lives: in memory today, in a store of many servers later.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use protocol_core::{ConnectionId, Encoded, Outlet, PeerId, Put, RoomId, SendError};

use super::rooms::{Command, List, News, RoomLimits, Rooms};
use super::{OpenError, PeerName, ResumeError, ResumeToken, Session, Sessions};
use crate::events::{LeaveReason, PlayerStatus, Room, RoomList, RoomNews};

/// The way to a member of rooms.
pub type Line = Outlet<RoomNews>;

/// What a command came to.
#[derive(Debug)]
pub struct Applied<C: Command> {
    /// What the peer gets.
    pub result: Result<C::Reply, C::Error>,
    /// How many deliveries it caused: one for each that hears of it, more where that is long.
    pub deliveries: usize,
    /// Whether some member's queue is fuller than that of one who keeps up: others should get a turn
    /// before this peer's next command.
    pub crowded: bool,
}

/// Where sessions and rooms are kept.
///
/// Opening, resuming and commanding may take time, since a store of many servers has to agree. What
/// is read is this server's own copy, and reading does not wait. Nor do [`settle`](Self::settle),
/// [`set_status`](Self::set_status) and [`close`](Self::close): they tell what has happened to a link,
/// and such a store passes them on by itself, those of one connection in their order.
///
/// A session is closed only after [`open`](Self::open) has returned, and then once. The future of
/// `open` may be dropped before that, when it takes too long or the server stops; then no session
/// may be left. That of [`resume`](Self::resume) may be dropped too; then the token that it was given
/// still resumes the session, whether or not another one does by then.
///
/// Tokens are kept as digests, so a store never sees what a client proves itself by.
///
/// News are put into the members' lines in the order of the changes, before anybody can see a change
/// in another way, and those for a peer itself before its command returns (`PROTOCOL.md` §10).
pub trait Directory: Send + Sync + 'static {
    /// Opens a session, if its name is free.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    fn open(&self, session: Session) -> impl Future<Output = Result<(), OpenError>> + Send;

    /// Goes on with the session of a peer, or of one whose name looks the same, on a link that proved
    /// itself by `token`, and returns it as it is now. It has `next` for its token; `token` holds beside
    /// that until [`settle`](Self::settle), so that an answer that is lost with its link costs nothing.
    /// No third one does.
    ///
    /// Its rooms know nothing of that yet, see [`set_status`](Self::set_status).
    ///
    /// # Errors
    ///
    /// See [`ResumeError`]; then nothing has changed. A session whose link is kept by another server
    /// is none that this one can resume.
    fn resume(
        &self,
        peer: &PeerName,
        token: &ResumeToken,
        next: ResumeToken,
    ) -> impl Future<Output = Result<Session, ResumeError>> + Send;

    /// A frame has come from the link that was given `token` by [`resume`](Self::resume), so the token
    /// before that holds no more. Changes nothing where the session has gone on to yet another link.
    fn settle(&self, connection: ConnectionId, token: &ResumeToken);

    /// The session of a peer, or of one whose name looks the same, on this server. Whether that still
    /// holds when a login gets as far as [`open`](Self::open) is judged there.
    fn session_of(&self, peer: &PeerName) -> Option<Session>;

    /// Says how the link of a connection's session is: its peer's rooms show it from now on, those too
    /// that it comes to be in later. Where that is news, other members hear `player_updated`; a peer
    /// that is online again hears `self_joined` of each room, since it has missed its own changes.
    fn set_status(&self, connection: ConnectionId, status: PlayerStatus);

    /// Ends the session of a connection and returns it, if there was one. Its peer leaves all rooms,
    /// for `reason`, whether or not its link stands.
    fn close(&self, connection: ConnectionId, reason: LeaveReason) -> Option<Session>;

    /// How many sessions there are.
    fn sessions(&self) -> usize;

    /// Does what the peer at the other end of `line` commands.
    fn apply<C: Command>(
        &self,
        command: C,
        line: &Line,
        now: Instant,
    ) -> impl Future<Output = Applied<C>> + Send;

    /// Lists public rooms.
    fn list(&self, list: &List) -> impl Future<Output = RoomList> + Send;

    /// Ends all rooms, since the server stops; from now on none are made or joined.
    fn end_rooms(&self);

    /// How many rooms there are.
    fn rooms(&self) -> usize;

    /// A room as its members see it.
    fn room(&self, room: &str) -> Option<Room>;

    /// The rooms that a peer is in, in the order in which it joined them.
    fn rooms_of(&self, peer: &str) -> Vec<RoomId>;

    /// Whether a peer is in a room.
    fn is_member(&self, room: &str, peer: &str) -> bool;

    /// The host of a room.
    fn host(&self, room: &str) -> Option<PeerId>;

    /// Whether two peers are in one room.
    fn share_room(&self, one: &str, other: &str) -> bool;

    /// Calls `visit` with the lines of all members of a room but `peer`, while nothing changes.
    /// Returns `false` where `peer` is no member.
    fn visit_others(&self, room: &str, peer: &str, visit: &mut dyn FnMut(&Line)) -> bool;
}

/// Keeps everything in this process.
#[derive(Debug)]
pub struct InMemory {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    sessions: Sessions,
    rooms: Rooms<Line>,
}

impl InMemory {
    /// Nobody is here yet. At most `sessions` will be, in at most `rooms` rooms, each peer in at
    /// most `rooms_a_peer`.
    pub fn new(sessions: usize, rooms: usize, rooms_a_peer: usize) -> Self {
        let limits = RoomLimits {
            rooms,
            rooms_a_peer,
        };
        Self {
            state: RwLock::new(State {
                sessions: Sessions::new(sessions),
                rooms: Rooms::new(limits),
            }),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for InMemory {
    async fn open(&self, session: Session) -> Result<(), OpenError> {
        self.write().sessions.open(session)
    }

    async fn resume(
        &self,
        peer: &PeerName,
        token: &ResumeToken,
        next: ResumeToken,
    ) -> Result<Session, ResumeError> {
        self.write().sessions.resume(peer, token, next)
    }

    fn settle(&self, connection: ConnectionId, token: &ResumeToken) {
        self.write().sessions.settle(connection, token);
    }

    fn session_of(&self, peer: &PeerName) -> Option<Session> {
        self.read().sessions.of_peer(peer).cloned()
    }

    fn set_status(&self, connection: ConnectionId, status: PlayerStatus) {
        let mut state = self.write();
        let State { sessions, rooms } = &mut *state;
        let Some(session) = sessions.of_connection(connection) else {
            return;
        };
        let mut news = Vec::new();
        rooms.set_status(session.peer.id(), status, &mut news);
        deliver(&news);
    }

    fn close(&self, connection: ConnectionId, reason: LeaveReason) -> Option<Session> {
        let mut state = self.write();
        let session = state.sessions.close(connection)?;
        let mut news = Vec::new();
        state.rooms.leave_all(session.peer.id(), reason, &mut news);
        deliver(&news);
        Some(session)
    }

    fn sessions(&self) -> usize {
        self.read().sessions.len()
    }

    async fn apply<C: Command>(&self, command: C, line: &Line, now: Instant) -> Applied<C> {
        let mut state = self.write();
        let State { sessions, rooms } = &mut *state;
        let Some(session) = sessions.of_connection(line.connection()) else {
            return Applied {
                result: Err(C::session_over()),
                deliveries: 0,
                crowded: false,
            };
        };
        let mut news = Vec::new();
        let result = rooms.apply(command, &session.peer, line, now, &mut news);
        let (deliveries, crowded) = deliver(&news);
        Applied {
            result,
            deliveries,
            crowded,
        }
    }

    async fn list(&self, list: &List) -> RoomList {
        self.read().rooms.list(list)
    }

    fn end_rooms(&self) {
        let mut state = self.write();
        let mut news = Vec::new();
        state.rooms.end_all(LeaveReason::Shutdown, &mut news);
        deliver(&news);
    }

    fn rooms(&self) -> usize {
        self.read().rooms.len()
    }

    fn room(&self, room: &str) -> Option<Room> {
        self.read().rooms.view(room)
    }

    fn rooms_of(&self, peer: &str) -> Vec<RoomId> {
        self.read().rooms.of_peer(peer).to_vec()
    }

    fn is_member(&self, room: &str, peer: &str) -> bool {
        self.read().rooms.is_member(room, peer)
    }

    fn host(&self, room: &str) -> Option<PeerId> {
        self.read().rooms.host(room).cloned()
    }

    fn share_room(&self, one: &str, other: &str) -> bool {
        self.read().rooms.share_room(one, other)
    }

    fn visit_others(&self, room: &str, peer: &str, visit: &mut dyn FnMut(&Line)) -> bool {
        let state = self.read();
        let Some(others) = state.rooms.others(room, peer) else {
            return false;
        };
        others.for_each(visit);
        true
    }
}

/// Puts news into the members' lines, while the state is locked, so that they keep their order. A
/// member that has no room for them is out of step, so its link breaks off. Returns how many
/// deliveries that makes, and whether some queue is crowded.
fn deliver(news: &[News<Line>]) -> (usize, bool) {
    let (mut deliveries, mut crowded) = (0, false);
    for News { to, event } in news {
        match encode(event) {
            Ok(frame) => {
                deliveries += to.len() * frame.deliveries();
                for line in to {
                    crowded |= line.put(&frame) == Put::Crowded;
                }
            }
            Err(error) => {
                tracing::error!(%error, "news of a room cannot be encoded");
                to.iter().for_each(Line::break_off);
            }
        }
    }
    (deliveries, crowded)
}

fn encode(event: &RoomNews) -> Result<Encoded<RoomNews>, SendError> {
    match event {
        RoomNews::SelfJoined(event) => Encoded::new(event),
        RoomNews::SelfLeft(event) => Encoded::new(event),
        RoomNews::PlayerJoined(event) => Encoded::new(event),
        RoomNews::PlayerLeft(event) => Encoded::new(event),
        RoomNews::PlayerUpdated(event) => Encoded::new(event),
        RoomNews::HostChanged(event) => Encoded::new(event),
        RoomNews::RoomUpdated(event) => Encoded::new(event),
    }
}
