//! A protocol of one's own around the stock sets: a handler that asks who is in which room, one that
//! stands before the stock one, and a server without rooms.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol_core::{
    Client, Context, Event, EventError, EventSet, Inbox, PeerId, Protocol, Received, RequestError,
    RoomId, Server, ignore, inbox,
};
use protocol_tests::PlainOrEncrypted;
use rendezvous::events::{
    Changed, CreateError, CreateInvite, CreateRoom, DeleteError, DeleteRoom, InviteError, Invited,
    JoinError, JoinRoom, KickError, KickPlayer, LeaveError, LeaveRoom, ListRooms, LogIn, Ping,
    Room, RoomList, RoomsHandler, SetHost, SetHostError, UpdateError, UpdateRoom,
};
use rendezvous::{Login, LoginExt, Rendezvous, RoomNews, Rooms, SessionNews};
use serde_json::json;

use crate::bare::Bare;
use crate::log::run;
use crate::world::refusal;

/// To the tavern itself: a drink for everybody in a room.
#[derive(Debug, Event)]
#[event(request, response = Served, error = ServeError)]
struct Round {
    room: RoomId,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Served {
    drinks: usize,
}

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
enum ServeError {
    #[error("come in first")]
    Outside,
    #[error("ask {host} to pay")]
    NotHost { host: PeerId },
}

#[derive(Debug, PartialEq, Event)]
#[event(pass)]
struct Drink {
    from: PeerId,
}

#[derive(Debug, EventSet)]
enum ToTavern {
    Round(Round),
}

#[derive(Debug, EventSet)]
enum FromTavern {
    Drink(Drink),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms, ToTavern),
    to_client = (SessionNews, RoomNews, FromTavern),
)]
struct Tavern;

struct Keeper {
    rendezvous: Rendezvous,
}

impl ToTavernHandler<Tavern> for Keeper {
    async fn on_round(&self, cx: &Context<Tavern>, event: Round) -> Result<Served, ServeError> {
        let me = cx
            .peer()
            .filter(|me| self.rendezvous.is_member(&event.room, me));
        let me = me.ok_or(ServeError::Outside)?;
        let room = self.rendezvous.room(&event.room);
        let room = room.ok_or(ServeError::Outside)?;
        if !self.rendezvous.is_host(&event.room, me) {
            return Err(ServeError::NotHost { host: room.host });
        }
        let members = room.players.iter().map(|player| &player.id);
        let from = me.clone();
        let drinks = cx.to_many(members).send(Drink { from }).await;
        Ok(Served {
            drinks: drinks.unwrap_or_default(),
        })
    }
}

type Guest = (Client<Tavern>, Inbox<RoomNews>, Inbox<FromTavern>);

async fn guest(server: &Server<Tavern>, id: &str) -> Guest {
    let (on_news, news) = inbox(64);
    let (on_drinks, drinks) = inbox(64);
    let connect = Client::connect(server.address())
        .plain_or_encrypted()
        .handle((on_drinks, ignore::<SessionNews>(), on_news));
    let client = connect.await.unwrap();
    client.login(id).await.unwrap();
    (client, news, drinks)
}

#[test]
fn a_handler_of_ones_own_asks_who_is_in_a_room_and_sends_to_them() {
    run(|| async {
        let rendezvous = Rendezvous::default();
        let keeper = Keeper {
            rendezvous: rendezvous.clone(),
        };
        let bind = rendezvous
            .bind::<Tavern>("127.0.0.1:0")
            .plain_or_encrypted();
        let server = bind.handle((keeper, rendezvous.clone())).await.unwrap();
        let (alice, _news, mut hers) = guest(&server, "alice").await;
        let (bob, _bobs_news, mut his) = guest(&server, "bob").await;
        let (carol, _carols_news, mut carols) = guest(&server, "carol").await;
        let room = alice.request(CreateRoom::new("table")).await.unwrap().id;
        bob.request(JoinRoom::new(room.clone())).await.unwrap();
        let round = || Round { room: room.clone() };
        assert_eq!(refusal(carol.request(round()).await), ServeError::Outside);
        let host = PeerId::new("alice").unwrap();
        let refused = refusal(bob.request(round()).await);
        assert_eq!(refused, ServeError::NotHost { host: host.clone() });
        let drinks = alice.request(round()).await.unwrap();
        assert_eq!(drinks, Served { drinks: 2 });
        for drinks in [&mut hers, &mut his] {
            let Some(Received {
                event: FromTavern::Drink(drink),
                ..
            }) = drinks.next().await
            else {
                panic!("no drink");
            };
            assert_eq!(drink, Drink { from: host.clone() });
        }
        carol.request(Ping::default()).await.unwrap();
        assert!(carols.try_next().is_none());
    });
}

/// Stands before the stock handler: some names are refused, and rooms are counted.
struct Doorman {
    rendezvous: Rendezvous,
    made: AtomicUsize,
}

impl RoomsHandler<Tavern> for Doorman {
    async fn on_create_room(
        &self,
        cx: &Context<Tavern>,
        event: CreateRoom,
    ) -> Result<Room, CreateError> {
        if event.name.contains("brawl") {
            let rule = "is not one for this house".to_owned();
            return Err(CreateError::NameInvalid { rule });
        }
        let room = self.rendezvous.on_create_room(cx, event).await?;
        self.made.fetch_add(1, Ordering::Relaxed);
        Ok(room)
    }

    async fn on_delete_room(
        &self,
        cx: &Context<Tavern>,
        event: DeleteRoom,
    ) -> Result<Changed, DeleteError> {
        self.rendezvous.on_delete_room(cx, event).await
    }

    async fn on_join_room(&self, cx: &Context<Tavern>, event: JoinRoom) -> Result<Room, JoinError> {
        self.rendezvous.on_join_room(cx, event).await
    }

    async fn on_create_invite(
        &self,
        cx: &Context<Tavern>,
        event: CreateInvite,
    ) -> Result<Invited, InviteError> {
        self.rendezvous.on_create_invite(cx, event).await
    }

    async fn on_leave_room(
        &self,
        cx: &Context<Tavern>,
        event: LeaveRoom,
    ) -> Result<Changed, LeaveError> {
        self.rendezvous.on_leave_room(cx, event).await
    }

    async fn on_list_rooms(&self, cx: &Context<Tavern>, event: ListRooms) -> RoomList {
        self.rendezvous.on_list_rooms(cx, event).await
    }

    async fn on_update_room(
        &self,
        cx: &Context<Tavern>,
        event: UpdateRoom,
    ) -> Result<Room, UpdateError> {
        self.rendezvous.on_update_room(cx, event).await
    }

    async fn on_kick_player(
        &self,
        cx: &Context<Tavern>,
        event: KickPlayer,
    ) -> Result<Changed, KickError> {
        self.rendezvous.on_kick_player(cx, event).await
    }

    async fn on_set_host(
        &self,
        cx: &Context<Tavern>,
        event: SetHost,
    ) -> Result<Changed, SetHostError> {
        self.rendezvous.on_set_host(cx, event).await
    }
}

#[test]
fn a_handler_of_ones_own_stands_before_the_stock_one() {
    run(|| async {
        let rendezvous = Rendezvous::default();
        let doorman = Arc::new(Doorman {
            rendezvous: rendezvous.clone(),
            made: AtomicUsize::new(0),
        });
        let keeper = Keeper {
            rendezvous: rendezvous.clone(),
        };
        let bind = rendezvous
            .bind::<Tavern>("127.0.0.1:0")
            .plain_or_encrypted();
        let handlers = (keeper, rendezvous.login_part(), Arc::clone(&doorman));
        let server = bind.handle(handlers).await.unwrap();
        let (alice, mut news, _) = guest(&server, "alice").await;
        let (bob, _bobs_news, _) = guest(&server, "bob").await;
        let refused = alice.request(CreateRoom::new("bar brawl")).await;
        assert!(matches!(refusal(refused), CreateError::NameInvalid { .. }));
        let room = alice.request(CreateRoom::new("table")).await.unwrap();
        bob.request(JoinRoom::new(room.id.clone())).await.unwrap();
        let delete = DeleteRoom { room: room.id };
        alice.request(delete).await.unwrap();
        let mut heard = Vec::new();
        while let Some(received) = news.try_next() {
            heard.push(received.event);
        }
        assert_eq!(heard.len(), 3, "{heard:?}");
        assert_eq!(doorman.made.load(Ordering::Relaxed), 1);
        assert_eq!(rendezvous.rooms(), 0);
    });
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Login, to_client = SessionNews)]
struct WithoutRooms;

#[test]
fn a_server_without_rooms_knows_none() {
    run(|| async {
        let rendezvous = Rendezvous::default();
        let (observer, mut notices) = protocol_tests::notices();
        let bind = rendezvous
            .bind::<WithoutRooms>("127.0.0.1:0")
            .plain_or_encrypted();
        let server = bind
            .observe(observer)
            .handle(rendezvous.clone())
            .await
            .unwrap();
        let mut alice = Bare::log_in(server.address(), "alice").await;
        for name in ["create_room", "list_rooms", "join_room"] {
            let answer = alice.answer(name, json!({"name": "lobby"})).await;
            assert_eq!(answer["error"]["code"], "unknown_event", "{answer}");
        }
        let wave = json!({"type": "pass", "name": "wave", "dest": "#lobby"});
        alice.raw.send(&wave.to_string()).await;
        let refused = protocol_tests::Seen::refused("wave", "not_allowed");
        assert_eq!(notices.next().await, refused);
        // Clients that know of rooms are told what is missing.
        let (on_news, _news) = inbox::<RoomNews>(1);
        let (on_drinks, _drinks) = inbox::<FromTavern>(1);
        let connect = Client::<Tavern>::connect(server.address()).plain_or_encrypted();
        let bob = connect
            .handle((ignore::<SessionNews>(), on_news, on_drinks))
            .await
            .unwrap();
        bob.request(LogIn::new("bob")).await.unwrap();
        let refused = bob.request(CreateRoom::new("lobby")).await;
        assert!(
            matches!(refused, Err(RequestError::Rejected(error)) if &*error.code == "unknown_event")
        );
        drop(alice);
        assert!(
            rendezvous
                .shutdown(&server, std::time::Duration::from_secs(5))
                .await
        );
    });
}
