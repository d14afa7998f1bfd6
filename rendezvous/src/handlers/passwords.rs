//! Passwords of rooms, hashed and compared off the threads that serve connections.

use std::sync::Arc;
use std::thread;

use argon2::Argon2;
use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::events::Secret;
use crate::state::rooms::PasswordHash;

/// Argon2id with the parameters that OWASP recommends: 19 MiB, two passes. Half of the machine's
/// cores work on passwords at once, so memory is bounded and events go on; others wait their turn.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new((cores / 2).max(1))),
        }
    }

    /// Hashes a password with a salt of its own; none where the process is about to end.
    pub(crate) async fn hash(&self, password: &Secret) -> Option<PasswordHash> {
        let password = password.clone();
        self.work(move || {
            let hash: Result<phc::PasswordHash, _> =
                Argon2::default().hash_password(password.expose().as_bytes());
            hash.map(|hash| PasswordHash::new(&hash.to_string())).ok()
        })
        .await
        .flatten()
    }

    /// Whether this is the password that was hashed.
    pub(crate) async fn matches(&self, password: &Secret, hash: &PasswordHash) -> bool {
        let (password, hash) = (password.clone(), hash.clone());
        self.work(move || {
            phc::PasswordHash::new(hash.as_str()).is_ok_and(|hash| {
                let password = password.expose().as_bytes();
                Argon2::default().verify_password(password, &hash).is_ok()
            })
        })
        .await
        .unwrap_or(false)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // The turn goes with the work, so that whoever gives up does not let a further one in.
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let work = spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        work.await.ok()
    }
}
