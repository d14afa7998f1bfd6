//! A room from its beginning to its end.

use rendezvous::events::{JoinCause, LeaveReason, LeaveRoom, RoomNews};

use crate::log::run;
use crate::world::{open, players};

#[test]
fn a_room_from_its_beginning_to_its_end() {
    run(|| async {
        let place = open(|_| {}).await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice.create("lobby").await;
        assert_eq!((&*room.name, &*room.host, room.rev), ("lobby", "alice", 1));
        let RoomNews::SelfJoined(joined) = alice.news().await else {
            panic!("no self_joined");
        };
        assert_eq!(joined.cause, JoinCause::Created);
        assert_eq!(joined.into_room(), room);

        let seen = bob.join(&room.id).await;
        assert_eq!((players(&seen), seen.rev), (vec!["alice", "bob"], 2));
        let RoomNews::PlayerJoined(joined) = alice.news().await else {
            panic!("no player_joined");
        };
        assert_eq!(joined.player, seen.players[1]);
        bob.settle().await;
        assert_eq!(alice.mine.get(&room.id), Some(&seen));
        assert_eq!(bob.mine.get(&room.id), Some(&seen));

        bob.say(&room.id, "hi").await;
        assert_eq!(alice.heard().await, ("bob".to_owned(), "hi".to_owned()));
        alice.say(&room.id, "hello").await;
        assert_eq!(bob.heard().await, ("alice".to_owned(), "hello".to_owned()));

        let id = room.id.clone();
        let left = alice.client.request(LeaveRoom { room: id }).await.unwrap();
        assert_eq!(left.rev, 3);
        let RoomNews::PlayerLeft(news) = bob.news().await else {
            panic!("no player_left");
        };
        assert_eq!((&*news.player, news.rev), ("alice", 3));
        assert_eq!(news.reason, LeaveReason::Left);
        let RoomNews::HostChanged(news) = bob.news().await else {
            panic!("no host_changed");
        };
        assert_eq!(
            (&*news.host, &*news.previous, news.rev),
            ("bob", "alice", 3)
        );
        let RoomNews::SelfLeft(news) = alice.news().await else {
            panic!("no self_left");
        };
        assert_eq!((news.rev, news.reason), (3, LeaveReason::Left));
        assert_eq!(alice.mine.iter().count(), 0);

        // The last one out ends it.
        let id = room.id.clone();
        bob.client.request(LeaveRoom { room: id }).await.unwrap();
        bob.settle().await;
        assert_eq!(bob.mine.iter().count(), 0);
        assert_eq!(
            (place.rendezvous.room(&room.id), place.rendezvous.rooms()),
            (None, 0)
        );
    });
}
