//! Codes to join a room by.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Command, Turn};
use crate::events::{CreateInvite, InviteError, Invited, Secret};

/// Codes that a room has at once.
const MAX_INVITES: usize = 64;

/// For how long a code holds where nothing is said.
const USUAL_TTL: Duration = Duration::from_hours(24);

/// For how long a code holds at most.
const LONGEST_TTL: Duration = Duration::from_hours(30 * 24);

/// Makes a code for a room by its host's wish.
#[derive(Debug)]
pub struct Invite {
    /// A text that nobody can guess and that was no code before.
    pub code: String,
    /// What was asked for.
    pub request: CreateInvite,
}

impl Command for Invite {
    type Reply = Invited;
    type Error = InviteError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Invited, InviteError> {
        let Self { code, request } = self;
        let ttl = request.ttl_ms.map_or(USUAL_TTL, Duration::from_millis);
        let now = turn.now;
        let pass = Pass {
            until: now + ttl.min(LONGEST_TTL),
            uses: request.uses,
        };
        let room = turn.hosted(&request.room).ok_or(InviteError::NotHost)?;
        let ended = room.invites.make_place(now);
        let max = MAX_INVITES;
        let fits = room.invites.0.len() < max;
        if fits {
            room.invites.0.insert(code.as_str().into(), pass);
        }
        for ended in ended {
            turn.rooms.by_invite.remove(&ended);
        }
        if !fits {
            return Err(InviteError::TooManyInvites { max });
        }
        turn.rooms
            .by_invite
            .insert(code.as_str().into(), request.room);
        Ok(Invited {
            invite: Secret::new(code),
        })
    }

    fn session_over() -> InviteError {
        InviteError::NotHost
    }
}

/// The codes of one room.
#[derive(Debug, Default)]
pub(super) struct Invites(HashMap<Box<str>, Pass>);

#[derive(Debug)]
struct Pass {
    until: Instant,
    /// How many may still join by it; none for any number.
    uses: Option<u32>,
}

impl Pass {
    fn holds(&self, now: Instant) -> bool {
        self.until > now && self.uses != Some(0)
    }
}

impl Invites {
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|code| &**code)
    }

    pub(super) fn holds(&self, code: &str, now: Instant) -> bool {
        self.0.get(code).is_some_and(|pass| pass.holds(now))
    }

    /// Takes note that somebody joined by a code.
    pub(super) fn used(&mut self, code: &str) {
        if let Some(uses) = self.0.get_mut(code).and_then(|pass| pass.uses.as_mut()) {
            *uses = uses.saturating_sub(1);
        }
    }

    /// Where all places are taken, takes out the codes that hold no more. Before that they stay, so
    /// that whoever joined by one can ask again.
    fn make_place(&mut self, now: Instant) -> Vec<Box<str>> {
        if self.0.len() < MAX_INVITES {
            return Vec::new();
        }
        let ended = self.0.extract_if(|_, pass| !pass.holds(now));
        ended.map(|(code, _)| code).collect()
    }
}
