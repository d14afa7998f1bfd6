use rendezvous::events::{
    CreateError, CreateRoom, JoinError, LeaveReason, ListRooms, RoomNews, SelfLeft,
};

use crate::house::{House, assert_news};

#[test]
fn all_rooms_end_for_good() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let [one, other] = [house.lobby(&alice), house.lobby(&bob)];
    house.enter(&bob, &one).unwrap();
    house.forget_news();
    house.end_all(LeaveReason::Shutdown);
    let left = |room: &protocol_core::RoomId, rev| {
        RoomNews::SelfLeft(SelfLeft {
            room: room.clone(),
            rev,
            reason: LeaveReason::Shutdown,
            by: None,
            message: None,
        })
    };
    assert_news(&house.heard(&alice), &[left(&one, 3)]);
    assert_news(&house.heard(&bob), &[left(&one, 3), left(&other, 2)]);
    house.assert_silent();
    assert!(house.rooms.is_empty());
    assert!(house.rooms.of_peer("bob").is_empty());
    assert!(house.list(&ListRooms::default()).rooms.is_empty());
    let error = house.refusal(|house| house.create(&alice, CreateRoom::new("lobby")));
    assert_eq!(error, CreateError::SessionOver);
    let error = house.refusal(|house| house.enter(&alice, &one));
    assert_eq!(error, JoinError::RoomNotFound);
    house.end_all(LeaveReason::Shutdown);
    house.vanish(&alice, LeaveReason::GraceExpired);
    house.assert_silent();
}
