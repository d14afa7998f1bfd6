//! The rendezvous server as a value: handlers, gate and relay of any server that takes it in.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::{AtClient, Bind, Context, Includes, Protocol, Server, ToClient};

use crate::config::Config;
use crate::events::{Dropped, ServerClosing, SessionEnded, SessionNews, SessionNewsHandler};

/// Login and relay for a server of any protocol that has the sets [`Login`](crate::Login) and
/// [`SessionNews`].
///
/// Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Rendezvous {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    config: Config,
}

impl Rendezvous {
    /// A rendezvous server that keeps its state in memory.
    pub fn new(config: Config) -> Self {
        Self {
            inner: Arc::new(Inner { config }),
        }
    }

    /// Listens on `address`, with the gate, the relay and the limits of this rendezvous server.
    /// Name the handlers with [`Bind::handle`], this value among them, then await.
    pub fn bind<'a, P>(&self, address: impl tokio::net::ToSocketAddrs + Send + 'a) -> Bind<'a, P>
    where
        P: Protocol + Includes<ToClient, SessionNews>,
    {
        Server::bind(address).limits(self.inner.config.server.clone())
    }

    /// Tells every client that the server closes, then shuts it down: see [`Server::shutdown`].
    pub async fn shutdown<P>(&self, server: &Server<P>, deadline: Duration) -> bool
    where
        P: Protocol + Includes<ToClient, SessionNews>,
    {
        server.shutdown(deadline).await
    }
}

/// Handles [`SessionNews`] at a client that does not care: the link's end says enough.
#[derive(Debug, Clone, Copy, Default)]
pub struct IgnoreNews;

impl<P: Protocol> SessionNewsHandler<P, AtClient> for IgnoreNews {
    async fn on_session_ended(&self, _cx: &Context<P, AtClient>, _event: SessionEnded) {}
    async fn on_server_closing(&self, _cx: &Context<P, AtClient>, _event: ServerClosing) {}
    async fn on_dropped(&self, _cx: &Context<P, AtClient>, _event: Dropped) {}
}
