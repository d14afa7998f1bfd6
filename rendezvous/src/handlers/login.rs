//! Logging in and out.

use protocol_core::{Context, Includes, Protocol, ToClient};

use crate::events::{
    LogIn, LogOut, LoggedIn, LoggedOut, LoginError, LoginHandler, Ping, Pong, SessionNews,
};
use crate::service::Rendezvous;

impl<P: Protocol + Includes<ToClient, SessionNews>> LoginHandler<P> for Rendezvous {
    async fn on_log_in(&self, _cx: &Context<P>, _event: LogIn) -> Result<LoggedIn, LoginError> {
        Err(LoginError::AuthFailed)
    }

    async fn on_log_out(&self, _cx: &Context<P>, _event: LogOut) -> LoggedOut {
        LoggedOut {}
    }

    async fn on_ping(&self, _cx: &Context<P>, _event: Ping) -> Pong {
        Pong { server_ms: 0 }
    }
}
