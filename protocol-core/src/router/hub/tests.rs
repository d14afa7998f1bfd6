//! Names, and what is remembered of who has asked whom.

use std::sync::Weak;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use super::*;
use crate::codec::{PeerIdentity, Plain};
use crate::connection::{Connection, IdSource, Limits, Role};

/// A server's links without sockets.
struct Room {
    hub: Arc<Hub>,
}

impl Room {
    fn new() -> Self {
        Self {
            hub: Arc::default(),
        }
    }

    fn link(&self) -> Arc<Link> {
        let id = Hub::next_id();
        let link = Arc::new(Link::new(
            &Limits::server(),
            id,
            None,
            PeerIdentity::Anonymous,
            Weak::new(),
        ));
        self.hub.add(&link);
        link
    }

    fn named(&self, name: &str) -> Arc<Link> {
        let link = self.link();
        assert!(self.hub.identify(&link, peer(name)));
        link
    }

    /// Whom a link is remembered to have asked, and who it, in order.
    fn relations(&self, link: &Link) -> (Vec<ConnectionId>, Vec<ConnectionId>) {
        let links = self.hub.read();
        let Some(calls) = &links.by_id[&link.id].calls else {
            return (Vec::new(), Vec::new());
        };
        let mut asked: Vec<_> = calls.asked.keys().copied().collect();
        let mut askers: Vec<_> = calls.askers.iter().copied().collect();
        asked.sort();
        askers.sort();
        (asked, askers)
    }

    fn asks(&self, asker: &Link, peer: &str, id: &str) -> bool {
        self.asks_by(&mut Way::default(), asker, peer, id)
            .expect("the peer is here")
    }

    /// The same on a way that was kept, with none where nobody is asked.
    fn asks_by(&self, way: &mut Way, asker: &Link, peer: &str, id: &str) -> Option<bool> {
        let debtor = self.hub.ask(asker, way, peer, call(id));
        debtor.map(|(link, is_new)| {
            assert_eq!(link.peer.get().map(PeerId::as_str), Some(peer));
            is_new
        })
    }

    fn answers(&self, debtor: &Link, peer: &str, id: &str) -> bool {
        self.answers_by(&mut Way::default(), debtor, peer, id)
    }

    fn answers_by(&self, way: &mut Way, debtor: &Link, peer: &str, id: &str) -> bool {
        let asker = self.hub.answer(debtor, way, peer, call(id));
        asker.is_some_and(|link| {
            assert_eq!(link.peer.get().map(PeerId::as_str), Some(peer));
            true
        })
    }

    fn reaches(&self, sender: &Link, peer: &str) -> bool {
        self.hub.reach(sender, &mut Way::default(), peer).is_some()
    }
}

fn peer(name: &str) -> PeerId {
    PeerId::new(name).unwrap()
}

/// The call of a request with this id.
fn call(id: &str) -> CallKey {
    let now = Instant::now();
    let ids = IdSource::new(7, now, 0);
    let mut end = Connection::new(Role::Server, Limits::server(), Box::new(Plain), ids);
    let line = format!("{{\"type\":\"request\",\"name\":\"ask\",\"request_id\":\"{id}\"}}\n");
    end.read_buffer().extend_from_slice(line.as_bytes());
    end.received();
    let call = end.next_event(now, |incoming| Ok(CallKey::of(incoming)));
    call.expect("a request")
}

#[test]
fn a_name_belongs_to_one_link_until_that_is_gone() {
    let room = Room::new();
    let (alice, other) = (room.named("alice"), room.link());
    assert!(!room.hub.identify(&other, peer("alice")));
    assert!(room.hub.identify(&alice, peer("alice")));
    assert!(!room.hub.identify(&alice, peer("bob")));
    assert_eq!(room.hub.of_peer("alice").unwrap().id, alice.id);
    room.hub.remove(&alice);
    assert!(room.hub.of_peer("alice").is_none());
    assert!(!room.hub.identify(&alice, peer("alice")), "it is gone");
    assert!(room.hub.identify(&other, peer("alice")));
    room.hub.remove(&alice);
    assert_eq!(room.hub.of_peer("alice").unwrap().id, other.id);
}

#[test]
fn each_call_is_answered_once_by_the_peer_that_was_asked() {
    let room = Room::new();
    let (alice, bob, carol) = (room.named("alice"), room.named("bob"), room.named("carol"));
    assert!(room.asks(&alice, "bob", "7"));
    assert!(room.asks(&alice, "bob", "8"));
    assert!(!room.asks(&alice, "bob", "7"), "that is open already");
    assert!(room.asks(&alice, "carol", "7"));
    assert!(!room.answers(&bob, "alice", "9"));
    assert!(!room.answers(&bob, "carol", "7"));
    assert!(!room.answers(&alice, "bob", "7"));
    assert!(room.answers(&bob, "alice", "7"));
    assert!(!room.answers(&bob, "alice", "7"));
    assert!(room.answers(&carol, "alice", "7"));
    room.hub.settle(alice.id, bob.id, call("8"));
    assert!(!room.answers(&bob, "alice", "8"));
    assert!(room.asks(&alice, "bob", "7"), "it may be asked again");
}

#[test]
fn who_is_gone_asks_nobody_and_is_asked_by_nobody() {
    let room = Room::new();
    let (alice, bob) = (room.named("alice"), room.named("bob"));
    assert!(room.asks(&alice, "bob", "7"));
    room.hub.remove(&bob);
    let anew = &mut Way::default();
    assert_eq!(room.asks_by(anew, &alice, "bob", "8"), None);
    assert!(!room.answers(&bob, "alice", "7"));
    assert!(!room.reaches(&alice, "bob"));
    assert_eq!(room.asks_by(anew, &bob, "alice", "8"), None);
    assert!(!room.reaches(&bob, "alice"));
    assert_eq!(room.relations(&alice), (vec![], vec![]));
}

#[test]
fn those_who_asked_are_told_who_is_gone_and_nobody_else_is() {
    let room = Room::new();
    let (alice, bob, carol) = (room.named("alice"), room.named("bob"), room.named("carol"));
    assert!(room.asks(&alice, "bob", "7"));
    assert!(room.asks(&bob, "carol", "7"));
    room.hub.remove(&bob);
    assert!(alice.outbox.calls_for_attention());
    assert!(!carol.outbox.calls_for_attention());
    assert!(!bob.outbox.calls_for_attention());
    assert_eq!(room.relations(&carol), (vec![], vec![]));
}

#[test]
fn a_kept_way_judges_as_the_hub_does() {
    let room = Room::new();
    let (alice, bob, carol) = (room.named("alice"), room.named("bob"), room.named("carol"));
    let (of_alice, of_bob) = (&mut Way::default(), &mut Way::default());
    for _ in 0..2 {
        assert_eq!(room.asks_by(of_alice, &alice, "bob", "7"), Some(true));
        assert_eq!(room.asks_by(of_alice, &alice, "bob", "7"), Some(false));
        assert_eq!(room.asks_by(of_alice, &alice, "carol", "7"), Some(true));
        assert!(!room.answers_by(of_bob, &bob, "alice", "9"));
        assert!(!room.answers_by(of_bob, &bob, "carol", "7"));
        assert!(room.answers_by(of_bob, &bob, "alice", "7"));
        assert!(!room.answers_by(of_bob, &bob, "alice", "7"));
        assert!(room.answers(&carol, "alice", "7"));
    }
    assert_eq!(room.asks_by(of_alice, &alice, "bob", "8"), Some(true));
    room.hub.settle(alice.id, bob.id, call("8"));
    assert!(!room.answers_by(of_bob, &bob, "alice", "8"));
}

#[test]
fn a_way_to_who_is_gone_leads_to_whoever_has_the_name_next() {
    let room = Room::new();
    let (alice, bob) = (room.named("alice"), room.named("bob"));
    let (of_alice, of_bob) = (&mut Way::default(), &mut Way::default());
    assert_eq!(room.asks_by(of_alice, &alice, "bob", "7"), Some(true));
    assert!(room.answers_by(of_bob, &bob, "alice", "7"));
    assert_eq!(room.asks_by(of_alice, &alice, "bob", "8"), Some(true));

    room.hub.remove(&bob);
    assert_eq!(room.asks_by(of_alice, &alice, "bob", "9"), None);
    assert!(room.hub.reach(&alice, of_alice, "bob").is_none());
    assert!(!room.answers_by(of_bob, &bob, "alice", "8"));

    let next = room.named("bob");
    assert!(!room.answers(&next, "alice", "8"), "another was asked that");
    assert_eq!(room.asks_by(of_alice, &alice, "bob", "8"), Some(true));
    let reached = room.hub.reach(&alice, of_alice, "bob");
    assert_eq!(reached.map(|link| link.id), Some(next.id));
    assert!(room.answers(&next, "alice", "8"));

    room.hub.remove(&alice);
    assert_eq!(room.asks_by(of_alice, &alice, "bob", "9"), None);
    assert!(room.hub.reach(&alice, of_alice, "bob").is_none());
}

#[test]
fn a_way_to_one_who_was_forgotten_is_found_anew() {
    let room = Room::new();
    let (alice, bob) = (room.named("alice"), room.named("bob"));
    let (of_alice, of_bob) = (&mut Way::default(), &mut Way::default());
    assert_eq!(room.asks_by(of_alice, &alice, "bob", "7"), Some(true));
    assert!(room.answers_by(of_bob, &bob, "alice", "7"));
    for n in 0..MANY_ASKED {
        let name = n.to_string();
        let other = room.named(&name);
        assert!(room.asks(&alice, &name, "7"));
        assert!(room.answers(&other, "alice", "7"));
    }
    assert_eq!(room.relations(&bob).1, []);
    assert_eq!(room.asks_by(of_alice, &alice, "bob", "8"), Some(true));
    assert_eq!(room.relations(&bob).1, [alice.id]);
    assert!(room.answers_by(of_bob, &bob, "alice", "8"));
}

#[test]
fn who_asks_itself_leaves_nothing_behind() {
    let room = Room::new();
    let alice = room.named("alice");
    assert!(room.asks(&alice, "alice", "7"));
    assert_eq!(room.relations(&alice), (vec![alice.id], vec![alice.id]));
    assert!(room.answers(&alice, "alice", "7"));
    room.hub.remove(&alice);
    assert!(room.hub.all().is_empty());
}

#[test]
fn ten_thousand_askers_that_come_and_go_leave_nothing_behind() {
    let room = Room::new();
    let bob = room.named("bob");
    for n in 0..10_000_u32 {
        let alice = room.named("alice");
        assert!(room.asks(&alice, "bob", "7"));
        if n % 2 == 0 {
            assert!(room.answers(&bob, "alice", "7"));
        }
        room.hub.remove(&alice);
    }
    assert_eq!(room.relations(&bob), (vec![], vec![]));
    assert_eq!(room.hub.all().len(), 1);
    assert_eq!(room.hub.read().by_peer.len(), 1);
}

#[test]
fn of_ten_thousand_that_were_asked_those_that_owe_nothing_are_forgotten() {
    let room = Room::new();
    let alice = room.named("alice");
    let mut owing = Vec::new();
    let mut most = 0;
    for n in 0..10_000_usize {
        let name = n.to_string();
        let bob = room.named(&name);
        assert!(room.asks(&alice, &name, "7"));
        if n % 1_000 == 0 {
            owing.push(bob);
        } else {
            assert!(room.answers(&bob, "alice", "7"));
        }
        most = most.max(room.relations(&alice).0.len());
    }
    assert!(most <= 2 * MANY_ASKED, "{most} were remembered");
    for bob in &owing {
        assert_eq!(room.relations(bob).1, [alice.id]);
        assert!(room.answers(bob, "alice", "7"));
    }
}

#[test]
fn a_thousand_that_all_owe_an_answer_are_all_remembered() {
    let room = Room::new();
    let alice = room.named("alice");
    let others: Vec<_> = (0..1_000).map(|n| room.named(&n.to_string())).collect();
    for n in 0..others.len() {
        assert!(room.asks(&alice, &n.to_string(), "7"));
    }
    assert_eq!(room.relations(&alice).0.len(), others.len());
    for other in &others {
        assert!(room.answers(other, "alice", "7"));
    }
}

#[test]
fn farewells_are_said_once_in_their_order_and_at_once_where_it_is_too_late() {
    let room = Room::new();
    let alice = room.named("alice");
    let said = Arc::new(AtomicU32::new(0));
    let farewell = |digit| {
        let said = Arc::clone(&said);
        Box::new(move || {
            let _ = said.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| Some(n * 10 + digit));
        })
    };
    alice.on_leave(farewell(1));
    alice.on_leave(Box::new(|| panic!("a farewell that panics")));
    alice.on_leave(farewell(2));
    assert_eq!(said.load(Ordering::SeqCst), 0);
    room.hub.remove(&alice);
    assert_eq!(said.load(Ordering::SeqCst), 12);
    room.hub.remove(&alice);
    assert_eq!(said.load(Ordering::SeqCst), 12);
    alice.on_leave(farewell(3));
    assert_eq!(said.load(Ordering::SeqCst), 123);
}
