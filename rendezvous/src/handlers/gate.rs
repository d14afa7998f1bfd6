//! Who may send what: strangers may log in and ask for a sign of life, peers reach each other.

use std::time::Instant;

use protocol_core::{Context, ErrorCode, Event, Gate, Protocol, Relay, WireError};

use crate::events::{LogIn, Ping};
use crate::service::Rendezvous;
use crate::state::Directory;

impl<P: Protocol, D: Directory> Gate<P> for Rendezvous<D> {
    fn admit(&self, cx: &Context<P>, name: &str) -> Result<(), WireError> {
        if cx.peer().is_some() || name == Ping::NAME {
            return Ok(());
        }
        if name != LogIn::NAME {
            let text = "log in before you send anything else";
            return Err(WireError::new(ErrorCode::NotLoggedIn, text));
        }
        let address = cx.address().map(|address| address.ip());
        let granted = self.attempts().may_try(Instant::now(), address);
        granted.map_err(|retry_after| {
            let text = "too many logins from this address";
            WireError::rate_limited(retry_after, text)
        })
    }
}

/// Any logged-in peer reaches any other.
impl<P: Protocol, D: Directory> Relay<P> for Rendezvous<D> {
    fn to_peer(&self, _cx: &Context<P>, _peer: &str, _name: &str) -> Result<(), WireError> {
        Ok(())
    }
}
