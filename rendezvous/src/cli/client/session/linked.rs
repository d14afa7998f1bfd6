//! How a session comes by its link, and how it ends with it.

use std::io;

use protocol_core::wire::{ErrorCode, WireError, write_protocol_error};
use tokio::time::{Instant, timeout, timeout_at};

use super::picture::Picture;
use super::{Session, frames};
use crate::cli::client::command::Field;
use crate::cli::client::connect::{self, Cause, NoLink};
use crate::cli::client::link::LinkError;

impl Session {
    /// Opens a link; why there is none.
    pub(super) async fn connect(&mut self) -> io::Result<Result<(), NoLink>> {
        let (server, within) = (&self.options.server, self.options.timeout);
        let (screen, mut told) = (&mut self.screen, Ok(()));
        let mut tell = |news: &str| {
            if told.is_ok() {
                told = screen.notice(news);
            }
        };
        let opening = connect::open(server, &self.options.security, &mut tell);
        let unreachable = |reason| NoLink::new(Cause::Unreachable, server, reason);
        let opened = tokio::select! {
            biased;
            opened = timeout(within, opening) => opened,
            name = self.signals.next() => {
                self.signal = Some(name);
                return Ok(Err(unreachable(format!("broken off by {name}"))));
            }
        };
        told?;
        let link = match opened {
            Ok(Ok(link)) => link,
            Ok(Err(none)) => return Ok(Err(none)),
            Err(_) => {
                let reason = format!("no answer within {within:?}: check the address");
                return Ok(Err(unreachable(reason)));
            }
        };
        self.link = Some(link);
        self.last_word = None;
        self.turned_away = false;
        self.lost = None;
        Ok(Ok(()))
    }

    /// Adds the token to a login as the id that it belongs to.
    pub(super) fn prove(&self, fields: &mut Vec<Field>) {
        let is_own = fields.contains(&Field::text("id", &self.options.id));
        let is_typed = fields.iter().any(|field| field.key == "token");
        if let (Some(token), true, false) = (&self.options.token, is_own, is_typed) {
            fields.push(Field::text("token", token.expose()));
        }
    }

    /// Nothing more can be read.
    pub(super) async fn broken(&mut self, error: LinkError) -> io::Result<()> {
        let said = self.last_word.take();
        self.last_word = Some(said.unwrap_or_else(|| error.to_string()));
        if let LinkError::Codec(error) = &error {
            let mut word = Vec::new();
            let error = WireError::new(ErrorCode::BadFrame, error.to_string());
            write_protocol_error(&mut word, &error);
            self.write(&word).await?;
        }
        match self.last_word.take() {
            Some(reason) => self.lose(reason),
            // It was lost while that was written.
            None => Ok(()),
        }
    }

    /// The link is over. All that needs it ends.
    pub(super) fn lose(&mut self, reason: String) -> io::Result<()> {
        self.drop_link();
        if self.leaving {
            return Ok(());
        }
        let code = if self.turned_away {
            ErrorCode::EncryptionRequired.as_str()
        } else {
            "link_lost"
        };
        let error = frames::trouble(code, reason.as_str());
        for call in self.calls.take() {
            self.fail(call.ticket, &error)?;
        }
        for wait in self.waits.take() {
            self.fail(wait.ticket, &error)?;
        }
        let notice =
            format!("the link is lost: {reason}; `login ID` connects again, `quit` leaves");
        self.lost = Some(reason);
        if self.options.script || self.turned_away {
            return Ok(());
        }
        self.screen.notice(&notice)
    }

    /// Ends the link in order, as far as that goes until `deadline`.
    pub(super) async fn end_link(&mut self, deadline: Instant) {
        if let Some(link) = &mut self.link {
            let ending = async {
                link.shut().await?;
                // What is not read would have the system break off what was just sent.
                while link.next().await?.is_some() {}
                Ok::<_, LinkError>(())
            };
            // A server that takes nothing, or does not end its half, is left all the same.
            let _ = timeout_at(deadline, ending).await;
        }
        self.drop_link();
    }

    /// There is no link any more, and no session.
    pub(super) fn drop_link(&mut self) {
        self.link = None;
        self.asked.clear();
        self.picture = Picture::default();
        self.known.send_modify(|known| {
            known.me = None;
            known.leave_all();
        });
    }
}
