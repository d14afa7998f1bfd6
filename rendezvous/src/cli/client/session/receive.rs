//! What arrives: answers to calls, and events, which are shown and answered.

use std::io;

use protocol_core::Json;
use protocol_core::wire::{
    Body, Delivery, ErrorCode, Frame, FrameType, RawData, WireError, write_acknowledgement,
    write_error_response, write_protocol_error,
};
use tokio::time::Instant;

use super::calls::{Asked, Call};
use super::{FAREWELL, Session};
use crate::cli::client::link::Link;
use crate::cli::client::show::Event;
use crate::events::{LoggedIn, RoomList};

impl Session {
    /// Takes a line in.
    pub(super) async fn receive(&mut self, line: &[u8]) -> io::Result<()> {
        let frame = match Frame::parse(line) {
            Ok(frame) => frame,
            Err(error) => {
                let mut word = Vec::new();
                write_protocol_error(&mut word, &WireError::new(error.code(), error.to_string()));
                self.write(&word).await?;
                return self.lose(format!("the server sent a line that is no frame: {error}"));
            }
        };
        let (from, dest) = (frame.from.as_deref(), frame.dest.as_deref());
        match &frame.body {
            Body::Pass { name, data } if from.is_none() && name == "protocol_error" => {
                self.last_word(&WireError::parse(*data)).await
            }
            Body::Pass { name, data } => self.event(FrameType::Pass, from, dest, name, *data, None),
            Body::ConfirmPass { id, name, data } => {
                self.event(FrameType::ConfirmPass, from, dest, name, *data, None)?;
                let mut out = Vec::new();
                write_acknowledgement(&mut out, from, id, &Delivery::default(), None);
                self.write(&out).await
            }
            Body::Request { id, name, data } => {
                let number = self.asked.ask(from, id, name, Instant::now());
                self.event(FrameType::Request, from, dest, name, *data, number)?;
                if number.is_some() {
                    return Ok(());
                }
                let most = Asked::MOST;
                let error = WireError::new(
                    ErrorCode::Busy,
                    format!("{most} requests wait for an answer that is typed by hand"),
                );
                let mut out = Vec::new();
                write_error_response(&mut out, from, name, id, &error);
                self.write(&out).await
            }
            Body::Acknowledgement { id, error } => {
                let result = match error {
                    Some(error) => Err(*error),
                    None => Ok(RawData::NULL),
                };
                self.answered(id, FrameType::ConfirmPass, from, result)
                    .await
            }
            Body::Response { id, result, .. } => {
                self.answered(id, FrameType::Response, from, *result).await
            }
            // Of a later version (`PROTOCOL.md` §3).
            _ => Ok(()),
        }
    }

    fn event(
        &mut self,
        kind: FrameType,
        from: Option<&str>,
        dest: Option<&str>,
        name: &str,
        data: RawData<'_>,
        number: Option<u64>,
    ) -> io::Result<()> {
        let data = data.to_json();
        let mut sentence = None;
        self.known.send_modify(|known| {
            known.see_event(name);
            match from {
                Some(peer) => known.see_peer(peer),
                None => sentence = self.picture.hear(name, &data, known),
            }
        });
        if from.is_none() && name == "server_closing" {
            self.last_word = Some("the server stops".to_owned());
        }
        if from.is_none() && name == "session_ended" {
            self.last_word.clone_from(&sentence);
        }
        if self.leaving {
            return Ok(());
        }
        let event = Event {
            kind,
            from,
            dest,
            name,
            data: &data,
            number,
        };
        self.screen.event(&event, sentence)?;
        match self.waits.arrive(from, name) {
            Some(wait) => self.screen.done(wait.ticket, ""),
            None => Ok(()),
        }
    }

    async fn answered(
        &mut self,
        id: &str,
        kind: FrameType,
        from: Option<&str>,
        result: Result<RawData<'_>, RawData<'_>>,
    ) -> io::Result<()> {
        let asked = match kind {
            FrameType::Response => FrameType::Request,
            kind => kind,
        };
        let Some(call) = self.calls.answered(id, asked, from, result.is_err()) else {
            // Too late, or to nothing that was asked (`PROTOCOL.md` §3).
            return Ok(());
        };
        let data = match result {
            Ok(data) => data.to_json(),
            Err(error) => return self.refused(call.ticket, from, &WireError::parse(error)),
        };
        if call.peer.is_none() && asked == FrameType::Request {
            self.learn(&call, &data);
        }
        if call.peer.is_none() && call.name == "logout" && !self.leaving {
            // The server ends the link next.
            self.end_link(Instant::now() + FAREWELL).await;
        }
        if let Some(join) = &call.join {
            return self.request(call.ticket, "join_room", join).await;
        }
        if self.leaving {
            return Ok(());
        }
        let server = self.link.as_ref().map(Link::server);
        self.screen
            .answered(&call, &data, call.sent.elapsed(), server)
    }

    /// What an answer of the server's says about this client or about rooms.
    fn learn(&mut self, call: &Call, data: &Json) {
        match &*call.name {
            "login" => {
                let Ok(answer) = data.decode::<LoggedIn>() else {
                    return;
                };
                self.known.send_modify(|known| {
                    known.see_peer(&answer.id);
                    known.me = Some(answer.id.as_str().to_owned());
                    for room in answer.rooms {
                        self.picture.enter(room, known);
                    }
                });
            }
            "list_rooms" => {
                let Ok(answer) = data.decode::<RoomList>() else {
                    return;
                };
                // What was looked up for a join is no list that `more` goes on with.
                let is_whole = call.join.is_none() && self.list.0.is_empty();
                let ends = answer.cursor.is_none();
                if call.join.is_none() {
                    let cursor = answer.cursor;
                    self.list.1 = cursor.and_then(|cursor| Json::from_value(&cursor).ok());
                }
                self.known.send_modify(|known| {
                    if is_whole && ends {
                        let listed: Vec<_> = answer.rooms.iter().map(|room| &*room.id).collect();
                        known.keep_rooms(&listed);
                    }
                    for room in &answer.rooms {
                        let inside = self.picture.rooms().any(|own| own.id == room.id);
                        known.see_room(&room.id, &room.name, inside);
                        known.see_peer(&room.host);
                    }
                });
            }
            _ => {}
        }
    }

    /// The server has said its last word: nothing more is sent (`PROTOCOL.md` §7).
    async fn last_word(&mut self, error: &WireError) -> io::Result<()> {
        self.turned_away = error.standard() == Some(ErrorCode::EncryptionRequired);
        self.last_word = Some(if self.turned_away {
            "the server takes encrypted links only".to_owned()
        } else {
            format!("the server ended it: {error}")
        });
        let Some(link) = &mut self.link else {
            return Ok(());
        };
        if link.shut().await.is_err() {
            let reason = self.last_word.take().unwrap_or_default();
            return self.lose(reason);
        }
        Ok(())
    }
}
