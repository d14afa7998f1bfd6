//! State that is kept elsewhere: a directory of one's own that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use protocol_core::{ConnectionId, PeerId, RoomId};
use rendezvous::Config;
use rendezvous::events::{LeaveReason, PlayerStatus, Room, RoomList};
use rendezvous::state::rooms::{Command, List};
use rendezvous::state::{
    Applied, Directory, InMemory, Line, OpenError, PeerName, ResumeError, ResumeToken, Session,
};
use tokio::sync::Semaphore;

/// Keeps what it is told in memory, and takes a permit for each login and each command.
pub(crate) struct Store {
    memory: InMemory,
    pub(crate) logins: Pace,
    pub(crate) commands: Pace,
}

/// How many may be done, and how many have begun.
#[derive(Clone)]
pub(crate) struct Pace {
    may: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
}

impl Pace {
    pub(crate) fn new(permits: usize) -> Self {
        Self {
            may: Arc::new(Semaphore::new(permits)),
            begun: Arc::default(),
        }
    }

    /// Lets so many more be done.
    pub(crate) fn allow(&self, more: usize) {
        self.may.add_permits(more);
    }

    /// Waits until so many have begun. The test's own watch bounds it.
    pub(crate) async fn has_begun(&self, count: usize) {
        while self.begun.load(Ordering::Relaxed) != count {
            tokio::task::yield_now().await;
        }
    }

    async fn take(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.may.acquire().await.unwrap().forget();
    }
}

impl Store {
    pub(crate) fn new(config: &Config, logins: usize, commands: usize) -> Self {
        Self {
            memory: InMemory::new(config.sessions, config.rooms, config.rooms_a_peer),
            logins: Pace::new(logins),
            commands: Pace::new(commands),
        }
    }
}

impl Directory for Store {
    async fn open(&self, session: Session) -> Result<(), OpenError> {
        self.logins.take().await;
        self.memory.open(session).await
    }

    async fn resume(
        &self,
        peer: &PeerName,
        token: &ResumeToken,
        next: ResumeToken,
    ) -> Result<Session, ResumeError> {
        self.logins.take().await;
        self.memory.resume(peer, token, next).await
    }

    fn settle(&self, connection: ConnectionId, token: &ResumeToken) {
        self.memory.settle(connection, token);
    }

    fn session_of(&self, peer: &PeerName) -> Option<Session> {
        self.memory.session_of(peer)
    }

    fn set_status(&self, connection: ConnectionId, status: PlayerStatus) {
        self.memory.set_status(connection, status);
    }

    fn close(&self, connection: ConnectionId, reason: LeaveReason) -> Option<Session> {
        self.memory.close(connection, reason)
    }

    fn sessions(&self) -> usize {
        self.memory.sessions()
    }

    async fn apply<C: Command>(&self, command: C, line: &Line, now: Instant) -> Applied<C> {
        self.commands.take().await;
        self.memory.apply(command, line, now).await
    }

    async fn list(&self, list: &List) -> RoomList {
        self.memory.list(list).await
    }

    fn end_rooms(&self) {
        self.memory.end_rooms();
    }

    fn rooms(&self) -> usize {
        self.memory.rooms()
    }

    fn room(&self, room: &str) -> Option<Room> {
        self.memory.room(room)
    }

    fn rooms_of(&self, peer: &str) -> Vec<RoomId> {
        self.memory.rooms_of(peer)
    }

    fn is_member(&self, room: &str, peer: &str) -> bool {
        self.memory.is_member(room, peer)
    }

    fn host(&self, room: &str) -> Option<PeerId> {
        self.memory.host(room)
    }

    fn share_room(&self, one: &str, other: &str) -> bool {
        self.memory.share_room(one, other)
    }

    fn visit_others(&self, room: &str, peer: &str, visit: &mut dyn FnMut(&Line)) -> bool {
        self.memory.visit_others(room, peer, visit)
    }
}
