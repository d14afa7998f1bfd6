//! `tests/python/client.py`, in nothing but the standard library, over a plain link.

use std::sync::Arc;

use protocol_core::{Client, Connect, Inbox, PeerId, PublicKey, SecretKey, ignore, inbox};
use protocol_tests::run;
use rendezvous::events::{CreateRoom, JoinRoom, ListRooms, RoomNews, UpdateRoom};
use rendezvous::{LoginExt, MyRooms, SessionNews};

use crate::interpreter::Python;
use crate::meeting::{Add, Alice, Meeting, Wave};
use crate::process::{public_key, serve};

/// More digits than a number of most languages has.
const EXACT: &str = "12345678901234567890.000000000000000000001";

/// Alice comes where bob invites her to, asks him into a room of her own, and stays until he has
/// left both. Returns what she heard of it.
async fn visit(client: &Client<Meeting>, news: &mut Inbox<RoomNews>) -> Vec<String> {
    let lobby = client.request(ListRooms::default()).await.unwrap().rooms;
    assert_eq!((lobby.len(), &*lobby[0].name), (1, "lobby"));
    let lobby = lobby[0].id.clone();
    client.request(JoinRoom::new(lobby.clone())).await.unwrap();
    let den = client.request(CreateRoom::new("den")).await.unwrap().id;
    let text = "come to my den".to_owned();
    client.to_room(&lobby).send(Wave { text }).await.unwrap();

    let (mut mine, mut seen) = (MyRooms::default(), Vec::new());
    while mine.get(&lobby).is_some() || mine.get(&den).is_none() {
        let heard = news.next().await.expect("the link is up").event;
        mine.hear(&heard).unwrap();
        let name = |room| if room == &den { "den" } else { "lobby" };
        let line = match heard {
            RoomNews::SelfJoined(joined) => {
                let players = joined.players.iter().map(|player| player.id.as_str());
                let players: Vec<_> = players.collect();
                format!("in the {}: {}", joined.name, players.join(", "))
            }
            RoomNews::PlayerJoined(joined) => {
                let mut lock = UpdateRoom::new(joined.room.clone());
                lock.locked = Some(true);
                client.request(lock).await.unwrap();
                format!("{} joins the {}", joined.player.id, name(&joined.room))
            }
            RoomNews::RoomUpdated(updated) => format!("the {} is locked", updated.0.name),
            RoomNews::PlayerLeft(left) => {
                format!(
                    "{} leaves the {}: {:?}",
                    left.player,
                    name(&left.room),
                    left.reason
                )
            }
            RoomNews::SelfLeft(left) => {
                let by = left.by.as_ref().map_or("nobody", PeerId::as_str);
                format!("{by} ends the {}: {:?}", name(&left.room), left.reason)
            }
            other => format!("{other:?}"),
        };
        seen.push(line);
    }
    seen
}

#[test]
fn a_client_in_python_and_a_typed_one_talk_and_meet_in_rooms() {
    talk_and_meet(|alice, _| alice);
}

#[test]
fn one_with_a_plain_link_and_one_with_an_encrypted_link_talk_and_meet_in_rooms() {
    talk_and_meet(|alice, key| {
        let own = SecretKey::generate().unwrap();
        alice.encrypted(key).identity(own)
    });
}

/// The server takes both kinds of links; alice's is as `connect` says.
fn talk_and_meet(connect: fn(Connect<'static, Meeting>, PublicKey) -> Connect<'static, Meeting>) {
    let Some(python) = Python::found() else {
        return;
    };
    run(async move {
        let server = serve(&["--log=off", "--encryption=both"]);
        let (address, key) = (server.address(), public_key(&server));
        let alice = Alice::default();
        let (transcript, invited) = (Arc::clone(&alice.transcript), Arc::clone(&alice.invited));
        let (on_news, mut news) = inbox(16);
        let client = connect(Client::connect(address), key)
            .handle((ignore::<SessionNews>(), on_news, alice))
            .await
            .unwrap();
        client.login("alice").await.unwrap();

        let python = tokio::task::spawn_blocking(move || {
            let (host, port) = (address.ip().to_string(), address.port().to_string());
            python.run("client.py", &[&host, &port])
        });
        let visiting = async {
            invited.notified().await;
            visit(&client, &mut news).await
        };
        tokio::pin!(python, visiting);
        let (printed, seen) = tokio::select! {
            printed = &mut python => {
                let printed = printed.unwrap();
                // Alice may not have heard of its last deeds yet; of one that failed she never does.
                let seen = if printed.ended_well {
                    visiting.await
                } else {
                    Vec::new()
                };
                (printed, seen)
            }
            seen = &mut visiting => (python.await.unwrap(), seen),
        };
        let expected = [
            "logged in as bob",
            "the server is alive",
            "sent a wave",
            "alice has seen a second wave",
            &format!("alice answers {EXACT}"),
            "alice sends wave as a confirm_pass: {\"text\": \"hello yourself\"}",
            "alice sends add as a request: {\"a\": 19, \"b\": 23}",
            "alice sends multiply as a request: {}",
            "in lobby: bob",
            "alice joins lobby",
            "alice sends wave as a pass: {\"text\": \"come to my den\"}",
            "listed: den (1)",
            "in den: alice, bob",
            "den is locked",
            "out of den: left",
            "out of lobby: room_deleted",
            "logged out",
        ];
        assert_eq!(printed.text.lines().collect::<Vec<_>>(), expected);
        assert!(printed.ended_well, "{}", printed.text);

        let expected = [
            "bob waves: hello",
            "bob waves: are you there?",
            &format!("bob asks: {EXACT}"),
            "bob waves: your turn",
            "confirmed: Ok(())",
            "19 + 23: Ok(42)",
            "rejected: unknown_event: bob does not know this event",
            "bob waves: come to the lobby",
            "bob waves: a fine den",
        ];
        assert_eq!(*transcript.lock().unwrap(), expected);
        let expected = [
            "in the lobby: bob, alice",
            "in the den: alice",
            "bob joins the den",
            "the den is locked",
            "bob leaves the den: Left",
            "bob ends the lobby: RoomDeleted",
        ];
        assert_eq!(seen, expected);
        // The other client has logged out and left nothing.
        let bob = PeerId::new("bob").unwrap();
        let gone = client
            .to(&bob)
            .request(Add { a: 1, b: 1 })
            .await
            .unwrap_err();
        assert!(gone.to_string().contains("peer_not_found"), "{gone}");
    });
}
