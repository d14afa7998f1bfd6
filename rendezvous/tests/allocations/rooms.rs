//! What members of a room send to all of it.

use protocol_core::Protocol;
use rendezvous::{Config, Login, Rendezvous, RoomNews, Rooms, SessionNews};
use serde_json::json;

use crate::peer::Peer;
use crate::server::{self, Running};
use crate::tally;
use crate::work::{data, lines};

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Login, Rooms), to_client = (SessionNews, RoomNews))]
struct Stock;

/// Without a limit that holds the sender back.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.server.connection.rate_in = None;
    config
}

pub(crate) fn start(rendezvous: Rendezvous) -> Running {
    server::start(move || async move {
        let bind = rendezvous.bind::<Stock>("127.0.0.1:0");
        bind.handle(rendezvous.clone()).await.expect("binds")
    })
}

#[test]
fn a_pass_to_a_room_takes_one_buffer() {
    let running = start(Rendezvous::new(config()));
    let mut members: Vec<_> = (0..10)
        .map(|number| Peer::enter(running.address, "login", &format!("member-{number}")))
        .collect();
    let (alice, others) = members.split_first_mut().expect("there are ten");
    let room = alice.ask("create_room", &json!({"name": "lobby"}));
    let room = room["data"]["id"].as_str().expect("an id").to_owned();
    for other in &mut *others {
        let joined = other.ask("join_room", &json!({"room": &room}));
        assert_eq!(joined["data"]["id"], room, "{joined}");
    }
    // Whatever they heard of each other's coming is read before what is counted.
    for other in &mut *others {
        other.ask("ping", &json!({}));
    }
    let excess = tally::check("pass to a room of ten", running.meter, 1, |numbers| {
        alice.write(&lines(&numbers, |_, data| {
            format!(r##"{{"type":"pass","dest":"#{room}","name":"tell","data":{data}}}"##)
        }));
        for other in &mut *others {
            for number in numbers.clone() {
                other.expect(&[r#""from":"member-0""#, r#""type":"pass""#, &data(number)]);
            }
        }
    });
    assert!(excess.is_empty(), "{excess:#?}");
}
