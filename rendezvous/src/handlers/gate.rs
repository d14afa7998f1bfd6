//! Who may send what: strangers may log in and ask for a sign of life, peers reach each other.

use std::sync::atomic::Ordering;
use std::time::Instant;

use protocol_core::{Context, ErrorCode, Event, Gate, Protocol, Receivers, Relay, WireError};

use crate::config::Reach;
use crate::events::{LogIn, LogOut, Ping};
use crate::metrics;
use crate::service::Rendezvous;
use crate::state::Directory;

impl<P: Protocol, D: Directory> Gate<P> for Rendezvous<D> {
    fn admit(&self, cx: &Context<P>, name: &str) -> Result<(), WireError> {
        if name == Ping::NAME {
            return Ok(());
        }
        if self.inner.closing.load(Ordering::Relaxed) && name != LogOut::NAME {
            let text = "the server is about to stop";
            return Err(WireError::new(ErrorCode::ShuttingDown, text));
        }
        if cx.peer().is_some() {
            return Ok(());
        }
        if name != LogIn::NAME {
            let text = "log in before you send anything else";
            return Err(WireError::new(ErrorCode::NotLoggedIn, text));
        }
        let address = cx.address().map(|address| address.ip());
        let granted = self.attempts().may_log_in(Instant::now(), address);
        granted.map_err(|retry_after| {
            metrics::count(metrics::LOGINS_LIMITED);
            let text = "too many logins from this address";
            WireError::rate_limited(retry_after, text)
        })
    }
}

/// Any logged-in peer reaches any other, or those with whom it shares a room; and the other members
/// of its rooms.
impl<P: Protocol, D: Directory> Relay<P> for Rendezvous<D> {
    fn to_peer(&self, cx: &Context<P>, peer: &str, _name: &str) -> Result<(), WireError> {
        let may_reach = match self.inner.config.relay {
            Reach::All => true,
            Reach::Rooms => {
                let me = cx.peer();
                me.is_some_and(|me| self.inner.directory.share_room(me, peer))
            }
        };
        if may_reach {
            return Ok(());
        }
        let text = "here peers reach each other only while they share a room";
        Err(WireError::new(ErrorCode::NotAllowed, text))
    }

    fn pass_to_room(&self, cx: &Context<P>, room: &str, receivers: &mut Receivers<'_>) -> bool {
        cx.peer().is_some_and(|me| {
            let directory = &self.inner.directory;
            directory.visit_others(room, me, &mut |line| receivers.add(line))
        })
    }
}
