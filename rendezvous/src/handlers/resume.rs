//! Sessions that outlive their link: resumed, replaced, and what others hear of that (`PROTOCOL.md` §12).

use std::time::Duration;

use protocol_core::{
    Context, Encoded, Includes, LinkStatus, Protocol, Recipient, SessionTerms, ToClient,
};

use super::identity::Proof;
use crate::events::{
    Dropped, LeaveReason, LogIn, LoggedIn, LoginError, PlayerStatus, Secret, SessionEnd,
    SessionEnded, SessionNews,
};
use crate::metrics;
use crate::service::{Rendezvous, in_ms};
use crate::state::{Directory, PeerName, ResumeToken};

/// The longest text by which a client's process tells its lives apart (`PROTOCOL.md` §3).
const MAX_INC_BYTES: usize = 64;

/// How long the end of an earlier session is awaited, which takes no time where its driver is not stuck.
const LAST_CHANCE: Duration = Duration::from_secs(2);

/// A life is told by 1 to 64 bytes without control characters.
pub(super) fn check_inc(inc: Option<&str>) -> Result<(), LoginError> {
    let fits =
        |inc: &str| (1..=MAX_INC_BYTES).contains(&inc.len()) && !inc.chars().any(char::is_control);
    if inc.is_none_or(fits) {
        return Ok(());
    }
    Err(LoginError::IncInvalid)
}

/// What resumes a session of such a grace: what the client gets, and what is kept of it.
pub(super) fn resume_token(grace: Duration) -> Result<Option<(Secret, ResumeToken)>, LoginError> {
    if grace.is_zero() {
        return Ok(None);
    }
    let mut random = [0; 16];
    match getrandom::fill(&mut random) {
        Ok(()) => Ok(Some(ResumeToken::issue(random))),
        Err(error) => {
            tracing::error!(%error, "the system gives no random numbers");
            Err(LoginError::NotKept)
        }
    }
}

/// Ends a connection whose peer has come by another one, so that its name is free.
pub(super) async fn cut_off<P: Protocol>(cx: &Context<P>, whose: impl Into<Recipient>) {
    // Whoever finds the name taken all the same tries again.
    let _ = tokio::time::timeout(LAST_CHANCE, cx.to(whose).replace()).await;
}

impl<D: Directory> Rendezvous<D> {
    /// For how long a session outlives its link.
    pub(super) fn grace(&self, event: &LogIn) -> Duration {
        let asked = Duration::from_millis(event.grace_ms.unwrap_or(0));
        if asked > self.inner.config.grace {
            metrics::count(metrics::GRACES_CUT);
        }
        asked.min(self.inner.config.grace)
    }

    pub(super) fn terms(&self, event: &LogIn, session: &str) -> SessionTerms {
        SessionTerms {
            inc: self.inner.inc.as_str().into(),
            far_inc: event.inc.as_deref().map(Into::into),
            stamp: Some(session.into()),
        }
    }

    /// Goes on with a session on another link.
    pub(super) async fn resume<P: Protocol>(
        &self,
        cx: &Context<P>,
        peer: &PeerName,
        token: &Secret,
        event: &LogIn,
    ) -> Result<LoggedIn, LoginError> {
        let (secret, next) =
            resume_token(self.inner.config.grace)?.ok_or(LoginError::ResumeFailed)?;
        let directory = &self.inner.directory;
        let resumed = directory.resume(peer, &ResumeToken::of(token), next).await;
        let session = resumed.map_err(|_| LoginError::ResumeFailed)?;
        let received = event.received.unwrap_or(0);
        let inc = event.inc.as_deref();
        let Some(grace) = cx.resume_session(session.connection, inc, received) else {
            // It cannot be taken up any more, and the one whose it is wants to log in anew.
            self.leave(session.connection, LeaveReason::GraceExpired);
            cut_off(cx, session.connection).await;
            return Err(LoginError::ResumeFailed);
        };
        Ok(LoggedIn {
            id: session.peer.id().clone(),
            session: session.id,
            inc: self.inner.inc.clone(),
            resume: Some(secret),
            grace_ms: in_ms(grace),
            resumed: true,
            rooms: Vec::new(),
        })
    }

    /// Whether a login has shown that it is the peer that has the id now, not another that wants it.
    pub(super) fn is_same_peer<P: Protocol>(
        &self,
        cx: &Context<P>,
        peer: &PeerName,
        proof: Proof,
    ) -> bool {
        let key = cx.identity().key();
        match proof {
            Proof::Token | Proof::Key => true,
            Proof::NotAsked => key.is_some() && self.inner.bindings.key_of(peer) == key,
        }
    }

    /// Ends the session that a peer has, since it has logged in anew; unless that is another life's, and
    /// the login was nobody's wish.
    pub(super) async fn replace<P>(&self, cx: &Context<P>, peer: &PeerName, event: &LogIn)
    where
        P: Protocol + Includes<ToClient, SessionNews>,
    {
        let Some(old) = self.inner.directory.session_of(peer) else {
            return;
        };
        let is_same_life = event.inc.is_some() && cx.inc_of(old.connection) == event.inc;
        if event.replace == Some(false) && !is_same_life {
            return;
        }
        metrics::count(metrics::SESSIONS_REPLACED);
        let ended = SessionEnded {
            reason: SessionEnd::Replaced,
            may_resume: false,
        };
        self.leave(old.connection, LeaveReason::Left);
        // Whoever has no room for it in their queue sees the link's end.
        let _ = cx.to_many([old.connection]).send(ended).await;
        cut_off(cx, old.connection).await;
    }

    /// A frame has come on the link that the session has now, so that an earlier token holds no more.
    pub(super) fn settle<P: Protocol>(&self, cx: &Context<P>) {
        let Some(peer) = cx.peer().and_then(|peer| PeerName::new(peer.as_str()).ok()) else {
            return;
        };
        let directory = &self.inner.directory;
        if let Some(session) = directory.session_of(&peer)
            && session.connection == cx.connection()
            && let Some(token) = &session.resume
        {
            directory.settle(session.connection, token);
        }
    }

    /// Tells others when a peer's link is lost and when there is another, and the peer what it has
    /// missed meanwhile.
    pub(super) fn watch_link<P>(&self, cx: &Context<P>)
    where
        P: Protocol + Includes<ToClient, SessionNews>,
    {
        let (rendezvous, connection) = (self.clone(), cx.connection());
        let line = cx.outlet::<SessionNews>();
        cx.on_link(move |status| {
            let directory = &rendezvous.inner.directory;
            match status {
                LinkStatus::Lost => directory.set_status(connection, PlayerStatus::Reconnecting),
                LinkStatus::Restored => directory.set_status(connection, PlayerStatus::Online),
                LinkStatus::Dropped { passes } => {
                    if let Ok(dropped) = Encoded::new(&Dropped { count: passes }) {
                        line.put(&dropped);
                    }
                }
                _ => {}
            }
        });
    }
}
