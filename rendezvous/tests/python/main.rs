//! A client in another language, `tests/python/client.py`, and a typed one meet at the program, talk,
//! and visit each other's rooms: neither can tell what the other is written in.
#![cfg(feature = "program")]

#[path = "../support/process.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod process;

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use protocol_core::{
    AtPeer, Client, Context, Event, EventSet, Inbox, Json, PeerId, Protocol, ignore, inbox,
};
use protocol_tests::run;
use rendezvous::events::{CreateRoom, JoinRoom, ListRooms, RoomNews, UpdateRoom};
use rendezvous::{Login, LoginExt, MyRooms, Rooms, SessionNews};
use tokio::sync::Notify;

use process::serve;

/// Far above what the client takes, below what the test's own watch allows.
const AT_MOST: Duration = Duration::from_secs(20);

/// More digits than a number of most languages has.
const EXACT: &str = "12345678901234567890.000000000000000000001";

#[derive(Debug, Event)]
#[event(pass)]
struct Wave {
    text: String,
}

#[derive(Debug, Event)]
#[event(request, response = Echoed)]
struct Echo(Json);

#[derive(Debug, Event)]
#[event(response)]
struct Echoed(Json);

#[derive(Debug, Event)]
#[event(request, response = Added)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Debug, Event)]
#[event(response)]
struct Added {
    sum: i64,
}

/// The client in Python does not know this.
#[derive(Debug, Event)]
#[event(request, response = Added)]
struct Multiply {}

#[derive(Debug, EventSet)]
enum Between {
    Wave(Wave),
    Echo(Echo),
    Add(Add),
    Multiply(Multiply),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms),
    to_client = (SessionNews, RoomNews),
    to_peer = Between,
)]
struct Meeting;

/// What alice saw, line by line.
type Transcript = Arc<Mutex<Vec<String>>>;

struct Alice {
    transcript: Transcript,
    invited: Arc<Notify>,
}

impl Alice {
    fn note(&self, line: impl Into<String>) {
        self.transcript.lock().unwrap().push(line.into());
    }
}

impl BetweenHandler<Meeting, AtPeer> for Alice {
    async fn on_wave(&self, cx: &Context<Meeting, AtPeer>, event: Wave) {
        self.note(format!("{} waves: {}", cx.from(), event.text));
        if event.text == "come to the lobby" {
            self.invited.notify_one();
        }
        if event.text != "your turn" {
            return;
        }
        let text = "hello yourself".to_owned();
        let confirmed = cx.confirm(Wave { text }).await;
        self.note(format!("confirmed: {confirmed:?}"));
        let sum = cx.request(Add { a: 19, b: 23 }).await.map(|it| it.sum);
        self.note(format!("19 + 23: {sum:?}"));
        let unknown = cx.request(Multiply {}).await.map(|it| it.sum);
        self.note(unknown.unwrap_err().to_string());
    }

    async fn on_echo(&self, cx: &Context<Meeting, AtPeer>, event: Echo) -> Echoed {
        self.note(format!("{} asks: {}", cx.from(), event.0.get()));
        Echoed(event.0)
    }

    async fn on_add(&self, _cx: &Context<Meeting, AtPeer>, event: Add) -> Added {
        Added {
            sum: event.a + event.b,
        }
    }

    async fn on_multiply(&self, _cx: &Context<Meeting, AtPeer>, _event: Multiply) -> Added {
        Added { sum: 0 }
    }
}

/// What the client in Python printed, and whether it ended well; none where there is no Python.
fn run_client(address: SocketAddr) -> Option<(String, bool)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/client.py");
    assert!(script.is_file(), "{} is missing", script.display());
    let mut child = ["python3", "python"].into_iter().find_map(|python| {
        let mut command = Command::new(python);
        command.arg(&script).arg(address.ip().to_string());
        command.arg(address.port().to_string());
        command.env("PYTHONIOENCODING", "utf-8");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        match command.spawn() {
            Ok(child) => Some(child),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{python} does not start: {error}"),
        }
    })?;
    let mut stdout = child.stdout.take().expect("a pipe");
    let (tell, printed) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text).map(|_| text);
        // The test may have given up.
        let _ = tell.send(read);
    });
    let printed = printed.recv_timeout(AT_MOST);
    if printed.is_err() {
        child.kill().expect("a child");
    }
    let ended_well = child.wait().expect("a child").success();
    let printed = printed.expect("the client ends in time").expect("text");
    Some((printed.replace("\r\n", "\n"), ended_well))
}

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
    run(async {
        let server = serve(&["--log=off"]);
        let address = server.address();
        let (transcript, invited) = (Transcript::default(), Arc::new(Notify::new()));
        let alice = Alice {
            transcript: Arc::clone(&transcript),
            invited: Arc::clone(&invited),
        };
        let (on_news, mut news) = inbox(16);
        let connect =
            Client::<Meeting>::connect(address).handle((ignore::<SessionNews>(), on_news, alice));
        let client = connect.await.unwrap();
        client.login("alice").await.unwrap();

        let python = tokio::task::spawn_blocking(move || run_client(address));
        let visiting = async {
            invited.notified().await;
            visit(&client, &mut news).await
        };
        tokio::pin!(python, visiting);
        let (ended, seen) = tokio::select! {
            ended = &mut python => {
                let ended = ended.unwrap();
                // Alice may not have heard of its last deeds yet; of one that failed she never does.
                let seen = match ended {
                    Some((_, true)) => visiting.await,
                    _ => Vec::new(),
                };
                (ended, seen)
            }
            seen = &mut visiting => (python.await.unwrap(), seen),
        };
        let Some((printed, ended_well)) = ended else {
            println!("skipped: no python3 on PATH");
            return;
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
        assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
        assert!(ended_well, "{printed}");

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
