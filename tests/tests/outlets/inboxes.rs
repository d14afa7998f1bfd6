//! Several sets in one inbox, and handlers that know the room of an event.

use protocol_core::{AtClient, AtPeer, Client, Context, PeerId, RoomId, queue};
use protocol_tests::{PlainOrEncrypted, both::run, still_waits};

use crate::board::{
    Add, Between, BetweenHandler, BoardNews, BoardNewsHandler, Boards, Entry, Watch, Wave, house,
};

/// What a loop reads that wants the events of both sets in their order.
#[derive(Debug, PartialEq)]
enum Heard {
    News(BoardNews),
    Wave(Between),
}

#[test]
fn one_inbox_has_the_events_of_several_sets_in_their_order_and_says_how_they_came() {
    run(|| async {
        let house = house(|_| {}).await;
        let (alice, ..) = house.watcher("alice").await;
        let (queue, mut inbox) = queue::<Heard>(2);
        let connect = Client::<Boards>::connect(house.server.address()).plain_or_encrypted();
        let bob = connect.handle((queue.of(Heard::News), queue.of(Heard::Wave)));
        let bob = bob.await.unwrap();
        let name = "bob".to_owned();
        bob.request(Watch { name }).await.unwrap();
        let (bob_id, board) = (PeerId::new("bob").unwrap(), RoomId::new("board").unwrap());
        for number in 0..10 {
            let text = number.to_string();
            alice.request(Add { text }).await.unwrap();
            alice.to_room(&board).send(Wave(number)).await.unwrap();
            alice.to(&bob_id).send(Wave(number + 100)).await.unwrap();
        }
        let alice_id = PeerId::new("alice").unwrap();
        for number in 0..10 {
            let news = inbox.next().await.unwrap();
            let Heard::News(BoardNews::Entry(entry)) = news.event else {
                panic!("{news:?}");
            };
            assert_eq!(entry.text, number.to_string());
            assert_eq!((news.from, news.room), (None, None));
            let to_room = inbox.next().await.unwrap();
            assert_eq!(to_room.event, Heard::Wave(Between::Wave(Wave(number))));
            assert_eq!(to_room.from.as_ref(), Some(&alice_id));
            assert_eq!(to_room.room.as_ref(), Some(&board));
            let to_bob = inbox.next().await.unwrap();
            assert_eq!(to_bob.event, Heard::Wave(Between::Wave(Wave(number + 100))));
            assert_eq!((to_bob.from.as_ref(), to_bob.room), (Some(&alice_id), None));
        }
        drop(bob);
        assert!(
            inbox.next().await.is_none(),
            "the queue itself is no handler"
        );
        drop(queue);
    });
}

/// Waves back to whoever waves, and to the room where they did.
struct Polite;

impl BoardNewsHandler<Boards, AtClient> for Polite {
    async fn on_entry(&self, cx: &Context<Boards, AtClient>, _: Entry) {
        cx.to(&PeerId::new("alice").unwrap())
            .send(Wave(1))
            .await
            .unwrap();
    }
}

impl BetweenHandler<Boards, AtPeer> for Polite {
    async fn on_wave(&self, cx: &Context<Boards, AtPeer>, _: Wave) {
        match cx.room() {
            Some(room) => cx.to_room(room).send(Wave(2)).await.unwrap(),
            None => cx.send(Wave(3)).await.unwrap(),
        }
    }
}

#[test]
fn a_clients_handler_reaches_others_and_the_room() {
    run(|| async {
        let house = house(|_| {}).await;
        let (alice, _news, mut waves) = house.watcher("alice").await;
        let connect = Client::<Boards>::connect(house.server.address()).plain_or_encrypted();
        let bob = connect.handle(Polite).await.unwrap();
        let name = "bob".to_owned();
        bob.request(Watch { name }).await.unwrap();
        let board = RoomId::new("board").unwrap();
        house.board.add(String::new());
        alice.to_room(&board).send(Wave(0)).await.unwrap();
        alice
            .to(&PeerId::new("bob").unwrap())
            .send(Wave(0))
            .await
            .unwrap();
        for (number, room) in [(1, None), (2, Some(board)), (3, None)] {
            let wave = waves.next().await.unwrap();
            let Between::Wave(Wave(heard)) = wave.event;
            assert_eq!((heard, wave.room), (number, room));
        }
    });
}

#[test]
fn an_inbox_whose_queue_had_no_handler_ends_with_the_queue() {
    protocol_tests::run(async {
        let (queue, mut inbox) = queue::<Heard>(1);
        assert!(still_waits(&mut Box::pin(inbox.next())).await);
        drop(queue);
        assert!(inbox.next().await.is_none());
    });
}
