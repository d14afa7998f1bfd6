//! G1 and G2: one order of changes for all, and snapshots that hold everything up to theirs.

use rendezvous::MyRooms;
use rendezvous::events::{RoomNews, UpdateRoom};

use crate::house::{House, place_of};

fn rev(event: &RoomNews) -> u64 {
    place_of(event).1
}

#[test]
fn each_change_is_the_next_revision_and_all_hear_them_in_that_order() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    let rename = |name: &str| UpdateRoom {
        name: Some(name.to_owned()),
        ..UpdateRoom::new(lobby.clone())
    };
    house.enter(&bob, &lobby).unwrap();
    house.update(&alice, rename("den")).unwrap();
    house.enter(&carol, &lobby).unwrap();
    house.appoint(&alice, &lobby, &carol).unwrap();
    house.leave(&carol, &lobby).unwrap();
    house.enter(&carol, &lobby).unwrap();
    house.kick(&alice, &lobby, &carol, None).unwrap();
    house.update(&alice, rename("hall")).unwrap();
    house.delete(&alice, &lobby).unwrap();
    for (peer, revs) in [
        // The sixth is of both a leave and another host.
        (&alice, &[1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10][..]),
        (&bob, &[2, 3, 4, 5, 6, 6, 7, 8, 9, 10]),
        (&carol, &[4, 5, 6, 7, 8]),
    ] {
        let heard: Vec<_> = house.heard(peer).iter().map(rev).collect();
        assert_eq!(heard, revs, "{}", peer.id());
    }
}

#[test]
fn whoever_comes_late_needs_nothing_from_before() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.enter(&carol, &lobby).unwrap();
    house.leave(&bob, &lobby).unwrap();
    house.leave(&carol, &lobby).unwrap();
    house.forget_news();
    house.enter(&carol, &lobby).unwrap();
    house.enter(&bob, &lobby).unwrap();
    house.leave(&alice, &lobby).unwrap();
    let mut picture = MyRooms::default();
    for event in house.heard(&carol) {
        picture.hear(&event).unwrap();
        assert_eq!(picture.get(&lobby).unwrap().rev, rev(&event));
    }
    assert_eq!(picture.get(&lobby), Some(&house.view(&lobby)));
}

#[test]
fn revisions_of_one_room_are_not_those_of_another() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let [one, other] = [house.lobby(&alice), house.lobby(&alice)];
    house.enter(&bob, &one).unwrap();
    assert_eq!(house.view(&one).rev, 2);
    assert_eq!(house.view(&other).rev, 1);
}
