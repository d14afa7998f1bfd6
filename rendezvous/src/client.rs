//! Logging in from a client, and keeping the session beyond its link.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use protocol_core::{
    Call, Client, EventError, Greeted, Includes, Keeper, Lane, Protocol, RequestError,
    SessionTerms, ToServer, Ungreeted, WireError,
};

use crate::events::{LogIn, LogOut, LoggedIn, Login, LoginError, Ping, ProtocolInfo, Secret};

/// For how long the server is asked to keep a session whose link is lost, where nothing else is said.
const GRACE: Duration = Duration::from_secs(30);

/// `client.login(id)` for every protocol that has the set [`Login`].
pub trait LoginExt<P>: sealed::Sealed {
    /// Logs in as `id`, and says which protocol this client speaks.
    ///
    /// The session outlives its link: where that is lost, the client gets another one by itself and
    /// goes on, see [`Client::state`]. Whoever crashes without closing the client leaves its id taken
    /// until the grace is over, 30 s; on an encrypted link the holder of the same key gets it at once.
    ///
    /// For a login with more than an id, or another grace, see [`login_with`](Self::login_with).
    ///
    /// # Errors
    ///
    /// [`RequestError::Refused`] with a [`LoginError`]; otherwise as every request.
    fn login(&self, id: impl Into<String>) -> LoggingIn<'_, P>
    where
        P: Protocol + Includes<ToServer, Login>;

    /// Logs in with more than an id, such as a token:
    /// `client.login_with(LogIn::new("alice").token(token))`. Says which protocol this client speaks
    /// where `login` does not. With [`LogIn::grace`] of zero the session ends with its link.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    fn login_with(&self, login: LogIn) -> LoggingIn<'_, P>
    where
        P: Protocol + Includes<ToServer, Login>;
}

mod sealed {
    pub trait Sealed {}
    impl<P> Sealed for protocol_core::Client<P> {}
}

impl<P: Protocol> LoginExt<P> for Client<P> {
    fn login(&self, id: impl Into<String>) -> LoggingIn<'_, P>
    where
        P: Includes<ToServer, Login>,
    {
        self.login_with(LogIn::new(id))
    }

    fn login_with(&self, mut login: LogIn) -> LoggingIn<'_, P>
    where
        P: Includes<ToServer, Login>,
    {
        login.protocol.get_or_insert_with(|| ProtocolInfo {
            name: P::NAME.to_owned(),
            version: P::VERSION.to_owned(),
        });
        let grace = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
        let is_kept = *login.grace_ms.get_or_insert(grace) > 0;
        // Numbers are understood where the session is kept.
        login.inc = is_kept.then(|| login.inc.unwrap_or_else(|| self.inc().to_owned()));
        LoggingIn {
            call: self.request(login.clone()),
            client: self,
            login: is_kept.then_some(login),
            keep: keep::<P>,
        }
    }
}

/// A login on its way: what [`login`](LoginExt::login) returns. Nothing is sent before it is awaited.
#[must_use = "nothing is sent before the login is awaited"]
pub struct LoggingIn<'a, P> {
    call: Call<'a, Result<LoggedIn, RequestError<LoginError>>>,
    client: &'a Client<P>,
    login: Option<LogIn>,
    keep: fn(&Client<P>, LogIn, &LoggedIn),
}

impl<P> LoggingIn<'_, P> {
    /// Waits at most `timeout` for the answer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call = self.call.timeout(timeout);
        self
    }
}

impl<P> Future for LoggingIn<'_, P> {
    type Output = Result<LoggedIn, RequestError<LoginError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let result = std::task::ready!(Pin::new(&mut this.call).poll(cx));
        if let (Ok(logged_in), Some(login)) = (&result, this.login.take()) {
            (this.keep)(this.client, login, logged_in);
        }
        Poll::Ready(result)
    }
}

impl<P> std::fmt::Debug for LoggingIn<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoggingIn")
    }
}

/// Has the session kept, where the server knows how.
fn keep<P>(client: &Client<P>, login: LogIn, logged_in: &LoggedIn)
where
    P: Protocol + Includes<ToServer, Login>,
{
    if logged_in.inc.is_empty() || logged_in.grace_ms == 0 {
        return;
    }
    let keeper = SessionKeeper {
        resume: Mutex::new(logged_in.resume.clone()),
        login,
    };
    client.keep_session(keeper.terms(logged_in), keeper);
}

/// Logs in again on each new link.
struct SessionKeeper {
    login: LogIn,
    resume: Mutex<Option<Secret>>,
}

impl SessionKeeper {
    fn terms(&self, logged_in: &LoggedIn) -> SessionTerms {
        SessionTerms {
            inc: self.login.inc.as_deref().unwrap_or_default().into(),
            far_inc: Some(logged_in.inc.as_str().into()),
            stamp: None,
        }
    }

    fn token(&self) -> std::sync::MutexGuard<'_, Option<Secret>> {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn greeted(&self, logged_in: &LoggedIn) -> Greeted {
        self.token().clone_from(&logged_in.resume);
        Greeted {
            terms: self.terms(logged_in),
            resumed: logged_in.resumed,
        }
    }
}

impl<P: Protocol + Includes<ToServer, Login>> Keeper<P> for SessionKeeper {
    async fn greet(&self, lane: Lane<P>, received: u64) -> Result<Greeted, Ungreeted> {
        let token = self.token().clone();
        if token.is_some() {
            let login = LogIn {
                resume: token,
                received: Some(received),
                ..self.login.clone()
            };
            match lane.request(login).await {
                Ok(logged_in) => return Ok(self.greeted(&logged_in)),
                Err(RequestError::Refused(LoginError::ResumeFailed)) => {}
                Err(error) => return Err(ungreeted(error)),
            }
        }
        // Whoever has taken the id over meanwhile keeps it.
        let login = LogIn {
            replace: Some(false),
            ..self.login.clone()
        };
        match lane.request(login).await {
            Ok(logged_in) => Ok(self.greeted(&logged_in)),
            Err(error) => Err(ungreeted(error)),
        }
    }

    async fn beat(&self, lane: Lane<P>, received: u64) {
        let received = Some(received);
        // Whether an answer comes is seen by what arrives.
        let _ = lane.request(Ping { received }).await;
    }

    async fn leave(&self, lane: Lane<P>) {
        let _ = lane.request(LogOut {}).await;
    }
}

/// Whether another attempt can help.
fn ungreeted(error: RequestError<LoginError>) -> Ungreeted {
    match error {
        RequestError::Refused(
            error @ (LoginError::IdInvalid { .. }
            | LoginError::IncInvalid
            | LoginError::AuthFailed
            | LoginError::NotSetUp
            | LoginError::VersionMismatch { .. }),
        ) => Ungreeted::Never(WireError {
            code: error.code().into(),
            message: error.to_string(),
            data: None,
        }),
        error => Ungreeted::Again(error.to_string()),
    }
}
