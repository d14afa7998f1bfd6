//! The JSON in `PROTOCOL.md` §9, §10 and §12: each example is a frame, its event reads it and writes the
//! same, and no event is left without an example.

use std::collections::BTreeSet;

use protocol_core::wire::{Frame, RawData, decode_data, write_data};
use protocol_core::{EventInfo, EventSet, Kind, Payload};
use rendezvous::events::{
    Changed, CreateInvite, CreateRoom, DeleteRoom, Dropped, HostChanged, Invited, JoinRoom,
    KickPlayer, LeaveRoom, ListRooms, LogIn, LogOut, LoggedIn, LoggedOut, Ping, PlayerJoined,
    PlayerLeft, PlayerUpdated, Pong, Room, RoomList, RoomUpdated, SelfJoined, SelfLeft,
    ServerClosing, SessionEnded, SetHost, UpdateRoom,
};
use rendezvous::{Login, RoomNews, Rooms, SessionNews};
use serde_json::Value;

/// Reads `data` as the event and writes it again.
fn round<T: Payload>(data: &str) -> Value {
    let raw = RawData::parse(data).unwrap();
    let event: T = decode_data(raw).unwrap_or_else(|error| panic!("{data}: {error}"));
    let mut written = Vec::new();
    write_data(&mut written, &event).unwrap();
    serde_json::from_slice(&written).unwrap()
}

fn again(kind: &str, name: &str, data: &str) -> Value {
    let again = match (kind, name) {
        ("request", "login") => round::<LogIn>,
        ("response", "login") => round::<LoggedIn>,
        ("request", "logout") => round::<LogOut>,
        ("response", "logout") => round::<LoggedOut>,
        ("request", "ping") => round::<Ping>,
        ("response", "ping") => round::<Pong>,
        ("pass", "session_ended") => round::<SessionEnded>,
        ("pass", "server_closing") => round::<ServerClosing>,
        ("pass", "dropped") => round::<Dropped>,
        ("request", "create_room") => round::<CreateRoom>,
        ("request", "join_room") => round::<JoinRoom>,
        ("request", "update_room") => round::<UpdateRoom>,
        ("response", "create_room" | "join_room" | "update_room") => round::<Room>,
        ("request", "create_invite") => round::<CreateInvite>,
        ("response", "create_invite") => round::<Invited>,
        ("request", "list_rooms") => round::<ListRooms>,
        ("response", "list_rooms") => round::<RoomList>,
        ("request", "leave_room") => round::<LeaveRoom>,
        ("request", "delete_room") => round::<DeleteRoom>,
        ("request", "kick_player") => round::<KickPlayer>,
        ("request", "set_host") => round::<SetHost>,
        ("response", "leave_room" | "delete_room" | "kick_player" | "set_host") => round::<Changed>,
        ("pass", "self_joined") => round::<SelfJoined>,
        ("pass", "self_left") => round::<SelfLeft>,
        ("pass", "player_joined") => round::<PlayerJoined>,
        ("pass", "player_left") => round::<PlayerLeft>,
        ("pass", "player_updated") => round::<PlayerUpdated>,
        ("pass", "host_changed") => round::<HostChanged>,
        ("pass", "room_updated") => round::<RoomUpdated>,
        _ => panic!("no {kind} is called {name}"),
    };
    again(data)
}

/// What each event of the stock sets is, and each answer.
fn all() -> BTreeSet<(String, String)> {
    let sets = [
        Login::EVENTS,
        SessionNews::EVENTS,
        Rooms::EVENTS,
        RoomNews::EVENTS,
    ];
    let named = |kind: &str, event: &EventInfo| (kind.to_owned(), event.name.to_owned());
    let of = |event: &EventInfo| match event.kind {
        Kind::Request => vec![named("request", event), named("response", event)],
        _ => vec![named("pass", event)],
    };
    sets.into_iter().flatten().flat_map(of).collect()
}

/// The frames that the page shows from one heading to another.
fn frames<'a>(page: &'a str, from: &str, to: Option<&str>) -> impl Iterator<Item = &'a str> {
    let from = page.find(from).unwrap();
    let to = to.map_or(page.len(), |to| page.find(to).unwrap());
    let fences = page[from..to].split("```json\n").skip(1);
    let lines = fences.flat_map(|fence| fence.split("```").next().unwrap().lines());
    lines.map(str::trim).filter(|line| !line.is_empty())
}

#[test]
fn each_example_is_what_its_event_reads_and_writes() {
    let page = include_str!("../../PROTOCOL.md");
    let stock = all();
    let mut shown = BTreeSet::new();
    let of_stock = frames(page, "\n## 9. ", Some("\n## 11. ")).map(|line| (line, true));
    let of_delivery = frames(page, "\n## 12. ", None).map(|line| (line, false));
    for (line, is_stock) in of_stock.chain(of_delivery) {
        Frame::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        let frame: Value = serde_json::from_str(line).unwrap();
        let [kind, name] = ["type", "name"].map(|member| frame[member].as_str().unwrap_or(""));
        let event = (kind.to_owned(), name.to_owned());
        if frame.get("error").is_none() && (is_stock || stock.contains(&event)) {
            // Absent `data` stands for an empty object here.
            let data = frame
                .get("data")
                .cloned()
                .unwrap_or_else(|| serde_json::json!({}));
            assert_eq!(again(kind, name, &data.to_string()), data, "{line}");
            shown.insert(event);
        }
    }
    let missing: Vec<_> = stock.difference(&shown).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
