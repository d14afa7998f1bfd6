//! Passwords of rooms, hashed and compared off the threads that serve connections.

use std::sync::Arc;
use std::thread;

use argon2::Argon2;
use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::events::Secret;
use crate::metrics;
use crate::state::rooms::PasswordHash;

/// Passwords that may wait for each that is worked on: about a second's worth, so that whoever waits
/// is answered long before giving up.
const WAITING: usize = 32;

/// Too many passwords wait: this one was not taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Busy {
    /// When it is worth trying again.
    pub(crate) retry_after_ms: u64,
}

/// Argon2id with the parameters that OWASP recommends: 19 MiB, two passes. Half of the machine's
/// cores work on passwords at once, so memory is bounded and events go on; some more wait their turn.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// Taken by those who wait and those whose turn it is.
    places: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let turns = (cores / 2).max(1);
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            places: Arc::new(Semaphore::new(turns * (1 + WAITING))),
        }
    }

    /// Hashes a password with a salt of its own; none where the process is about to end.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<Option<PasswordHash>, Busy> {
        let password = password.clone();
        self.work(move || {
            let hash: Result<phc::PasswordHash, _> =
                Argon2::default().hash_password(password.expose().as_bytes());
            hash.map(|hash| PasswordHash::new(&hash.to_string())).ok()
        })
        .await
        .map(Option::flatten)
    }

    /// Whether this is the password that was hashed.
    pub(crate) async fn matches(
        &self,
        password: &Secret,
        hash: &PasswordHash,
    ) -> Result<bool, Busy> {
        let (password, hash) = (password.clone(), hash.clone());
        self.work(move || {
            phc::PasswordHash::new(hash.as_str()).is_ok_and(|hash| {
                let password = password.expose().as_bytes();
                Argon2::default().verify_password(password, &hash).is_ok()
            })
        })
        .await
        .map(|matches| matches.unwrap_or(false))
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            metrics::count_by(metrics::PASSWORDS_LIMITED, "limit", "all");
            Busy {
                retry_after_ms: 1_000,
            }
        })?;
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return Ok(None);
        };
        // Both go with the work, so that whoever gives up does not let a further one in.
        let work = spawn_blocking(move || {
            let result = work();
            drop((turn, place));
            result
        });
        Ok(work.await.ok())
    }
}
