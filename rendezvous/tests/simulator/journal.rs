//! What everybody in a world writes down: who lived when, which calls began and how they ended, and
//! which events were handled. The laws are judged on it, and it is the story that a seed tells.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol_core::{PeerId, RequestError, RoomId, SendError};
use rendezvous::events::{LeaveReason, RoomNews};
use tokio::time::Instant;

use crate::post::Label;
use crate::random::Random;

/// One life of a client or of the server, from its start to its end or crash.
pub(crate) type LifeId = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A confirmed pass.
    Parcel,
    /// A pass that nobody confirms. Its handler sees a parcel; its numbers say which it is.
    Plain,
    Ask,
    Errand,
    Say {
        room: usize,
    },
}

#[derive(Debug)]
pub(crate) struct Life {
    /// Such as `alice#2`.
    pub(crate) name: String,
    pub(crate) died: Option<Duration>,
}

/// How a call ended, as its caller was told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// Confirmed or answered.
    Done,
    /// The handler said no.
    Refused,
    /// It was not executed, by this word.
    Not(String),
    /// Nobody can tell.
    Unknown(String),
    /// The answer is not the one to this call.
    Odd(String),
    /// Given to the link, with no promise.
    Sent,
    /// The caller did not wait for it.
    GivenUp,
}

#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) life: LifeId,
    pub(crate) kind: Kind,
    /// `server`, a peer's name, or a room's.
    pub(crate) to: String,
    pub(crate) number: u64,
    pub(crate) begun: Duration,
    pub(crate) timeout: Duration,
    pub(crate) ends: Vec<(Duration, End)>,
}

#[derive(Debug)]
pub(crate) struct Handled {
    /// Whose handler.
    pub(crate) life: LifeId,
    pub(crate) kind: Kind,
    /// Who sent it, by the server's word.
    pub(crate) from: String,
    pub(crate) label: Label,
    pub(crate) is_done: bool,
}

#[derive(Debug)]
pub(crate) struct Book {
    seed: u64,
    start: Instant,
    pub(crate) lives: Vec<Life>,
    pub(crate) calls: Vec<Called>,
    pub(crate) handled: Vec<Handled>,
    pub(crate) rooms: Vec<RoomId>,
    /// What breaks a law.
    pub(crate) wrong: Vec<String>,
    numbers: BTreeMap<(LifeId, Kind, String), u64>,
    pub(crate) story: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Journal {
    book: Arc<Mutex<Book>>,
}

impl Journal {
    pub(crate) fn new(seed: u64) -> Self {
        let book = Book {
            seed,
            start: Instant::now(),
            lives: Vec::new(),
            calls: Vec::new(),
            handled: Vec::new(),
            rooms: Vec::new(),
            wrong: Vec::new(),
            numbers: BTreeMap::new(),
            story: String::new(),
        };
        Self {
            book: Arc::new(Mutex::new(book)),
        }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody lives from now on; `name` gets a number.
    pub(crate) fn born(&self, name: &str) -> LifeId {
        let mut book = self.book();
        let before = book.lives.iter().filter(|life| life.is_of(name)).count();
        let life = Life {
            name: format!("{name}#{}", before + 1),
            died: None,
        };
        book.lives.push(life);
        book.lives.len() - 1
    }

    /// What the ids of a life come of.
    pub(crate) fn seed(&self, life: LifeId) -> u64 {
        Random::new(self.book().seed ^ ((life as u64) << 32)).below(u64::MAX)
    }

    pub(crate) fn dies(&self, life: LifeId, how: &str) {
        let mut book = self.book();
        let now = book.now();
        book.lives[life].died.get_or_insert(now);
        book.note(life, how);
    }

    pub(crate) fn name(&self, life: LifeId) -> String {
        self.book().lives[life].name.clone()
    }

    /// Writes a line of the story.
    pub(crate) fn note(&self, life: LifeId, text: &str) {
        self.book().note(life, text);
    }

    /// A line of nobody's.
    pub(crate) fn tell(&self, text: &str) {
        self.book().tell(text);
    }

    pub(crate) fn wrong(&self, text: &str) {
        let mut book = self.book();
        book.tell(&format!("WRONG: {text}"));
        book.wrong.push(text.to_owned());
    }

    /// A call begins now: which one it is, and its number.
    pub(crate) fn calls(
        &self,
        life: LifeId,
        kind: Kind,
        to: &str,
        timeout: Duration,
    ) -> (usize, u64) {
        let mut book = self.book();
        // Parcels have one row of numbers, whether they are confirmed or not: a handler cannot tell.
        let row = if kind == Kind::Plain {
            Kind::Parcel
        } else {
            kind
        };
        let number = book.numbers.entry((life, row, to.to_owned())).or_default();
        *number += 1;
        let number = *number;
        let begun = book.now();
        book.note(life, &format!("calls {kind:?} {number} to {to}"));
        book.calls.push(Called {
            life,
            kind,
            to: to.to_owned(),
            number,
            begun,
            timeout,
            ends: Vec::new(),
        });
        (book.calls.len() - 1, number)
    }

    pub(crate) fn ended(&self, call: usize, end: End) {
        let mut book = self.book();
        let now = book.now();
        let called = &mut book.calls[call];
        let (life, text) = (
            called.life,
            format!(
                "{:?} {} to {}: {end:?}",
                called.kind, called.number, called.to
            ),
        );
        called.ends.push((now, end));
        book.note(life, &text);
    }

    /// A handler begins; none where its process is dead, which does nothing any more.
    pub(crate) fn handling(
        &self,
        life: LifeId,
        kind: Kind,
        from: &PeerId,
        label: Label,
    ) -> Option<usize> {
        let mut book = self.book();
        if book.lives[life].died.is_some() {
            return None;
        }
        let text = format!("handles {kind:?} {} of {from}", label.number);
        book.note(life, &text);
        book.handled.push(Handled {
            life,
            kind,
            from: from.to_string(),
            label,
            is_done: false,
        });
        Some(book.handled.len() - 1)
    }

    pub(crate) fn handled(&self, entry: usize) {
        let mut book = self.book();
        let life = book.handled[entry].life;
        if book.lives[life].died.is_none() {
            book.handled[entry].is_done = true;
        }
    }

    pub(crate) fn heard(&self, life: LifeId, news: &RoomNews) {
        let mut book = self.book();
        let text = match news {
            RoomNews::SelfJoined(it) => format!("is in {}: {:?}", book.room(&it.id), it.cause),
            // All rooms end at once, in the order of their ids, which no seed decides.
            RoomNews::SelfLeft(it) if it.reason == LeaveReason::Shutdown => {
                "is out of a room: Shutdown".to_owned()
            }
            RoomNews::SelfLeft(it) => format!("is out of {}: {:?}", book.room(&it.room), it.reason),
            RoomNews::PlayerJoined(it) => {
                format!("sees {} in {}", it.player.id, book.room(&it.room))
            }
            RoomNews::PlayerLeft(it) => {
                let room = book.room(&it.room);
                format!("sees {} leave {room}: {:?}", it.player, it.reason)
            }
            RoomNews::PlayerUpdated(it) => {
                let room = book.room(&it.room);
                format!("sees {} in {room}: {:?}", it.player, it.status)
            }
            RoomNews::HostChanged(it) => format!("sees {} host {}", it.host, book.room(&it.room)),
            RoomNews::RoomUpdated(it) => format!("sees {} changed", book.room(&it.0.id)),
        };
        book.note(life, &text);
    }

    /// The room's name in the story, which is the same whatever its id is.
    pub(crate) fn room(&self, id: &RoomId) -> String {
        self.book().room(id)
    }

    pub(crate) fn rooms(&self) -> Vec<RoomId> {
        self.book().rooms.clone()
    }
}

impl Life {
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.peer() == name
    }

    pub(crate) fn peer(&self) -> &str {
        self.name.split('#').next().unwrap_or_default()
    }
}

impl Book {
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn note(&mut self, life: LifeId, text: &str) {
        let whole = format!("{} {text}", self.lives[life].name);
        self.tell(&whole);
    }

    fn tell(&mut self, text: &str) {
        let ms = self.now().as_millis();
        writeln!(self.story, "{ms:>6} {text}").expect("text can be written to a text");
    }

    fn room(&mut self, id: &RoomId) -> String {
        let known = self.rooms.iter().position(|room| room == id);
        let place = known.unwrap_or_else(|| {
            self.rooms.push(id.clone());
            self.rooms.len() - 1
        });
        format!("room {place}")
    }
}

impl End {
    pub(crate) fn of<T, E>(result: Result<T, RequestError<E>>, fits: impl FnOnce(T) -> bool) -> Self
    where
        E: std::fmt::Display,
    {
        match result {
            Ok(answer) => {
                if fits(answer) {
                    Self::Done
                } else {
                    Self::Odd("another call's answer".to_owned())
                }
            }
            Err(RequestError::Refused(_)) => Self::Refused,
            Err(error) if error.is_unknown() => Self::Unknown(error.to_string()),
            Err(error @ (RequestError::Rejected(_) | RequestError::NotSent(_))) => {
                Self::Not(error.to_string())
            }
            Err(error) => Self::Odd(error.to_string()),
        }
    }

    pub(crate) fn of_sending(result: Result<(), SendError>) -> Self {
        match result {
            Ok(()) => Self::Sent,
            Err(error) => Self::Not(error.to_string()),
        }
    }
}
