use protocol_core::{PeerId, RoomId};
use rendezvous::events::{
    Changed, KickError, KickPlayer, LeaveReason, PlayerLeft, RoomNews, SelfLeft,
};
use rendezvous::state::rooms::Kick;

use crate::house::{House, assert_news};

#[test]
fn the_player_hears_who_and_why_and_the_others_hear_who() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.enter(&carol, &lobby).unwrap();
    house.forget_news();
    let request = KickPlayer {
        room: lobby.clone(),
        player: bob.id().clone(),
        ban_ms: None,
        message: Some("no cheating".to_owned()),
    };
    assert_eq!(house.apply(&alice, Kick(request)), Ok(Changed { rev: 4 }));
    let left = RoomNews::SelfLeft(SelfLeft {
        room: lobby.clone(),
        rev: 4,
        reason: LeaveReason::Kicked,
        by: Some(alice.id().clone()),
        message: Some("no cheating".to_owned()),
    });
    assert_news(&house.heard(&bob), &[left]);
    let left = RoomNews::PlayerLeft(PlayerLeft {
        room: lobby.clone(),
        rev: 4,
        player: bob.id().clone(),
        reason: LeaveReason::Kicked,
        by: Some(alice.id().clone()),
    });
    assert_news(&house.heard(&alice), std::slice::from_ref(&left));
    assert_news(&house.heard(&carol), &[left]);
    house.assert_silent();
    assert!(!house.rooms.is_member(&lobby, "bob"));
    assert_eq!(house.view(&lobby).players.len(), 2);
}

#[test]
fn only_the_host_kicks_and_only_others_that_are_there() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    let nowhere = RoomId::new("nowhere").unwrap();
    house.enter(&bob, &lobby).unwrap();
    for (by, room, player, expected) in [
        (&alice, &nowhere, &bob, KickError::NotHost),
        (&carol, &lobby, &carol, KickError::NotHost),
        (&carol, &lobby, &bob, KickError::NotHost),
        (&bob, &lobby, &alice, KickError::NotHost),
        (&bob, &lobby, &bob, KickError::NotHost),
        (&bob, &lobby, &carol, KickError::NotHost),
        (&alice, &lobby, &alice, KickError::Yourself),
        (&alice, &lobby, &carol, KickError::NotMember),
    ] {
        let ban = Some(std::time::Duration::from_secs(1));
        let error = house.refusal(|house| house.kick(by, room, player, ban));
        assert_eq!(error, expected);
    }
    // A name that counts as the same is not the same player.
    let twin = house.peer("BOB");
    let error = house.refusal(|house| house.kick(&alice, &lobby, &twin, None));
    assert_eq!(error, KickError::NotMember);
    house.leave(&bob, &lobby).unwrap();
    let error = house.refusal(|house| house.kick(&alice, &lobby, &bob, None));
    assert_eq!(error, KickError::NotMember);
}

#[test]
fn a_message_is_cut_to_256_bytes_at_a_character() {
    for (given, told) in [
        (String::new(), String::new()),
        ("x".repeat(256), "x".repeat(256)),
        ("x".repeat(257), "x".repeat(256)),
        ("é".repeat(128), "é".repeat(128)),
        (
            format!("x{}", "é".repeat(128)),
            format!("x{}", "é".repeat(127)),
        ),
        ("字".repeat(86), "字".repeat(85)),
        ("😀".repeat(64), "😀".repeat(64)),
        (
            format!("xyz{}", "😀".repeat(64)),
            format!("xyz{}", "😀".repeat(63)),
        ),
    ] {
        let mut house = House::new();
        let [alice, bob] = house.peers(["alice", "bob"]);
        let lobby = house.lobby(&alice);
        house.enter(&bob, &lobby).unwrap();
        house.forget_news();
        let request = KickPlayer {
            room: lobby.clone(),
            player: PeerId::new("bob").unwrap(),
            ban_ms: None,
            message: Some(given),
        };
        house.apply(&alice, Kick(request)).unwrap();
        let left = RoomNews::SelfLeft(SelfLeft {
            room: lobby,
            rev: 3,
            reason: LeaveReason::Kicked,
            by: Some(alice.id().clone()),
            message: Some(told),
        });
        assert_news(&house.heard(&bob), &[left]);
    }
}
