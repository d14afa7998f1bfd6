//! A thousand clients and one seat.

use protocol_core::RequestError;
use rendezvous::events::{Capacity, CreateRoom, JoinError, JoinRoom};

use crate::log::run;
use crate::world::{Peer, open};

/// As many as this process may have of both ends, with room for other tests.
fn a_thousand() -> usize {
    let files = rlimit::increase_nofile_limit(8_192).expect("the limit can be read");
    let count = (files.saturating_sub(1_000) / 2).min(1_000);
    if count < 1_000 {
        println!("only {count}: this process may open no more files");
    }
    usize::try_from(count).expect("at most a thousand")
}

#[test]
fn of_a_thousand_who_race_for_the_last_seat_one_gets_it() {
    run(|| async {
        let place = open(|_| {}).await;
        let alice = place.peer("alice").await;
        let mut create = CreateRoom::new("lobby");
        create.capacity = Capacity::new(11);
        let room = alice.client.request(create).await.unwrap().id;
        let mut seated = vec![alice];
        for number in 0..9 {
            let bob = place.peer(&format!("bob {number}")).await;
            bob.join(&room).await;
            seated.push(bob);
        }
        let mut racers = Vec::new();
        for number in 0..a_thousand() {
            racers.push(place.peer(&format!("carol {number}")).await);
        }
        let count = racers.len();
        let racing = racers.into_iter().map(|racer| {
            let join = JoinRoom::new(room.clone());
            tokio::spawn(async move {
                let joined = racer.client.request(join).await;
                (joined, racer)
            })
        });
        let (mut refused, mut outside): (usize, Vec<Peer>) = (0, Vec::new());
        for racer in racing.collect::<Vec<_>>() {
            let (joined, racer) = racer.await.unwrap();
            match joined {
                Ok(_) => seated.push(racer),
                Err(RequestError::Refused(JoinError::RoomFull { max: 11 })) => {
                    refused += 1;
                    outside.push(racer);
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((seated.len(), refused), (11, count - 1));
        let truth = place.room(&room);
        assert_eq!(truth.players.len(), 11);
        // One change a join, none for the others.
        assert_eq!(truth.rev, 11);
        for peer in &mut seated {
            peer.settle().await;
            assert_eq!(peer.mine.get(&room), Some(&truth), "{}", peer.id);
        }
        for peer in &mut outside {
            peer.hears_nothing().await;
        }
    });
}

#[test]
fn seats_that_are_given_back_are_raced_for_again() {
    run(|| async {
        let place = open(|config| config.server.connection.rate_in = None).await;
        let mut alice = place.peer("alice").await;
        let mut create = CreateRoom::new("lobby");
        create.capacity = Capacity::new(2);
        let room = alice.client.request(create).await.unwrap().id;
        let mut racers = Vec::new();
        for number in 0..20 {
            racers.push(place.peer(&format!("carol {number}")).await);
        }
        // Each asks until it was in, and leaves again.
        let racing = racers.into_iter().map(|racer| {
            let room = room.clone();
            tokio::spawn(async move {
                loop {
                    match racer.client.request(JoinRoom::new(room.clone())).await {
                        Ok(seen) => assert_eq!(seen.players.len(), 2),
                        Err(RequestError::Refused(JoinError::RoomFull { max: 2 })) => continue,
                        Err(error) => panic!("{error}"),
                    }
                    let leave = rendezvous::events::LeaveRoom { room };
                    racer.client.request(leave).await.unwrap();
                    return;
                }
            })
        });
        for racer in racing.collect::<Vec<_>>() {
            racer.await.unwrap();
        }
        let heard = alice.settle().await;
        assert_eq!(heard.len(), 41, "one change for each coming and going");
        assert_eq!(alice.mine.get(&room), Some(&place.room(&room)));
        assert_eq!(place.room(&room).rev, 41);
    });
}
