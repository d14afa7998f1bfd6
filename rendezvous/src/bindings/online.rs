//! That a peer is online counts as use of its binding.

use std::fmt;
use std::sync::Arc;

use protocol_core::PublicKey;

use super::writer::Shared;
use super::{Bindings, today};
use crate::state::PeerName;

/// A session of an id: as long as this lives, the id's binding leaves for no other, and its 30 days
/// count from the end.
pub(crate) struct Online {
    shared: Arc<Shared>,
    id: Box<str>,
    key: Option<PublicKey>,
}

impl Bindings {
    /// A session of `id` begins, on a link with `key`.
    pub(crate) fn enter(&self, id: &PeerName, key: Option<PublicKey>) -> Online {
        self.shared.lock().table.enter(id.key());
        Online {
            shared: Arc::clone(&self.shared),
            id: id.key().into(),
            key,
        }
    }
}

impl Drop for Online {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.table.leave(&self.id);
        // Where it lost the id to another key, it does not speak for that.
        let is_own = self.key.is_some() && state.table.key_of(&self.id) == self.key;
        if is_own
            && state.is_open()
            && let Some(change) = state.table.touch(&self.id, today())
        {
            // However many wait: there is one of these for each session.
            self.shared.put(&mut state, [change]);
        }
    }
}

impl fmt::Debug for Online {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Online").finish_non_exhaustive()
    }
}
