//! Logging in and out (`PROTOCOL.md` §9).

use std::mem;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol_core::{ConnectionId, Context, EventError, Includes, Protocol, ToClient};
use uuid::Uuid;

use super::resume::{check_inc, cut_off, resume_token};
use crate::config::Speaks;
use crate::events::{
    LeaveReason, LogIn, LogOut, LoggedIn, LoggedOut, LoginError, LoginHandler, Ping, Pong,
    ProtocolInfo, SessionNews,
};
use crate::metrics;
use crate::service::{Rendezvous, in_ms};
use crate::state::{Directory, OpenError, PeerName, Session};

/// How often a login tries to take its id over.
const TAKEOVERS: usize = 2;

/// What a log line shows of a text that a client chose.
const LOGGED_CHARACTERS: usize = 64;

impl<P, D> LoginHandler<P> for Rendezvous<D>
where
    P: Protocol + Includes<ToClient, SessionNews>,
    D: Directory,
{
    async fn on_log_in(&self, cx: &Context<P>, event: LogIn) -> Result<LoggedIn, LoginError> {
        let client = event.client.as_deref().map(cut);
        // Each connection keeps room for its largest handler, and this one runs once.
        let opened = Box::pin(self.open(cx, event)).await;
        let (connection, address) = (cx.connection(), cx.address().map(tracing::field::display));
        let key = cx.identity().key().map(tracing::field::display);
        match &opened {
            Ok(session) => {
                metrics::count(metrics::LOGINS);
                tracing::info!(%connection, address, key, peer = ?session.id, client, "logged in");
            }
            Err(error) => {
                metrics::count_by(metrics::LOGINS_REFUSED, "code", error.code());
                tracing::info!(%connection, address, key, %error, client, "refused a login");
                self.count_failure(cx);
            }
        }
        opened
    }

    async fn on_log_out(&self, cx: &Context<P>, _event: LogOut) -> LoggedOut {
        self.leave(cx.connection(), LeaveReason::Left);
        cx.close();
        LoggedOut {}
    }

    async fn on_ping(&self, cx: &Context<P>, event: Ping) -> Pong {
        if cx.expect_heartbeats(event.received) {
            self.settle(cx);
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Pong {
            server_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl<D: Directory> Rendezvous<D> {
    async fn open<P>(&self, cx: &Context<P>, event: LogIn) -> Result<LoggedIn, LoginError>
    where
        P: Protocol + Includes<ToClient, SessionNews>,
    {
        if !self.inner.attached.load(Ordering::Relaxed) {
            tracing::error!(
                "a server without gate and relay: start it with `rendezvous.bind(…)` or \
                 `rendezvous.attach(…)`"
            );
            return Err(LoginError::NotSetUp);
        }
        if cx.peer().is_some() {
            return Err(LoginError::AlreadyLoggedIn);
        }
        if self.inner.config.speaks == Speaks::Own {
            check_protocol::<P>(event.protocol.as_ref())?;
        }
        let peer = PeerName::new(&event.id).map_err(|error| LoginError::IdInvalid {
            rule: error.to_string(),
        })?;
        check_inc(event.inc.as_deref())?;
        if let Some(token) = &event.resume {
            return self.resume(cx, &peer, token, &event).await;
        }
        let proof = self.prove(cx, &peer, event.token.as_ref())?;
        let connection = cx.connection();
        let grace = self.grace(&event);
        let (secret, token) = resume_token(grace)?.unzip();
        let session = Session {
            id: Uuid::new_v4().to_string(),
            peer: peer.clone(),
            connection,
            resume: token,
        };
        let session_id = session.id.clone();
        let is_same_peer = self.is_same_peer(cx, &peer, proof);
        let mut opened = self.inner.directory.open(session.clone()).await;
        // Others who prove the same may come at the same time.
        for _ in 0..TAKEOVERS {
            if opened != Err(OpenError::Taken) || !is_same_peer {
                break;
            }
            self.replace(cx, &peer, &event).await;
            opened = self.inner.directory.open(session.clone()).await;
        }
        opened.map_err(|error| match error {
            OpenError::Taken => LoginError::IdTaken,
            OpenError::AlreadyOpen => LoginError::AlreadyLoggedIn,
            OpenError::Full { max } => LoginError::ServerFull { max },
        })?;
        metrics::rise(metrics::SESSIONS_OPEN);
        let reserved = Reserved {
            rendezvous: self,
            connection,
        };
        let online = self.inner.bindings.enter(&peer, cx.identity().key());
        let bound_anew = self.bind_id(cx, &peer, proof).await?;
        // The link may have ended meanwhile, or a handler of the server's own gave the name away.
        let mut has_name = cx.identify(peer.id().clone());
        if !has_name && is_same_peer {
            // Another who proves the same is on its way out.
            cut_off(cx, peer.id()).await;
            has_name = cx.identify(peer.id().clone());
        }
        if !has_name {
            if let (true, Some(key)) = (bound_anew, cx.identity().key()) {
                self.inner.bindings.take_back(&peer, key);
            }
            return Err(LoginError::IdTaken);
        }
        reserved.keep();
        cx.open_session(self.terms(&event, &session_id), grace);
        if !grace.is_zero() {
            self.watch_link(cx);
        }
        let (rendezvous, link) = (self.clone(), cx.clone());
        cx.on_leave(move || {
            drop(online);
            if rendezvous.leave(connection, LeaveReason::GraceExpired) {
                let reason = link.close_reason();
                let reason = reason.as_ref().map(tracing::field::display);
                tracing::info!(%connection, reason, "lost its link");
            }
        });
        Ok(LoggedIn {
            id: peer.id().clone(),
            session: session_id,
            inc: self.inner.inc.clone(),
            resume: secret,
            grace_ms: in_ms(grace),
            resumed: false,
            rooms: Vec::new(),
        })
    }
}

/// A session that nobody sees yet: it ends with this value, unless it is kept. For the login may fail
/// still, or be given up while it waits.
struct Reserved<'a, D: Directory> {
    rendezvous: &'a Rendezvous<D>,
    connection: ConnectionId,
}

impl<D: Directory> Reserved<'_, D> {
    fn keep(self) {
        mem::forget(self);
    }
}

impl<D: Directory> Drop for Reserved<'_, D> {
    fn drop(&mut self) {
        let directory = &self.rendezvous.inner.directory;
        let closed = directory.close(self.connection, LeaveReason::GraceExpired);
        if closed.is_some() {
            metrics::fall(metrics::SESSIONS_OPEN);
        }
    }
}

impl<D: Directory> Rendezvous<D> {
    /// Ends a connection's session; whether it still had one.
    pub(crate) fn leave(&self, connection: ConnectionId, reason: LeaveReason) -> bool {
        let session = self.inner.directory.close(connection, reason);
        if let Some(session) = &session {
            metrics::fall(metrics::SESSIONS_OPEN);
            tracing::info!(%connection, peer = ?session.peer.id(), "left");
        }
        session.is_some()
    }

    /// Counts a refused login, and closes a connection that has had its last.
    fn count_failure<P: Protocol>(&self, cx: &Context<P>) {
        let connection = cx.connection();
        let failures = self.attempts().failed(connection);
        if failures == 1 {
            let rendezvous = self.clone();
            cx.on_leave(move || rendezvous.attempts().forget(connection));
        }
        let most = self.inner.config.login_failures;
        if most > 0 && failures >= most {
            metrics::count(metrics::LOGINS_EXHAUSTED);
            cx.close();
        }
    }
}

fn check_protocol<P: Protocol>(spoken: Option<&ProtocolInfo>) -> Result<(), LoginError> {
    match spoken {
        Some(spoken) if spoken.name != P::NAME || spoken.version != P::VERSION => {
            Err(LoginError::VersionMismatch {
                name: P::NAME.to_owned(),
                version: P::VERSION.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LOGGED_CHARACTERS).collect()
}
