//! Rooms in which people talk, each at a terminal of their own: the stock login, the stock rooms,
//! and one event.
//!
//! `cargo run --example chat -- --auto` lets three people talk by a script, over TCP and in one
//! process. `-- --help` says how to talk by hand.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

use protocol_core::{Client, Event, EventSet, Inbox, PeerId, Protocol, Server, inbox};
use rendezvous::events::{
    CreateRoom, JoinRoom, LeaveRoom, ListRooms, LogOut, Player, Room, RoomSummary,
};
use rendezvous::{IgnoreNews, Login, LoginExt, MyRooms, Rendezvous, RoomNews, Rooms, SessionNews};
use tokio::sync::mpsc;

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

/// Somebody at a terminal.
struct Person {
    client: Client<Chat>,
    /// What the server tells of rooms, and the picture of them that it adds up to.
    news: Inbox<RoomNews>,
    rooms: MyRooms,
    /// What others send.
    talk: Inbox<Talk>,
    /// Stands before each line on the screen.
    margin: String,
}

impl Person {
    async fn enter(name: &str, address: &str, margin: String) -> Result<Self, Failure> {
        let ((on_news, news), (on_talk, talk)) = (inbox(256), inbox(256));
        let connecting = Client::connect(address).handle((IgnoreNews, on_news, on_talk));
        let client = connecting.await.map_err(|error| {
            format!("{address}: {error}\nstart a server: cargo run --example chat -- serve")
        })?;
        let login = client.login(name).await;
        login.map_err(|error| format!("{name} cannot log in: {error}"))?;
        Ok(Self {
            client,
            news,
            rooms: MyRooms::default(),
            talk,
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
        let (command, name) = line.split_once(' ').unwrap_or((line, ""));
        let done = match command {
            "" => Ok(()),
            "/rooms" => self.list().await,
            "/join" => self.join(name.trim()).await,
            "/who" => self.room().map(|room| self.show(names(&room.players))),
            "/quit" => self.quit().await,
            _ if command.starts_with('/') => Err("/rooms, /join NAME, /who or /quit".into()),
            _ => self.say(line).await,
        };
        if let Err(error) = done {
            self.show(error);
        }
    }

    /// To all others in the room. The server passes it on; it does not know the event.
    async fn say(&self, text: &str) -> Result<(), Failure> {
        let room = self.client.to_room(&self.room()?.id);
        let text = text.to_owned();
        Ok(room.send(Said { text }).await?)
    }

    async fn list(&self) -> Result<(), Failure> {
        for room in self.rooms_named("").await? {
            let (name, players, seats) = (room.name, room.players, room.capacity);
            self.show(format!("{name}: {players} of {seats}"));
        }
        Ok(())
    }

    async fn join(&self, name: &str) -> Result<(), Failure> {
        let before = self.room().ok();
        if before.is_some_and(|room| room.name == name) {
            return Err("you are there".into());
        }
        // Names are labels: of several rooms with one name, this enters the oldest.
        let mut rooms = self.rooms_named(name).await?.into_iter();
        match rooms.find(|room| room.name == name) {
            Some(room) => self.client.request(JoinRoom::new(room.id)).await?,
            None => self.client.request(CreateRoom::new(name)).await?,
        };
        if let Some(Room { id, .. }) = before {
            self.client.request(LeaveRoom { room: id.clone() }).await?;
        }
        Ok(())
    }

    /// The oldest public rooms with `part` in their name. A hundred are enough for a chat; a
    /// longer list goes on where `cursor` says.
    async fn rooms_named(&self, part: &str) -> Result<Vec<RoomSummary>, Failure> {
        let ask = ListRooms {
            filter: Some(part.to_owned()),
            limit: Some(100),
            cursor: None,
        };
        Ok(self.client.request(ask).await?.rooms)
    }

    async fn quit(&self) -> Result<(), Failure> {
        self.client.request(LogOut {}).await?;
        Ok(())
    }

    /// Waits for what comes next, and shows it; `false` once the link has ended.
    async fn hear(&mut self) -> bool {
        tokio::select! {
            // News first: whoever speaks has joined before.
            biased;
            Some(received) = self.news.next() => self.hear_news(&received.event),
            Some(received) = self.talk.next() => {
                let Talk::Said(Said { text }) = received.event;
                if let Some(speaker) = received.from.filter(|peer| self.is_here(peer)) {
                    // A control character could do anything to the terminal.
                    self.show(format!("{speaker}: {}", text.replace(char::is_control, " ")));
                }
            }
            else => return false,
        }
        true
    }

    /// Peers who are not in the room can send something too, to this one alone.
    fn is_here(&self, peer: &PeerId) -> bool {
        let room = self.room();
        room.is_ok_and(|room| room.players.iter().any(|player| player.id == *peer))
    }

    fn hear_news(&mut self, news: &RoomNews) {
        let line = match news {
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
        };
        self.show(line);
        if let Err(error) = self.rooms.hear(news) {
            self.show(error);
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
    let mut lines = lines();
    loop {
        tokio::select! {
            // What a line leads to is shown before the next is taken.
            biased;
            more = person.hear() => if !more {
                let reason = person.client.closed().await;
                return Err(format!("the link has ended: {reason}").into());
            },
            line = lines.recv() => {
                let line = line.unwrap_or_else(|| "/quit".to_owned());
                person.typed(&line).await;
                if line == "/quit" {
                    return Ok(());
                }
            }
        }
    }
}

/// What is typed. The thread may wait for a line for ever, and the program ends all the same.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    thread::spawn(move || {
        let mut typed = io::stdin().lines().map_while(Result::ok);
        while let Some(line) = typed.next()
            && sender.blocking_send(line.trim().to_owned()).is_ok()
        {}
    });
    lines
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
    ("alice", "I have to go.", "bob carol"),
    ("alice", "/quit", "bob bob carol carol"),
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
            people.get_mut(hearer).ok_or(hearer)?.hear().await;
        }
    }
    rendezvous.shutdown(&server, Duration::from_secs(5)).await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
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
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("{error}");
    ExitCode::FAILURE
}
