use protocol_core::RoomId;
use rendezvous::events::{Changed, HostChanged, KickError, RoomNews, SetHostError};

use crate::house::{House, assert_news};

#[test]
fn the_host_gives_the_room_to_another_member() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.enter(&carol, &lobby).unwrap();
    house.forget_news();
    assert_eq!(
        house.appoint(&alice, &lobby, &carol),
        Ok(Changed { rev: 4 })
    );
    let changed = RoomNews::HostChanged(HostChanged {
        room: lobby.clone(),
        rev: 4,
        host: carol.id().clone(),
        previous: alice.id().clone(),
    });
    for peer in [&alice, &bob, &carol] {
        assert_news(&house.heard(peer), std::slice::from_ref(&changed));
    }
    assert_eq!(house.rooms.host(&lobby), Some(carol.id()));
    // The rights go with it, on that revision.
    let error = house.refusal(|house| house.kick(&alice, &lobby, &bob, None));
    assert_eq!(error, KickError::NotHost);
    house.kick(&carol, &lobby, &alice, None).unwrap();
}

#[test]
fn a_host_that_stays_changes_nothing() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.forget_news();
    assert_eq!(
        house.appoint(&alice, &lobby, &alice),
        Ok(Changed { rev: 2 })
    );
    house.assert_silent();
    assert_eq!(house.view(&lobby).rev, 2);
}

#[test]
fn only_the_host_gives_and_only_to_members() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    let nowhere = RoomId::new("nowhere").unwrap();
    house.enter(&bob, &lobby).unwrap();
    for (by, room, player, expected) in [
        (&alice, &nowhere, &bob, SetHostError::NotHost),
        (&carol, &lobby, &bob, SetHostError::NotHost),
        (&bob, &lobby, &bob, SetHostError::NotHost),
        (&bob, &lobby, &carol, SetHostError::NotHost),
        (&alice, &lobby, &carol, SetHostError::NotMember),
    ] {
        let error = house.refusal(|house| house.appoint(by, room, player));
        assert_eq!(error, expected);
    }
}
