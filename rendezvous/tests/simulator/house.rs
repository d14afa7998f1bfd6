//! The server of a world: it opens, crashes and comes back with nothing, or shuts down gracefully.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol_core::Server;
use rendezvous::{Config, Rendezvous, Tokens};
use tokio::task::AbortHandle;

use crate::forger::{Forger, Lie};
use crate::journal::{Journal, LifeId};
use crate::links;
use crate::network::{Fault, Network};
use crate::post::{Postman, World};

/// The name of the server's host.
pub(crate) const SERVER: &str = "server";

/// The token of a peer, where ids are proved.
pub(crate) fn token(name: &str) -> String {
    format!("the token of {name}, long enough")
}

#[derive(Debug, Clone)]
pub(crate) struct House {
    network: Network,
    journal: Journal,
    /// Whose ids take a token; anybody may have any id where there is nobody.
    proved: Vec<&'static str>,
    forger: Option<Forger>,
    open: Arc<Mutex<Option<Open>>>,
}

#[derive(Debug)]
struct Open {
    server: Server<World>,
    rendezvous: Rendezvous,
    life: LifeId,
    accepting: AbortHandle,
}

impl House {
    pub(crate) fn new(
        network: Network,
        journal: Journal,
        proved: &[&'static str],
        lie: Option<Lie>,
    ) -> Self {
        Self {
            network,
            journal,
            proved: proved.to_vec(),
            forger: lie.map(Forger::new),
            open: Arc::default(),
        }
    }

    /// Starts a server that knows nothing of an earlier one.
    pub(crate) async fn open(&self) {
        let mut config = Config::default();
        config.rooms_a_peer = 3;
        if !self.proved.is_empty() {
            let tokens = self.proved.iter().map(|name| (*name, token(name)));
            config.tokens = Some(Tokens::new(tokens).expect("good tokens"));
        }
        let life = self.journal.born(SERVER);
        let rendezvous = Rendezvous::new(config);
        let postman = Postman::new(self.journal.clone(), life);
        let bind = links::bind(
            rendezvous.attach(Server::in_memory()),
            self.journal.seed(life),
        );
        let server = bind.handle((rendezvous.clone(), postman)).await;
        let server = server.expect("nothing refuses a server without a socket");
        let mut arriving = self.network.listen(SERVER);
        let accepting = {
            let (server, forger) = (server.clone(), self.forger.clone());
            tokio::spawn(async move {
                while let Some(end) = arriving.recv().await {
                    links::accept(&server, end, forger.as_ref());
                }
            })
        };
        self.journal.note(life, "opens");
        *self.lock() = Some(Open {
            server,
            rendezvous,
            life,
            accepting: accepting.abort_handle(),
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    pub(crate) fn rendezvous(&self) -> Option<Rendezvous> {
        let open = self.lock();
        open.as_ref().map(|open| open.rendezvous.clone())
    }

    /// Ends at once, in the middle of whatever it does. Clients see that by `fault`.
    pub(crate) fn crash(&self, fault: Fault) {
        let Some(open) = self.lock().take() else {
            return;
        };
        self.journal.dies(open.life, &format!("crashes: {fault:?}"));
        self.network.deafen(SERVER);
        self.network.strike_host(SERVER, fault);
        open.accepting.abort();
    }

    /// Says goodbye to all, answers what has arrived, and ends; whether that was in time.
    pub(crate) async fn shut_down(&self, deadline: Duration) -> bool {
        let Some(open) = self.lock().take() else {
            return true;
        };
        self.journal.note(open.life, "shuts down");
        self.network.deafen(SERVER);
        open.accepting.abort();
        let in_time = open.rendezvous.shutdown(&open.server, deadline).await;
        self.journal
            .dies(open.life, &format!("is shut down, in time: {in_time}"));
        in_time
    }
}
