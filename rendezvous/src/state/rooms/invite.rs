//! Codes to join a room by.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
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
    pub code: Secret,
    /// What was asked for.
    pub request: CreateInvite,
}

impl Command for Invite {
    type Reply = Invited;
    type Error = InviteError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Invited, InviteError> {
        let Self { code, request } = self;
        let asked = request.ttl_ms.map(NonZeroU64::get);
        let ttl = asked.map_or(USUAL_TTL, Duration::from_millis);
        let now = turn.now;
        let pass = Pass {
            until: now + ttl.min(LONGEST_TTL),
            uses: request.uses.map(NonZeroU32::get),
        };
        let room = turn.hosted(&request.room).ok_or(InviteError::NotHost)?;
        let key = Code(code.expose().into());
        let ended = room.invites.make_place(now);
        room.invites.0.insert(key.clone(), pass);
        for ended in ended {
            turn.rooms.by_invite.remove(&ended);
        }
        turn.rooms.by_invite.insert(key, request.room);
        Ok(Invited { invite: code })
    }

    fn session_over() -> InviteError {
        InviteError::NotHost
    }
}

/// A code as a key. Whoever sees it could use it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Code(Box<str>);

impl Borrow<str> for Code {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The codes of one room.
#[derive(Debug, Default)]
pub(super) struct Invites(HashMap<Code, Pass>);

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
    pub(super) fn codes(&self) -> impl Iterator<Item = &Code> {
        self.0.keys()
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

    /// Where all places are taken, takes out the codes that hold no more, or the one that ends first.
    /// Before that they stay, so that whoever joined by one can ask again.
    fn make_place(&mut self, now: Instant) -> Vec<Code> {
        if self.0.len() < MAX_INVITES {
            return Vec::new();
        }
        let ended = self.0.extract_if(|_, pass| !pass.holds(now));
        let mut ended: Vec<_> = ended.map(|(code, _)| code).collect();
        if ended.is_empty()
            && let Some((first, _)) = self.0.iter().min_by_key(|&(code, pass)| (pass.until, code))
        {
            let first = first.clone();
            self.0.remove(&first);
            ended.push(first);
        }
        ended
    }
}
