//! Many who come, speak, change and go at the same time: everybody sees one order, and everybody's
//! picture is the truth afterwards.

use std::collections::HashMap;

use protocol_core::RoomId;
use rendezvous::events::{
    Capacity, CreateRoom, JoinError, JoinRoom, KickPlayer, LeaveRoom, LogIn, Meta, RoomNews,
    SetHost, UpdateRoom,
};
use serde_json::{Value, json};

use crate::bare::Bare;
use crate::log::run;
use crate::world::{Peer, Place, open, refusal};

const SPEAKERS: usize = 16;
const WORDS: usize = 30;

#[test]
fn relayed_events_of_each_sender_keep_their_order_between_its_join_and_its_leave() {
    run(|| async {
        let place = open(|config| {
            // Nothing is to be dropped, however late the listeners get their turn.
            config.server.connection.outbound_events = 20_000;
            config.server.connection.outbound_bytes = 16 << 20;
        })
        .await;
        let mut listeners = Vec::new();
        let mut alice = Bare::log_in(place.address(), "alice").await;
        let create = json!({"name": "lobby", "capacity": 100});
        let room = alice.answer("create_room", create).await["data"]["id"].take();
        let room = room.as_str().unwrap().to_owned();
        listeners.push(alice);
        let mut bob = Bare::log_in(place.address(), "bob").await;
        bob.do_in("join_room", &room).await;
        listeners.push(bob);
        let listening = listeners.into_iter().map(|peer| tokio::spawn(listen(peer)));
        let listening: Vec<_> = listening.collect();

        let speaking = (0..SPEAKERS).map(|number| {
            let (address, room) = (place.address(), room.clone());
            tokio::spawn(async move {
                let mut peer = Bare::log_in(address, &format!("carol {number}")).await;
                // All at once, so that nothing but the server keeps them apart.
                let mut burst = vec![peer.request("join_room", json!({"room": room}))];
                for word in 0..WORDS {
                    let dest = format!("#{room}");
                    burst.push(json!({"type": "pass", "name": "say", "dest": dest, "data": word}));
                }
                let leave = peer.request("leave_room", json!({"room": room}));
                burst.push(leave.clone());
                let lines: Vec<_> = burst.iter().map(Value::to_string).collect();
                peer.raw.send(&lines.join("\n")).await;
                peer.until_answer(&leave).await;
            })
        });
        for speaker in speaking.collect::<Vec<_>>() {
            speaker.await.unwrap();
        }
        for listener in listening {
            listener.await.unwrap();
        }
    });
}

/// Listens until all speakers have come, spoken and gone.
async fn listen(mut peer: Bare) {
    let (mut here, mut gone) = (HashMap::new(), 0);
    while gone < SPEAKERS {
        let frame = peer.raw.json().await;
        let data = &frame["data"];
        match frame["name"].as_str().unwrap() {
            "player_joined" => {
                let id = data["player"]["id"].as_str().unwrap().to_owned();
                here.insert(id, 0);
            }
            "say" => {
                let from = frame["from"].as_str().unwrap();
                let next = here.get_mut(from).expect("only members speak");
                assert_eq!(data, &json!(*next), "{from}");
                *next += 1;
            }
            "player_left" => {
                let said = here.remove(data["player"].as_str().unwrap());
                assert_eq!(said, Some(WORDS));
                gone += 1;
            }
            "self_joined" => {}
            name => panic!("{name}"),
        }
    }
}

const CHURNERS: u64 = 24;
const STEPS: u64 = 60;

/// The same numbers at each run: a linear congruential generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

#[test]
fn whatever_many_do_at_once_each_picture_is_the_truth() {
    run(|| async {
        let place = open(|config| config.server.connection.rate_in = None).await;
        let keeper = place.peer("alice").await;
        let mut rooms = Vec::new();
        for number in 0..3 {
            let mut create = CreateRoom::new(format!("room {number}"));
            create.capacity = Capacity::new(12);
            rooms.push(keeper.client.request(create).await.unwrap().id);
        }
        let churning = (0..CHURNERS).map(|number| {
            let (address, rooms) = (place.address(), rooms.clone());
            tokio::spawn(async move {
                let mut peer = Peer::log_in(address, LogIn::new(format!("carol {number}"))).await;
                let mut dice = Dice(number);
                for _ in 0..STEPS {
                    churn(&peer, &rooms, &mut dice).await;
                }
                // Each of its news has fit those before.
                peer.settle().await;
                peer
            })
        });
        let mut peers = vec![keeper];
        for churner in churning.collect::<Vec<_>>() {
            peers.push(churner.await.unwrap());
        }
        for peer in &mut peers {
            peer.settle().await;
        }
        for peer in &peers {
            sees_the_truth(&place, peer);
        }
        // Then half of them vanish, without a word.
        let vanished = peers.split_off(peers.len() / 2);
        drop(vanished);
        place.has_connections(peers.len()).await;
        for peer in &mut peers {
            peer.settle().await;
        }
        for peer in &peers {
            sees_the_truth(&place, peer);
        }
    });
}

async fn churn(peer: &Peer, rooms: &[RoomId], dice: &mut Dice) {
    let sides = u64::try_from(rooms.len()).unwrap();
    let room = rooms[usize::try_from(dice.roll(sides)).unwrap()].clone();
    let other = format!("carol {}", dice.roll(CHURNERS)).try_into().unwrap();
    let client = &peer.client;
    // What is refused is as good: it must change nothing.
    match dice.roll(10) {
        0..4 => drop(client.request(JoinRoom::new(room)).await),
        4..6 => drop(client.request(LeaveRoom { room }).await),
        6 => {
            let mut update = UpdateRoom::new(room);
            let number = dice.roll(1_000).to_string();
            update.meta = Meta::new(protocol_core::Json::parse(&number).unwrap());
            drop(client.request(update).await);
        }
        7 => drop(
            client
                .request(SetHost {
                    room,
                    player: other,
                })
                .await,
        ),
        8 => {
            let kick = KickPlayer {
                room,
                player: other,
                ban_ms: None,
                message: None,
            };
            drop(client.request(kick).await);
        }
        _ => peer.say(&room, "hi").await,
    }
}

fn sees_the_truth(place: &Place, peer: &Peer) {
    let rooms = place.rendezvous.rooms_of(&peer.id);
    let mine: Vec<_> = peer.mine.iter().map(|room| room.id.clone()).collect();
    assert_eq!(mine, rooms, "{}", peer.id);
    for room in peer.mine.iter() {
        assert_eq!(*room, place.room(&room.id), "{}", peer.id);
    }
}

#[test]
fn once_delete_is_answered_nobody_joins_and_each_member_has_heard_one_end() {
    run(|| async {
        for _ in 0..20 {
            let place = open(|_| {}).await;
            let mut alice = place.peer("alice").await;
            let room = alice.create("lobby").await.id;
            let mut racers = Vec::new();
            for number in 0..8 {
                racers.push(place.peer(&format!("carol {number}")).await);
            }
            let racing = racers.into_iter().map(|mut racer| {
                let room = room.clone();
                tokio::spawn(async move {
                    let joined = racer.client.request(JoinRoom::new(room)).await;
                    (racer.settle().await, joined.is_ok(), racer)
                })
            });
            let racing: Vec<_> = racing.collect();
            let id = room.clone();
            let deleted = alice
                .client
                .request(rendezvous::events::DeleteRoom { room: id });
            let rev = deleted.await.unwrap().rev;
            let late = alice.client.request(JoinRoom::new(room.clone())).await;
            assert_eq!(refusal(late), JoinError::RoomNotFound);
            let ended = |heard: &[RoomNews]| {
                let ends = heard.iter().filter_map(|news| match news {
                    RoomNews::SelfLeft(left) => Some(left.rev),
                    _ => None,
                });
                ends.collect::<Vec<_>>()
            };
            let heard = alice.settle().await;
            assert_eq!(ended(&heard), [rev]);
            assert!(matches!(heard.last(), Some(RoomNews::SelfLeft(_))));
            for racer in racing {
                let (mut heard, joined, mut racer) = racer.await.unwrap();
                heard.extend(racer.settle().await);
                let expected = if joined { vec![rev] } else { vec![] };
                assert_eq!(ended(&heard), expected, "{heard:?}");
                let left = |news: &RoomNews| matches!(news, RoomNews::PlayerLeft(_));
                assert!(!heard.iter().any(left), "{heard:?}");
                let late = racer.client.request(JoinRoom::new(room.clone())).await;
                assert_eq!(refusal(late), JoinError::RoomNotFound);
            }
        }
    });
}
