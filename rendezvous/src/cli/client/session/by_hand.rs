//! Frames that are typed whole, and answers to what others asked.

use std::borrow::Cow;
use std::io;

use protocol_core::wire::{
    Body, Frame, FrameType, WireError, write_error_response, write_head, write_tail,
};

use super::Session;
use super::calls::Ticket;
use super::frames::check_length;
use super::perform::To;

impl Session {
    pub(super) async fn raw(&mut self, ticket: Ticket, text: &str) -> io::Result<()> {
        let mut line = text.as_bytes().to_vec();
        line.push(b'\n');
        let asked = match Frame::parse(text.as_bytes()) {
            Ok(frame) => {
                let peer = frame.dest.map(Cow::into_owned);
                match frame.body {
                    Body::Request { id, name, .. } => Some((FrameType::Request, id, name, peer)),
                    Body::ConfirmPass { id, name, .. } => {
                        Some((FrameType::ConfirmPass, id, name, peer))
                    }
                    _ => None,
                }
            }
            // A server's answer to what is no frame may be just what somebody wants to see.
            Err(_) => None,
        };
        match asked {
            Some((_, id, ..)) if self.calls.has(&id) => {
                self.usage(ticket, &format!("the id `{id}` is in use: write another"))
            }
            Some((kind, id, name, peer)) => {
                let id = Some(id.into_owned());
                let to = To {
                    name: &name,
                    peer,
                    join: None,
                };
                self.send_frame(ticket, line, id, kind, to).await
            }
            None => {
                let to = To {
                    name: "",
                    peer: None,
                    join: None,
                };
                self.send_frame(ticket, line, None, FrameType::Pass, to)
                    .await
            }
        }
    }

    pub(super) async fn answer(
        &mut self,
        ticket: Ticket,
        number: u64,
        answer: Result<String, WireError>,
    ) -> io::Result<()> {
        let done = if answer.is_ok() {
            "answered"
        } else {
            "refused"
        };
        let Some(question) = self.asked.take(number) else {
            let error = format!("nobody waits for an answer to #{number}");
            return self.usage(ticket, &error);
        };
        let dest = question.from.as_deref();
        let mut out = Vec::new();
        match answer {
            Ok(data) => {
                write_head(&mut out, FrameType::Response, dest, None, &question.name);
                out.extend_from_slice(data.as_bytes());
                write_tail(&mut out, FrameType::Response, Some(&question.id));
            }
            Err(error) => {
                write_error_response(&mut out, dest, &question.name, &question.id, &error);
            }
        }
        if let Err(error) = check_length(&out) {
            self.asked.put_back(number, question);
            return self.usage(ticket, &error);
        }
        if self.send(ticket, &out).await? {
            self.screen.done(ticket, done)?;
        }
        Ok(())
    }
}
