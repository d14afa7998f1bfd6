//! Rooms that are kept by a directory of one's own.

use protocol_core::{PeerId, RoomId, Server};
use protocol_tests::PlainOrEncrypted;
use rendezvous::{Config, Rendezvous};
use serde_json::json;

use crate::bare::{Bare, names};
use crate::log::run;
use crate::store::{Pace, Store};
use crate::world::{World, players};

struct Open {
    server: Server<World>,
    rendezvous: Rendezvous<Store>,
    commands: Pace,
}

async fn open(commands: usize) -> Open {
    let config = Config::default();
    let store = Store::new(&config, 10, commands);
    let commands = store.commands.clone();
    let rendezvous = Rendezvous::with_directory(config, store);
    let bind = rendezvous.bind::<World>("127.0.0.1:0").plain_or_encrypted();
    let server = bind.handle(rendezvous.clone()).await.unwrap();
    Open {
        server,
        rendezvous,
        commands,
    }
}

#[test]
fn rooms_are_kept_by_another_directory() {
    run(|| async {
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
        open.commands.has_begun(2).await;
    });
}

#[test]
fn a_slow_command_holds_up_its_own_peer_only_and_keeps_the_order() {
    run(|| async {
        let open = open(0).await;
        let mut alice = Bare::log_in(open.server.address(), "alice").await;
        let mut bob = Bare::log_in(open.server.address(), "bob").await;
        let create = alice.request("create_room", json!({"name": "lobby"}));
        let ping = alice.request("ping", json!({}));
        alice.raw.send(&format!("{create}\n{ping}")).await;
        open.commands.has_begun(1).await;
        bob.hears_nothing().await;
        open.commands.allow(1);
        let frames = alice.until_answer(&ping).await;
        let expected = ["self_joined", "answer to create_room", "answer to ping"];
        assert_eq!(names(&frames), expected);
    });
}

#[test]
fn a_link_that_ends_while_its_command_is_under_way_leaves_no_ghost() {
    run(|| async {
        let open = open(0).await;
        let mut alice = Bare::log_in(open.server.address(), "alice").await;
        let create = alice.request("create_room", json!({"name": "lobby"}));
        alice.raw.send(&create.to_string()).await;
        open.commands.has_begun(1).await;
        let name = PeerId::new("alice").unwrap();
        assert!(open.rendezvous.remove(&open.server, &name).await);
        // The name is free, and goes to another link before the command is done.
        let mut next = Bare::log_in(open.server.address(), "alice").await;
        open.commands.allow(1);
        drop(alice);
        while open.server.connections() != 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(open.rendezvous.rooms(), 0);
        assert_eq!(open.rendezvous.rooms_of(&name), []);
        next.hears_nothing().await;
    });
}
