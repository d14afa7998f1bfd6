use protocol_core::PeerId;
use protocol_tests::run;
use rendezvous::events::{CreateRoom, JoinRoom, LeaveRoom, RoomNews};

use crate::world::{Between, Say, open};

#[test]
fn a_room_from_its_beginning_to_its_end() {
    run(async {
        let place = open(|_| {}).await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        let room = alice
            .client
            .request(CreateRoom::new("lobby"))
            .await
            .unwrap();
        assert_eq!(room.name, "lobby");
        let joined = bob
            .client
            .request(JoinRoom::new(room.id.clone()))
            .await
            .unwrap();
        assert_eq!(joined.players.len(), 2);
        let news = alice.news.next().await.unwrap().event;
        let RoomNews::SelfJoined(mine) = news else {
            panic!("{news:?}")
        };
        assert_eq!(mine.into_room(), room);
        let news = alice.news.next().await.unwrap().event;
        let RoomNews::PlayerJoined(other) = news else {
            panic!("{news:?}")
        };
        assert_eq!(&*other.player.id, "bob");
        bob.client
            .to_room(&room.id)
            .send(Say { text: "hi".into() })
            .await
            .unwrap();
        let said = alice.said.next().await.unwrap();
        assert_eq!(said.from, Some(PeerId::new("bob").unwrap()));
        let Between::Say(said) = said.event;
        assert_eq!(said.text, "hi");
        alice
            .client
            .request(LeaveRoom {
                room: room.id.clone(),
            })
            .await
            .unwrap();
        let mut heard = Vec::new();
        for _ in 0..3 {
            heard.push(bob.news.next().await.unwrap().event);
        }
        eprintln!("{heard:?}");
        assert!(matches!(&heard[2], RoomNews::HostChanged(changed) if &*changed.host == "bob"));
    });
}
