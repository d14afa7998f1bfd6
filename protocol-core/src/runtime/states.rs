//! What a client tells its user of its link.

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

use crate::error::CloseReason;

/// States that are kept for one who does not look; older ones are skipped.
const KEPT: usize = 64;

/// How a client's link stands.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ClientState {
    /// It stands. With a session, that session is new: what the server kept for an earlier one is
    /// gone.
    Connected,
    /// It is lost. The client tries to get another one; calls wait.
    Reconnecting(CloseReason),
    /// There is another one, and the session goes on.
    Resumed,
    /// It has ended for good.
    Lost(CloseReason),
}

/// The states of a client's link, one after another; from `Client::states`.
#[derive(Debug)]
pub struct ClientStates {
    pub(super) receiver: broadcast::Receiver<ClientState>,
}

impl ClientStates {
    /// The next change; none once the link has ended for good. Of many that nobody looked at the
    /// oldest are skipped.
    pub async fn next(&mut self) -> Option<ClientState> {
        loop {
            match self.receiver.recv().await {
                Ok(state) => return Some(state),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// The driver's end.
pub(super) struct StateSender {
    now: watch::Sender<ClientState>,
    changes: broadcast::Sender<ClientState>,
}

/// The handles' end.
pub(super) struct StateReceiver {
    now: watch::Receiver<ClientState>,
    changes: broadcast::WeakSender<ClientState>,
}

pub(super) fn states() -> (StateSender, StateReceiver) {
    let (sender, now) = watch::channel(ClientState::Connected);
    let (changes, _) = broadcast::channel(KEPT);
    let receiver = StateReceiver {
        now,
        changes: changes.downgrade(),
    };
    (
        StateSender {
            now: sender,
            changes,
        },
        receiver,
    )
}

impl StateSender {
    pub(super) fn send(&self, state: ClientState) {
        self.now.send_replace(state.clone());
        // Nobody need look.
        let _ = self.changes.send(state);
    }
}

impl StateReceiver {
    pub(super) fn now(&self) -> ClientState {
        self.now.borrow().clone()
    }

    pub(super) fn changes(&self) -> ClientStates {
        let receiver = match self.changes.upgrade() {
            Some(changes) => changes.subscribe(),
            // The link has ended, so that nothing follows.
            None => broadcast::channel(1).1,
        };
        ClientStates { receiver }
    }
}
