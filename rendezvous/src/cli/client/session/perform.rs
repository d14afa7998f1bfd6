//! What each command does.

use std::io;

use protocol_core::wire::{FrameType, WireError};
use tokio::time::Instant;

use super::calls::{Call, Ticket};
use super::frames::{self, check_length, frame, object};
use super::waits::Wait;
use super::{Flow, Session};
use crate::cli::client::command::{Command, Dest, Field, FieldValue, json_text};

/// What a frame is, for the answer to it.
pub(super) struct To<'a> {
    pub(super) name: &'a str,
    pub(super) peer: Option<String>,
    pub(super) join: Option<Vec<Field>>,
}

impl Session {
    pub(super) async fn perform(&mut self, ticket: Ticket, command: Command) -> io::Result<Flow> {
        match command {
            Command::Quit => return Ok(Flow::Leave),
            Command::Help(about) => self.screen.help(ticket, about)?,
            Command::Who(room) => self.who(ticket, room.as_deref())?,
            Command::Server { event, fields } => self.ask_server(ticket, event, fields).await?,
            Command::More => self.more(ticket).await?,
            Command::Event {
                kind,
                to,
                name,
                data,
            } => {
                let dest = to.map(|to| self.dest(to)).transpose();
                match dest {
                    Ok(dest) => {
                        self.send_event(ticket, kind, dest, &name, &data, None)
                            .await?;
                    }
                    Err(error) => self.usage(ticket, &error)?,
                }
            }
            Command::Say { to, text } => self.say(ticket, to, &text).await?,
            Command::Raw(text) => self.raw(ticket, &text).await?,
            Command::Answer { number, data } => self.answer(ticket, number, Ok(data)).await?,
            Command::Refuse {
                number,
                code,
                message,
            } => {
                let error = WireError {
                    code: code.into(),
                    message,
                    data: None,
                };
                self.answer(ticket, number, Err(error)).await?;
            }
            Command::Wait {
                from,
                name,
                at_most,
            } => {
                let wait = Wait {
                    ticket,
                    from,
                    name,
                    deadline: Instant::now() + at_most.unwrap_or(self.options.timeout),
                };
                if self.link.is_none() {
                    self.not_connected(ticket)?;
                } else if self.waits.wait(wait).is_some() {
                    self.screen.done(ticket, "")?;
                }
            }
        }
        Ok(Flow::On)
    }

    /// Asks the server; where it is to log in and there is no link, makes one.
    pub(super) async fn ask_server(
        &mut self,
        ticket: Ticket,
        event: &'static str,
        mut fields: Vec<Field>,
    ) -> io::Result<()> {
        if event == "login" {
            if self.link.is_none()
                && let Err(none) = self.connect().await?
            {
                let error = frames::trouble(none.cause.code(), none.reason);
                return self.fail(ticket, &error);
            }
            self.prove(&mut fields);
        }
        if event == "create_room" && fields.iter().any(Field::is_empty_password) {
            let error = "the password is empty: write one, or leave `password=` out";
            return self.usage(ticket, error);
        }
        if event == "join_room"
            && let Some(name) = self.unknown_room(&fields)
        {
            return self.look_up(ticket, &name, fields).await;
        }
        if event == "list_rooms" {
            self.list = (fields.clone(), None);
        }
        self.request(ticket, event, &fields).await
    }

    /// Asks the server for what is in `fields`.
    pub(super) async fn request(
        &mut self,
        ticket: Ticket,
        event: &'static str,
        fields: &[Field],
    ) -> io::Result<()> {
        let data = object(fields, &self.known.borrow());
        match data {
            Ok(data) => {
                self.send_event(ticket, FrameType::Request, None, event, &data, None)
                    .await
            }
            Err(error) => self.usage(ticket, &error),
        }
    }

    /// The room of a join that may be named, and that nothing is known of.
    fn unknown_room(&self, fields: &[Field]) -> Option<String> {
        let known = self.known.borrow();
        fields.iter().find_map(|field| match &field.value {
            FieldValue::Room(typed) if !known.knows(typed) => Some(typed.clone()),
            _ => None,
        })
    }

    /// Asks for public rooms of that name first.
    async fn look_up(&mut self, ticket: Ticket, name: &str, join: Vec<Field>) -> io::Result<()> {
        let data = format!("{{\"filter\":{}}}", json_text(name));
        let kind = FrameType::Request;
        self.send_event(ticket, kind, None, "list_rooms", &data, Some(join))
            .await
    }

    async fn more(&mut self, ticket: Ticket) -> io::Result<()> {
        let (mut fields, cursor) = self.list.clone();
        let Some(cursor) = cursor else {
            return self.usage(ticket, "there is no more: `rooms` starts a list");
        };
        fields.retain(|field| field.key != "cursor");
        fields.push(Field {
            key: "cursor",
            value: FieldValue::Known(cursor),
        });
        self.ask_server(ticket, "list_rooms", fields).await
    }

    async fn say(&mut self, ticket: Ticket, to: Option<Dest>, text: &str) -> io::Result<()> {
        let rooms: Vec<_> = self.picture.rooms().collect();
        let dest = match (to, &rooms[..]) {
            (Some(to), _) => self.dest(to),
            (None, [room]) => Ok(format!("#{}", room.id)),
            (None, []) => {
                Err("you are in no room: `join` or `create` one, or say to=PEER".to_owned())
            }
            (None, rooms) => Err(format!(
                "you are in {} rooms: say to=#ROOM or to=PEER who is meant",
                rooms.len()
            )),
        };
        match dest {
            Ok(dest) => {
                let data = json_text(text);
                self.send_event(ticket, FrameType::Pass, Some(dest), "say", data.get(), None)
                    .await
            }
            Err(error) => self.usage(ticket, &error),
        }
    }

    /// Sends an event. One that is answered stays open as a call.
    async fn send_event(
        &mut self,
        ticket: Ticket,
        kind: FrameType,
        dest: Option<String>,
        name: &str,
        data: &str,
        join: Option<Vec<Field>>,
    ) -> io::Result<()> {
        let id = (kind != FrameType::Pass).then(|| {
            self.last_id += 1;
            format!("{}-{}", self.process, self.last_id)
        });
        let frame = frame(kind, dest.as_deref(), name, data, id.as_deref());
        self.known.send_modify(|known| {
            known.see_event(name);
            if let Some(peer) = dest.as_deref().filter(|dest| !dest.starts_with('#')) {
                known.see_peer(peer);
            }
        });
        let to = To {
            name,
            peer: dest,
            join,
        };
        self.send_frame(ticket, frame, id, kind, to).await
    }

    pub(super) async fn send_frame(
        &mut self,
        ticket: Ticket,
        frame: Vec<u8>,
        id: Option<String>,
        kind: FrameType,
        to: To<'_>,
    ) -> io::Result<()> {
        if let Err(error) = check_length(&frame) {
            return self.usage(ticket, &error);
        }
        let Some(id) = id else {
            if self.send(ticket, &frame).await? {
                self.screen.done(ticket, "sent")?;
            }
            return Ok(());
        };
        let sent = Instant::now();
        let call = Call {
            ticket,
            kind,
            name: to.name.to_owned(),
            peer: to.peer,
            sent,
            deadline: sent + self.options.timeout,
            join: to.join,
        };
        if self.link.is_none() {
            return self.not_connected(ticket);
        }
        // Open before it is sent: should the link fail, the call ends with it.
        self.calls.open(id, call);
        self.write(&frame).await
    }

    /// Sends bytes for a command that waits for no answer; whether that went well.
    pub(super) async fn send(&mut self, ticket: Ticket, frame: &[u8]) -> io::Result<bool> {
        if self.link.is_none() {
            self.not_connected(ticket)?;
            return Ok(false);
        }
        self.write(frame).await?;
        if self.link.is_some() {
            return Ok(true);
        }
        let error = frames::trouble(
            "link_lost",
            "the link was lost while this was sent".to_owned(),
        );
        self.fail(ticket, &error)?;
        Ok(false)
    }

    /// Sends bytes, or finds that the link is over.
    pub(super) async fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        let Some(link) = &mut self.link else {
            return Ok(());
        };
        let sent = tokio::select! {
            biased;
            sent = link.send(frame) => sent,
            name = self.signals.next() => {
                self.signal = Some(name);
                // Half a frame may be out, so nothing can follow it.
                return self.lose(format!("{name} broke off what was being sent"));
            }
        };
        match sent {
            Ok(()) => Ok(()),
            Err(error) => {
                // The server may have said why, before it went.
                let reason = self.last_word.take();
                self.lose(reason.unwrap_or_else(|| error.to_string()))
            }
        }
    }

    fn who(&mut self, ticket: Ticket, room: Option<&str>) -> io::Result<()> {
        let Some(typed) = room else {
            let rooms: Vec<_> = self.picture.rooms().collect();
            return self.screen.who(ticket, &rooms);
        };
        let id = self.known.borrow().room(typed).map(str::to_owned);
        let id = match id {
            Ok(id) => id,
            Err(error) => return self.usage(ticket, &error),
        };
        let room = self.picture.rooms().find(|room| *room.id == *id);
        if let Some(room) = room {
            return self.screen.who(ticket, &[room]);
        }
        let error = format!("you are in no room `{typed}`: `who` lists those that you are in");
        self.usage(ticket, &error)
    }

    /// Where an event goes, as the wire has it.
    fn dest(&self, to: Dest) -> Result<String, String> {
        match to {
            Dest::Peer(peer) => Ok(peer),
            Dest::Room(typed) => {
                let known = self.known.borrow();
                let id = known.room(&typed)?;
                if self.picture.rooms().any(|room| *room.id == *id) {
                    return Ok(format!("#{id}"));
                }
                Err(format!(
                    "you are in no room `{typed}`: `who` lists those that you are in; a name with \
                     spaces stands in quotes, to=\"#my room\""
                ))
            }
        }
    }

    fn not_connected(&mut self, ticket: Ticket) -> io::Result<()> {
        let error = frames::trouble("not_connected", "there is no link to a server".to_owned());
        self.fail(ticket, &error)
    }
}
