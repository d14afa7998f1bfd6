//! What happens, scene by scene. Every line that a player hears is expected here, word by word, so
//! the transcript is the same each time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use protocol_core::{Event, RoomId, SecretKey};

use super::events::{Challenge, Move, Playground, Say};
use super::player::Player;
use super::stage::{SERVER, Sign, Stage};
use crate::events::{
    Capacity, CreateRoom, DeleteRoom, HostChanged, JoinRoom, KickPlayer, LeaveRoom, LogOut,
    PlayerJoined, PlayerLeft, RoomUpdated, SelfJoined, SelfLeft, ServerClosing, UpdateRoom,
};
use crate::service::Rendezvous;

/// How long the server waits for its clients when it stops.
const DEADLINE: Duration = Duration::from_secs(2);

/// Plays everything on a server of its own.
pub(super) async fn play(stage: Stage) -> Result<()> {
    let stage = Arc::new(stage);
    let rendezvous = Rendezvous::default();
    let server = rendezvous
        .bind::<Playground>("127.0.0.1:0")
        .encrypted(SecretKey::generate()?)
        .handle(rendezvous.clone())
        .await?;
    stage
        .print("A server and three players, over encrypted links of this machine. A line with > is")
        .await?;
    stage
        .print("sent, one with < arrives: an answer, or news that the server brings.")
        .await?;

    stage.scene("Everybody logs in").await?;
    let mut alice = Player::log_in("alice", &server, &stage).await?;
    let mut bob = Player::log_in("bob", &server, &stage).await?;
    let mut carol = Player::log_in("carol", &server, &stage).await?;

    stage.scene("A room for two, then for three").await?;
    let lobby = a_room_for_two(&mut alice, &mut bob, &carol).await?;
    one_seat_more(&lobby, &mut alice, &mut bob, &mut carol).await?;

    stage.scene("They talk, through the server").await?;
    talk(&lobby, &mut alice, &mut bob, &mut carol).await?;

    stage.scene("The host leaves, another takes over").await?;
    the_host_leaves(&lobby, &mut alice, &mut bob, &mut carol).await?;

    stage.scene("The room ends").await?;
    the_room_ends(&lobby, &alice, &mut bob, &mut carol).await?;

    stage.scene("Everybody goes").await?;
    bob.sends::<LogOut>("").await?;
    bob.client.request(LogOut {}).await?;
    bob.gets::<LogOut>("done, the server closes the link")
        .await?;
    bob.ends().await?;
    alice.sends::<Challenge>("to bob: a game of chess?").await?;
    let late = alice.client.to(&"bob".parse()?).request(Challenge {
        game: "chess".to_owned(),
    });
    alice
        .is_refused::<Challenge, _, _>("peer_not_found", late.await)
        .await?;
    let (event, text) = (ServerClosing::NAME, "to all, then it stops");
    stage.line(SERVER, Sign::Sends, event, text).await?;
    let in_order = rendezvous.shutdown(&server, DEADLINE).await;
    ensure!(in_order, "the server did not stop in order");
    for mut player in [alice, carol] {
        player
            .hears::<ServerClosing>("the server stops within 2000 ms")
            .await?;
        player.gives_up().await?;
    }
    Ok(())
}

async fn a_room_for_two(alice: &mut Player, bob: &mut Player, carol: &Player) -> Result<RoomId> {
    alice.sends::<CreateRoom>("lobby, for 2 players").await?;
    let create = CreateRoom {
        capacity: Capacity::new(2),
        ..CreateRoom::new("lobby")
    };
    let lobby = alice.client.request(create).await?;
    alice
        .hears::<SelfJoined>("you are in lobby now: you made it")
        .await?;
    alice.gets::<CreateRoom>(&revision(lobby.rev)).await?;

    bob.sends::<JoinRoom>("lobby").await?;
    let joined = bob.client.request(JoinRoom::new(lobby.id.clone())).await?;
    bob.hears::<SelfJoined>("you are in lobby now").await?;
    bob.gets::<JoinRoom>(&revision(joined.rev)).await?;
    alice.hears::<PlayerJoined>("bob is in lobby now").await?;

    carol.sends::<JoinRoom>("lobby").await?;
    let refused = carol.client.request(JoinRoom::new(lobby.id.clone())).await;
    carol
        .is_refused::<JoinRoom, _, _>("room_full", refused)
        .await?;
    Ok(lobby.id)
}

async fn one_seat_more(
    lobby: &RoomId,
    alice: &mut Player,
    bob: &mut Player,
    carol: &mut Player,
) -> Result<()> {
    alice.sends::<UpdateRoom>("lobby, for 3 players").await?;
    let update = UpdateRoom {
        capacity: Capacity::new(3),
        ..UpdateRoom::new(lobby.clone())
    };
    let updated = alice.client.request(update).await?;
    for player in [&mut *alice, bob] {
        player
            .hears::<RoomUpdated>("lobby has changed: for 3 players")
            .await?;
    }
    alice.gets::<UpdateRoom>(&revision(updated.rev)).await?;

    carol.sends::<JoinRoom>("lobby").await?;
    let joined = carol.client.request(JoinRoom::new(lobby.clone())).await?;
    carol.hears::<SelfJoined>("you are in lobby now").await?;
    carol.gets::<JoinRoom>(&revision(joined.rev)).await?;
    for player in [alice, bob] {
        player
            .hears::<PlayerJoined>("carol is in lobby now")
            .await?;
    }
    Ok(())
}

async fn talk(
    lobby: &RoomId,
    alice: &mut Player,
    bob: &mut Player,
    carol: &mut Player,
) -> Result<()> {
    // A pass: whoever is in the room gets it, nobody answers.
    bob.sends::<Say>("to #lobby: \"hello\"").await?;
    let hello = Say {
        text: "hello".to_owned(),
    };
    bob.client.to_room(lobby).send(hello).await?;
    for player in [&mut *alice, &mut *carol] {
        player.hears::<Say>("bob: \"hello\"").await?;
    }

    // A request: one peer answers.
    carol.sends::<Challenge>("to bob: a game of chess?").await?;
    let challenge = Challenge {
        game: "chess".to_owned(),
    };
    let reply = carol.client.to(&bob.id).request(challenge).await?;
    bob.hears::<Challenge>("carol: a game of chess? Answers yes")
        .await?;
    ensure!(reply.accepted, "bob does not play chess");
    carol.gets::<Challenge>("bob answers: yes").await?;

    // A confirmed pass: its sender learns that it was handled.
    carol
        .sends::<Move>("to bob: pawn to e4, to be confirmed")
        .await?;
    let opening = Move {
        piece: "pawn".to_owned(),
        to: "e4".to_owned(),
    };
    carol.client.to(&bob.id).confirm(opening).await?;
    bob.hears::<Move>("carol: pawn to e4").await?;
    carol.gets::<Move>("confirmed").await
}

async fn the_host_leaves(
    lobby: &RoomId,
    alice: &mut Player,
    bob: &mut Player,
    carol: &mut Player,
) -> Result<()> {
    carol.sends::<KickPlayer>("bob, out of lobby").await?;
    let kick = |player: &Player, message: Option<&str>| KickPlayer {
        room: lobby.clone(),
        player: player.id.clone(),
        ban_ms: None,
        message: message.map(str::to_owned),
    };
    let refused = carol.client.request(kick(bob, None)).await;
    carol
        .is_refused::<KickPlayer, _, _>("not_host", refused)
        .await?;

    alice.sends::<LeaveRoom>("lobby").await?;
    let room = lobby.clone();
    let left = alice.client.request(LeaveRoom { room }).await?;
    alice
        .hears::<SelfLeft>("you are no longer in lobby: left")
        .await?;
    alice.gets::<LeaveRoom>(&revision(left.rev)).await?;
    for player in [&mut *bob, &mut *carol] {
        player
            .hears::<PlayerLeft>("alice is no longer in lobby: left")
            .await?;
        player
            .hears::<HostChanged>("bob is the host of lobby now, after alice")
            .await?;
    }

    bob.sends::<KickPlayer>("carol, out of lobby: \"come back later\"")
        .await?;
    let kicked = bob.client.request(kick(carol, Some("come back later")));
    let kicked = kicked.await?;
    carol
        .hears::<SelfLeft>("you are no longer in lobby: kicked by bob (\"come back later\")")
        .await?;
    bob.hears::<PlayerLeft>("carol is no longer in lobby: kicked by bob")
        .await?;
    bob.gets::<KickPlayer>(&revision(kicked.rev)).await
}

async fn the_room_ends(
    lobby: &RoomId,
    alice: &Player,
    bob: &mut Player,
    carol: &mut Player,
) -> Result<()> {
    carol.sends::<JoinRoom>("lobby").await?;
    let joined = carol.client.request(JoinRoom::new(lobby.clone())).await?;
    carol.hears::<SelfJoined>("you are in lobby now").await?;
    carol.gets::<JoinRoom>(&revision(joined.rev)).await?;
    bob.hears::<PlayerJoined>("carol is in lobby now").await?;

    bob.sends::<DeleteRoom>("lobby").await?;
    let room = lobby.clone();
    let deleted = bob.client.request(DeleteRoom { room }).await?;
    for player in [&mut *bob, carol] {
        player
            .hears::<SelfLeft>("you are no longer in lobby: the room was deleted by bob")
            .await?;
    }
    bob.gets::<DeleteRoom>(&revision(deleted.rev)).await?;

    alice.sends::<JoinRoom>("lobby").await?;
    let refused = alice.client.request(JoinRoom::new(lobby.clone())).await;
    alice
        .is_refused::<JoinRoom, _, _>("room_not_found", refused)
        .await
        .context("a deleted room")
}

/// The changes of a room are counted, so that everybody knows in which order they came.
fn revision(rev: u64) -> String {
    format!("done, lobby is at revision {rev}")
}
