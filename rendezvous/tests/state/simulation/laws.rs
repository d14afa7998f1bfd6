//! What must be heard of a change. It follows from the room before and after alone, so nothing
//! here knows commands.

use protocol_core::PeerId;
use rendezvous::events::{
    HostChanged, JoinCause, LeaveReason, Player, PlayerJoined, PlayerLeft, PlayerStatus,
    PlayerUpdated, Room, RoomNews, RoomUpdated, SelfJoined, SelfLeft,
};

/// Why there are changes.
#[derive(Debug, Clone)]
pub(super) enum Cause {
    /// Nobody leaves by it.
    Created,
    /// Nobody leaves by it.
    Other,
    Left {
        peer: PeerId,
        reason: LeaveReason,
    },
    Kicked {
        by: PeerId,
        message: Option<String>,
    },
    Deleted {
        by: PeerId,
    },
    Ended(LeaveReason),
}

/// All that `me` has to hear of one room, in this order.
pub(super) fn heard_by(
    me: &PeerId,
    before: Option<&Room>,
    after: Option<&Room>,
    cause: &Cause,
) -> Vec<RoomNews> {
    let was_in = before.filter(|room| is_in(room, me));
    let is_in = after.filter(|room| is_in(room, me));
    match (was_in, is_in) {
        (None, Some(after)) => {
            let cause = match cause {
                Cause::Created => JoinCause::Created,
                _ => JoinCause::Joined,
            };
            vec![RoomNews::SelfJoined(SelfJoined::new(after.clone(), cause))]
        }
        (Some(before), None) => vec![RoomNews::SelfLeft(self_left(me, before, cause))],
        (Some(before), Some(after)) if before == after => Vec::new(),
        (Some(before), Some(after)) if status_in(before, me) == status_in(after, me) => {
            of_others(before, after, cause)
        }
        (Some(_), Some(after)) if status_in(after, me) == Some(PlayerStatus::Online) => {
            let resumed = SelfJoined::new(after.clone(), JoinCause::Resumed);
            vec![RoomNews::SelfJoined(resumed)]
        }
        // Nor does anybody hear of their own link that it is lost.
        (None, None) | (Some(_), Some(_)) => Vec::new(),
    }
}

/// What members hear that stay.
fn of_others(before: &Room, after: &Room, cause: &Cause) -> Vec<RoomNews> {
    let (room, rev) = (after.id.clone(), after.rev);
    let mut news = Vec::new();
    for player in &after.players {
        if !is_in(before, &player.id) {
            news.push(RoomNews::PlayerJoined(PlayerJoined {
                room: room.clone(),
                rev,
                player: player.clone(),
            }));
        }
    }
    for player in &before.players {
        if !is_in(after, &player.id) {
            let (reason, by, _) = departure(&player.id, cause);
            news.push(RoomNews::PlayerLeft(PlayerLeft {
                room: room.clone(),
                rev,
                player: player.id.clone(),
                reason,
                by,
            }));
        }
    }
    for player in &after.players {
        if status_in(before, &player.id).is_some_and(|before| before != player.status) {
            news.push(RoomNews::PlayerUpdated(PlayerUpdated {
                room: room.clone(),
                rev,
                player: player.id.clone(),
                status: player.status,
            }));
        }
    }
    if before.host != after.host {
        news.push(RoomNews::HostChanged(HostChanged {
            room,
            rev,
            host: after.host.clone(),
            previous: before.host.clone(),
        }));
    }
    if news.is_empty() {
        news.push(RoomNews::RoomUpdated(RoomUpdated(after.clone())));
    }
    news
}

fn self_left(me: &PeerId, before: &Room, cause: &Cause) -> SelfLeft {
    let (reason, by, message) = departure(me, cause);
    SelfLeft {
        room: before.id.clone(),
        rev: before.rev + 1,
        reason,
        by,
        message,
    }
}

/// Why somebody is no longer in a room, by whom, and with what word.
fn departure(of: &PeerId, cause: &Cause) -> (LeaveReason, Option<PeerId>, Option<String>) {
    match cause {
        Cause::Created | Cause::Other => panic!("nobody leaves by that"),
        Cause::Left { peer, reason } if peer == of => (*reason, None, None),
        Cause::Left { peer, .. } => (LeaveReason::HostClosed, Some(peer.clone()), None),
        Cause::Kicked { by, message } => (LeaveReason::Kicked, Some(by.clone()), message.clone()),
        Cause::Deleted { by } => (LeaveReason::RoomDeleted, Some(by.clone()), None),
        Cause::Ended(reason) => (*reason, None, None),
    }
}

/// What holds of every room at every moment.
pub(super) fn assert_sound(room: &Room) {
    assert!(room.players.len() <= room.capacity.seats(), "{room:?}");
    assert!(is_in(room, &room.host), "the host is no member: {room:?}");
    let revs: Vec<_> = room.players.iter().map(|p| p.joined_rev).collect();
    assert!(revs.is_sorted_by(|one, next| one < next), "{room:?}");
    assert!(revs.iter().all(|rev| *rev <= room.rev), "{room:?}");
    let ids = room.players.iter().map(|player| &player.id);
    let twice = |id: &PeerId| room.players.iter().filter(|p| p.id == *id).count() > 1;
    assert!(!ids.into_iter().any(twice), "{room:?}");
}

pub(super) fn is_in(room: &Room, peer: &PeerId) -> bool {
    player_in(room, peer).is_some()
}

fn status_in(room: &Room, peer: &PeerId) -> Option<PlayerStatus> {
    player_in(room, peer).map(|player| player.status)
}

fn player_in<'a>(room: &'a Room, peer: &PeerId) -> Option<&'a Player> {
    room.players.iter().find(|player| player.id == *peer)
}

/// Whom news are about, where they are about one other player.
pub(super) fn player_of(news: &RoomNews) -> Option<&PeerId> {
    match news {
        RoomNews::PlayerJoined(joined) => Some(&joined.player.id),
        RoomNews::PlayerLeft(left) => Some(&left.player),
        RoomNews::PlayerUpdated(updated) => Some(&updated.player),
        _ => None,
    }
}
