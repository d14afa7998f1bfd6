use rendezvous::events::{CreateRoom, JoinError, JoinRoom, Room, Secret, UpdateRoom};
use rendezvous::state::rooms::{Join, Joined, PasswordHash, Proof};

use crate::house::{House, Peer};

/// A room with the password "swordfish".
fn guarded(house: &mut House, host: &Peer) -> Room {
    let request = CreateRoom {
        password: Some(Secret::new("swordfish")),
        ..CreateRoom::new("lobby")
    };
    let room = house.create(host, request).unwrap();
    assert!(room.has_password);
    room
}

fn set_password(house: &mut House, host: &Peer, room: &Room, password: &str) -> Room {
    let change = UpdateRoom {
        password: Some(Secret::new(password)),
        ..UpdateRoom::new(room.id.clone())
    };
    house.update(host, change).unwrap()
}

fn with(room: &Room, password: Option<&str>) -> Join {
    let request = JoinRoom {
        password: password.map(Secret::new),
        ..JoinRoom::new(room.id.clone())
    };
    Join {
        request,
        proof: None,
    }
}

/// The hash that is asked about.
#[track_caller]
fn asked(house: &mut House, peer: &Peer, join: &Join) -> PasswordHash {
    match house.apply(peer, join.clone()) {
        Ok(Joined::Prove(hash)) => hash,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_password_and_an_empty_one_are_refused_without_a_proof() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let room = guarded(&mut house, &alice);
    for given in [None, Some("")] {
        let error = house.refusal(|house| house.apply(&bob, with(&room, given)));
        assert_eq!(error, JoinError::BadPassword);
    }
}

#[test]
fn an_empty_password_is_none() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let request = CreateRoom {
        password: Some(Secret::new("")),
        ..CreateRoom::new("lobby")
    };
    let room = house.create(&alice, request).unwrap();
    assert!(!room.has_password);
    let joined = house.apply(&bob, with(&room, Some("any"))).unwrap();
    assert!(matches!(joined, Joined::In(_)));
}

#[test]
fn a_proof_is_asked_for_before_anything_changes() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let room = guarded(&mut house, &alice);
    house.forget_news();
    let mut join = with(&room, Some("swordfish"));
    let hash = asked(&mut house, &bob, &join);
    house.assert_silent();
    assert_eq!(house.view(&room.id), room);
    join.proof = Some(Proof {
        hash,
        matches: true,
    });
    let joined = house.apply(&bob, join).unwrap();
    assert!(matches!(joined, Joined::In(room) if room.rev == 2));
}

#[test]
fn a_proof_that_fails_or_is_of_another_hash_lets_nobody_in() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let room = guarded(&mut house, &alice);
    let mut join = with(&room, Some("swordfish"));
    let hash = asked(&mut house, &bob, &join);
    join.proof = Some(Proof {
        hash: hash.clone(),
        matches: false,
    });
    let error = house.refusal(|house| house.apply(&bob, join.clone()));
    assert_eq!(error, JoinError::BadPassword);
    for matches in [true, false] {
        let other = PasswordHash::new("swordfish$another");
        join.proof = Some(Proof {
            hash: other,
            matches,
        });
        assert_eq!(asked(&mut house, &bob, &join), hash);
    }
}

/// G9: the password is judged on the revision that is written.
#[test]
fn a_password_that_changes_meanwhile_is_asked_for_again() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let room = guarded(&mut house, &alice);
    let mut join = with(&room, Some("swordfish"));
    let hash = asked(&mut house, &bob, &join);
    join.proof = Some(Proof {
        hash: hash.clone(),
        matches: true,
    });
    let changed = set_password(&mut house, &alice, &room, "sesame");
    assert!(changed.has_password);
    assert_eq!(changed.rev, 2);
    assert_ne!(asked(&mut house, &bob, &join), hash);
    let error = house.refusal(|house| house.join(&bob, join.request.clone()));
    assert_eq!(error, JoinError::BadPassword);
    let opened = set_password(&mut house, &alice, &room, "");
    assert!(!opened.has_password);
    let joined = house.apply(&bob, join).unwrap();
    assert!(matches!(joined, Joined::In(room) if room.rev == 4));
}

/// G9 too: what is proved is the password and nothing else.
#[test]
fn a_proof_replaces_nothing_else() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let room = guarded(&mut house, &alice);
    let mut join = with(&room, Some("swordfish"));
    let hash = asked(&mut house, &bob, &join);
    join.proof = Some(Proof {
        hash,
        matches: true,
    });
    let locked = UpdateRoom {
        locked: Some(true),
        ..UpdateRoom::new(room.id.clone())
    };
    house.update(&alice, locked).unwrap();
    let error = house.refusal(|house| house.apply(&bob, join.clone()));
    assert_eq!(error, JoinError::RoomLocked);
    house.delete(&alice, &room.id).unwrap();
    let error = house.refusal(|house| house.apply(&bob, join));
    assert_eq!(error, JoinError::RoomNotFound);
}

#[test]
fn hashes_are_not_shown() {
    let hash = PasswordHash::new("swordfish$1");
    assert_eq!(hash.as_str(), "swordfish$1");
    assert_eq!(format!("{hash:?}"), "[redacted]");
}
