//! Rooms in which people talk, each at a terminal of their own: the stock login, the stock rooms,
//! and one event.
//!
//! `cargo run --example chat -- --auto` lets three people talk by a script, over TCP and in one
//! process. `-- --help` says how to talk by hand.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use protocol_core::{
    Client, ClientState, ClientStates, Event, EventSet, Inbox, Protocol, Server, ignore, queue,
};
use rendezvous::events::{CreateRoom, JoinRoom, LeaveRoom, ListRooms, Player, Room};
use rendezvous::{Login, LoginExt, MyRooms, Rendezvous, RoomNews, Rooms, SessionNews};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

const ADDRESS: &str = "127.0.0.1:7766";

const HELP: &str = "\
Rooms in which people talk. Each command in a terminal of its own:

  cargo run --example chat -- serve [ADDRESS]   the server, by default on 127.0.0.1:7766
  cargo run --example chat -- NAME [ADDRESS]    somebody who talks, such as alice
  cargo run --example chat -- --auto            alice, bob and carol by a script, and their server

`rendezvous serve` does as a server too. What somebody can type:

  /rooms       which rooms there are
  /join NAME   enter the room of this name; where there is none, make it
  /who         who is in the room
  /quit        leave, as does Ctrl-D
  all else     is said to the room";

/// What people send each other.
#[derive(Debug, Event)]
#[event(pass, max_size = "4KiB")]
struct Said {
    text: String,
}

#[derive(Debug, EventSet)]
enum Talk {
    Said(Said),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms),
    to_client = (SessionNews, RoomNews),
    to_peer = Talk
)]
struct Chat;

type Failure = Box<dyn Error>;

/// What somebody hears, in the order in which it came.
enum Heard {
    Server(RoomNews),
    People(Talk),
}

/// Somebody at a terminal.
struct Person {
    client: Client<Chat>,
    /// What becomes of the link.
    states: ClientStates,
    inbox: Inbox<Heard>,
    /// The picture of the rooms that the news add up to.
    rooms: MyRooms,
    /// Stands before each line on the screen.
    margin: String,
}

impl Person {
    async fn enter(name: &str, address: &str, margin: String) -> Result<Self, Failure> {
        let (queue, inbox) = queue(256);
        let handlers = (
            ignore::<SessionNews>(),
            queue.of(Heard::Server),
            queue.of(Heard::People),
        );
        let connecting = Client::connect(address).handle(handlers);
        let client = connecting.await.map_err(|error| {
            format!("{address}: {error}\nstart a server: cargo run --example chat -- serve")
        })?;
        let login = client.login(name).await;
        login.map_err(|error| format!("{name} cannot log in: {error}"))?;
        Ok(Self {
            states: client.states(),
            client,
            inbox,
            rooms: MyRooms::default(),
            margin,
        })
    }

    fn show(&self, line: impl Display) {
        println!("{}{line}", self.margin);
    }

    /// The room that is talked to. `join` leaves the one before, so there is one at a time.
    fn room(&self) -> Result<&Room, Failure> {
        let room = self.rooms.iter().last();
        room.ok_or_else(|| "you are in no room: /join NAME".into())
    }

    /// Does what was typed. What goes wrong is shown, and the talk goes on.
    async fn typed(&self, line: &str) {
        if let Err(error) = self.obey(line).await {
            self.show(error);
        }
    }

    async fn obey(&self, line: &str) -> Result<(), Failure> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => {}
            ("/rooms", _) => {
                // The fifty oldest; a longer list goes on where `cursor` says.
                for room in self.client.request(ListRooms::default()).await?.rooms {
                    let (name, players, seats) = (room.name, room.players, room.capacity);
                    self.show(format!("{name}: {players} of {seats}"));
                }
            }
            ("/join", name) => self.join(name.trim()).await?,
            ("/who", _) => self.show(names(&self.room()?.players)),
            // Logs out, unless there is no link now.
            ("/quit", _) => self.client.clone().close().await,
            (command, _) if command.starts_with('/') => {
                return Err("/rooms, /join NAME, /who or /quit".into());
            }
            _ => {
                // To all others in the room. The server passes it on; it does not know the event.
                let (room, text) = (self.client.to_room(&self.room()?.id), line.to_owned());
                room.send(Said { text }).await?;
            }
        }
        Ok(())
    }

    async fn join(&self, name: &str) -> Result<(), Failure> {
        let ask = ListRooms {
            filter: Some(name.to_owned()),
            ..ListRooms::default()
        };
        // Names are labels: of several rooms with one name, this enters the oldest.
        let mut rooms = self.client.request(ask).await?.rooms.into_iter();
        let room = match rooms.find(|room| room.name == name) {
            Some(room) => self.client.request(JoinRoom::new(room.id)).await?,
            None => self.client.request(CreateRoom::new(name)).await?,
        };
        // Whoever is in that room already stays there.
        for before in self.rooms.iter().filter(|before| before.id != room.id) {
            let room = before.id.clone();
            self.client.request(LeaveRoom { room }).await?;
        }
        Ok(())
    }

    /// Waits for what comes next, and shows it. Dropping the future loses nothing.
    async fn hear(&mut self) -> Result<(), Failure> {
        let received = tokio::select! {
            // What came before the link was lost is shown before that.
            biased;
            received = self.inbox.next() => received,
            Some(state) = self.states.next() => {
                self.hear_of_link(&state);
                return Ok(());
            }
        };
        let Some(received) = received else {
            let reason = self.client.closed().await;
            return Err(format!("the link has ended: {reason}").into());
        };
        match (received.event, received.from, received.room) {
            (Heard::Server(news), ..) => {
                self.show(self.line_of(&news));
                self.rooms.hear(&news)?;
            }
            (Heard::People(Talk::Said(said)), Some(speaker), Some(_)) => {
                // A control character could do anything to the terminal.
                let text = said.text.replace(char::is_control, " ");
                self.show(format!("{speaker}: {text}"));
            }
            // Somebody who is not there can say something too, but to no room.
            (Heard::People(_), ..) => {}
        }
        Ok(())
    }

    /// The client gets another link by itself.
    fn hear_of_link(&mut self, state: &ClientState) {
        match state {
            ClientState::Reconnecting(_) => self.show("the link is lost, wait or /quit"),
            ClientState::Resumed => self.show("the link is back"),
            ClientState::Connected => {
                // A new session, as when the server was started again.
                self.rooms = MyRooms::default();
                self.show("the link is back, and you are in no room: /join NAME");
            }
            _ => {}
        }
    }

    fn line_of(&self, news: &RoomNews) -> String {
        match news {
            RoomNews::SelfJoined(room) => {
                format!("you are in {}: {}", room.name, names(&room.players))
            }
            RoomNews::SelfLeft(left) => {
                let name = self.rooms.get(&left.room).map(|room| &*room.name);
                format!("you are no longer in {}", name.unwrap_or_default())
            }
            RoomNews::PlayerJoined(joined) => format!("{} joins", joined.player.id),
            RoomNews::PlayerLeft(left) => format!("{} leaves", left.player),
            RoomNews::HostChanged(changed) => format!("{} is the host now", changed.host),
            RoomNews::RoomUpdated(_) | RoomNews::PlayerUpdated(_) => "something has changed".into(),
        }
    }
}

fn names(players: &[Player]) -> String {
    let names = players.iter().map(|player| player.id.as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// Talks by hand until `/quit`, Ctrl-D or the end of the link.
async fn talk(name: &str, address: &str) -> Result<(), Failure> {
    let mut person = Person::enter(name, address, String::new()).await?;
    person.show("/join NAME, /rooms, /who, /quit; all else is said to your room");
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            // What a line leads to is shown before the next is taken.
            biased;
            heard = person.hear() => heard?,
            line = lines.next_line() => {
                let line = line?.unwrap_or_else(|| "/quit".to_owned());
                person.typed(line.trim()).await;
                if line.trim() == "/quit" {
                    return Ok(());
                }
            }
        }
    }
}

async fn open(address: &str) -> Result<(Rendezvous, Server<Chat>), Failure> {
    let rendezvous = Rendezvous::default();
    let bind = rendezvous.bind(address).handle(rendezvous.clone());
    let server = bind.await.map_err(|error| format!("{address}: {error}"))?;
    Ok((rendezvous, server))
}

async fn serve(address: &str) -> Result<(), Failure> {
    let (rendezvous, server) = open(address).await?;
    println!("listening on {}", server.address());
    tokio::signal::ctrl_c().await?;
    rendezvous.shutdown(&server, Duration::from_secs(5)).await;
    Ok(())
}

/// Who types what, and who hears of it: one name for each thing that is heard.
const SCRIPT: [(&str, &str, &str); 13] = [
    ("alice", "/join tea", "alice"),
    ("bob", "/rooms", ""),
    ("bob", "/join tea", "bob alice"),
    ("bob", "Good morning! Is there tea?", "alice"),
    ("alice", "Help yourself.", "bob"),
    ("carol", "Me too, please.", ""),
    ("carol", "/join tea", "carol alice bob"),
    ("carol", "Me too, please.", "alice bob"),
    ("alice", "I have to go.", ""),
    ("alice", "/quit", "bob bob bob carol carol carol"),
    ("carol", "/join garden", "carol carol bob"),
    ("bob", "/who", ""),
    ("bob", "/rooms", ""),
];

async fn auto() -> Result<(), Failure> {
    let (rendezvous, server) = open("127.0.0.1:0").await?;
    let address = server.address().to_string();
    let mut people = BTreeMap::new();
    for name in ["alice", "bob", "carol"] {
        let margin = format!("{name:<5} | ");
        people.insert(name, Person::enter(name, &address, margin).await?);
    }
    for (name, line, hearers) in SCRIPT {
        println!("{name:<5} > {line}");
        people[name].typed(line).await;
        for hearer in hearers.split_whitespace() {
            people.get_mut(hearer).ok_or(hearer)?.hear().await?;
        }
    }
    rendezvous.shutdown(&server, Duration::from_secs(5)).await;
    Ok(())
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let address = args.next().unwrap_or_else(|| ADDRESS.to_owned());
    let done = match name.as_str() {
        "--auto" => auto().await,
        "serve" => serve(&address).await,
        "" | "-h" | "--help" => {
            println!("{HELP}");
            Ok(())
        }
        name if name.starts_with('-') => Err(HELP.into()),
        name => talk(name, &address).await,
    };
    if let Err(error) = done {
        eprintln!("{error}");
        // Unlike a return, this does not wait for another line to be typed.
        std::process::exit(1);
    }
}
