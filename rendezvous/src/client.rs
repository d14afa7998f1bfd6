//! Logging in from a client.

use protocol_core::{Call, Client, Includes, Protocol, RequestError, ToServer};

use crate::events::{LogIn, LoggedIn, Login, LoginError, ProtocolInfo};

/// `client.login(id)` for every protocol that has the set [`Login`].
pub trait LoginExt<P>: sealed::Sealed {
    /// Logs in as `id`, and says which protocol this client speaks.
    ///
    /// For a login with more than an id, see [`login_with`](Self::login_with).
    ///
    /// # Errors
    ///
    /// [`RequestError::Refused`] with a [`LoginError`]; otherwise as every request.
    fn login(&self, id: impl Into<String>) -> Call<'_, Result<LoggedIn, RequestError<LoginError>>>
    where
        P: Protocol + Includes<ToServer, Login>;

    /// Logs in with more than an id, such as a token:
    /// `client.login_with(LogIn::new("alice").token(token))`. Says which protocol this client speaks
    /// where `login` does not.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    fn login_with(&self, login: LogIn) -> Call<'_, Result<LoggedIn, RequestError<LoginError>>>
    where
        P: Protocol + Includes<ToServer, Login>;
}

mod sealed {
    pub trait Sealed {}
    impl<P> Sealed for protocol_core::Client<P> {}
}

impl<P: Protocol> LoginExt<P> for Client<P> {
    fn login(&self, id: impl Into<String>) -> Call<'_, Result<LoggedIn, RequestError<LoginError>>>
    where
        P: Includes<ToServer, Login>,
    {
        self.login_with(LogIn::new(id))
    }

    fn login_with(&self, mut login: LogIn) -> Call<'_, Result<LoggedIn, RequestError<LoginError>>>
    where
        P: Includes<ToServer, Login>,
    {
        login.protocol.get_or_insert_with(|| ProtocolInfo {
            name: P::NAME.to_owned(),
            version: P::VERSION.to_owned(),
        });
        self.request(login)
    }
}
