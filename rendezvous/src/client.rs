//! Logging in from a client.

use protocol_core::{Call, Client, Includes, Protocol, RequestError, ToServer};

use crate::events::{LogIn, LoggedIn, Login, LoginError, ProtocolInfo};

/// `client.login(id)` for every protocol that has the set [`Login`].
pub trait LoginExt<P>: sealed::Sealed {
    /// Logs in as `id`, and says which protocol this client speaks.
    ///
    /// For a login with more than an id, send a [`LogIn`] with `client.request`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Refused`] with a [`LoginError`]; otherwise as every request.
    fn login(&self, id: impl Into<String>) -> Call<'_, Result<LoggedIn, RequestError<LoginError>>>
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
        let mut login = LogIn::new(id);
        login.protocol = Some(ProtocolInfo {
            name: P::NAME.to_owned(),
            version: P::VERSION.to_owned(),
        });
        self.request(login)
    }
}
