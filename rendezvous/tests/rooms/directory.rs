//! State that is kept elsewhere: a directory of one's own that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use protocol_core::{ConnectionId, PeerId, RoomId, Server};
use rendezvous::events::{LeaveReason, Room, RoomList};
use rendezvous::state::rooms::{Command, List};
use rendezvous::state::{Applied, Directory, InMemory, Line, OpenError, Session};
use rendezvous::{Config, Rendezvous};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::bare::{Bare, names};
use crate::log::run;
use crate::world::{World, players};

/// Keeps what it is told in memory, and takes a permit for each command.
struct Store {
    memory: InMemory,
    commands: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
}

impl Directory for Store {
    async fn open(&self, session: Session) -> Result<(), OpenError> {
        self.memory.open(session).await
    }

    fn close(&self, connection: ConnectionId, reason: LeaveReason) -> Option<Session> {
        self.memory.close(connection, reason)
    }

    fn sessions(&self) -> usize {
        self.memory.sessions()
    }

    async fn apply<C: Command>(&self, command: C, line: &Line, now: Instant) -> Applied<C> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.commands.acquire().await.unwrap().forget();
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

struct Open {
    server: Server<World>,
    rendezvous: Rendezvous<Store>,
    commands: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
}

impl Open {
    async fn begun(&self, count: usize) {
        while self.begun.load(Ordering::Relaxed) != count {
            tokio::task::yield_now().await;
        }
    }
}

async fn open(permits: usize) -> Open {
    let config = Config::default();
    let commands = Arc::new(Semaphore::new(permits));
    let begun = Arc::default();
    let store = Store {
        memory: InMemory::new(config.sessions, config.rooms, config.rooms_a_peer),
        commands: Arc::clone(&commands),
        begun: Arc::clone(&begun),
    };
    let rendezvous = Rendezvous::with_directory(config, store);
    let bind = rendezvous.bind::<World>("127.0.0.1:0");
    let server = bind.handle(rendezvous.clone()).await.unwrap();
    Open {
        server,
        rendezvous,
        commands,
        begun,
    }
}

#[test]
fn rooms_are_kept_by_another_directory() {
    run(async {
        let open = open(100).await;
        let mut alice = Bare::log_in(open.server.address(), "alice").await;
        let mut bob = Bare::log_in(open.server.address(), "bob").await;
        let room = alice.create().await;
        let frames = bob.do_in("join_room", &room).await;
        assert_eq!(names(&frames), ["self_joined", "answer to join_room"]);
        alice.settle().await;
        let wave = json!({"type": "pass", "name": "wave", "dest": format!("#{room}")});
        alice.raw.send(&wave.to_string()).await;
        assert_eq!(bob.raw.json().await["from"], "alice");
        let id: RoomId = room.parse().unwrap();
        assert_eq!(
            players(&open.rendezvous.room(&id).unwrap()),
            ["alice", "bob"]
        );
        alice.raw.reset();
        assert_eq!(bob.raw.json().await["name"], "player_left");
        assert_eq!(open.begun.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_slow_command_holds_up_its_own_peer_only_and_keeps_the_order() {
    run(async {
        let open = open(0).await;
        let mut alice = Bare::log_in(open.server.address(), "alice").await;
        let mut bob = Bare::log_in(open.server.address(), "bob").await;
        let create = alice.request("create_room", json!({"name": "lobby"}));
        let ping = alice.request("ping", json!({}));
        alice.raw.send(&format!("{create}\n{ping}")).await;
        open.begun(1).await;
        bob.hears_nothing().await;
        open.commands.add_permits(1);
        let frames = alice.until_answer(&ping).await;
        let expected = ["self_joined", "answer to create_room", "answer to ping"];
        assert_eq!(names(&frames), expected);
    });
}

#[test]
fn a_link_that_ends_while_its_command_is_under_way_leaves_no_ghost() {
    run(async {
        let open = open(0).await;
        let mut alice = Bare::log_in(open.server.address(), "alice").await;
        let create = alice.request("create_room", json!({"name": "lobby"}));
        alice.raw.send(&create.to_string()).await;
        open.begun(1).await;
        let name = PeerId::new("alice").unwrap();
        assert!(open.rendezvous.remove(&open.server, &name).await);
        // The name is free, and goes to another link before the command is done.
        let mut next = Bare::log_in(open.server.address(), "alice").await;
        open.commands.add_permits(1);
        drop(alice);
        while open.server.connections() != 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(open.rendezvous.rooms(), 0);
        assert_eq!(open.rendezvous.rooms_of(&name), []);
        next.hears_nothing().await;
    });
}
