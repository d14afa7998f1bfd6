//! Who may log in as whom: the keys that ids are bound to, and tokens (`PROTOCOL.md` §9).

use std::time::Instant;

use protocol_core::{Context, Protocol};

use crate::bindings::Claim;
use crate::events::{LoginError, Secret};
use crate::metrics;
use crate::service::Rendezvous;
use crate::state::{Directory, PeerName};

/// What a login has shown for its id before it gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing, at a server without tokens.
    NotAsked,
    /// The id's token.
    Token,
    /// That it holds the key that the id is bound to.
    Key,
}

impl<D: Directory> Rendezvous<D> {
    /// Judges a login by its link's key and its token. The binding may still change: see
    /// [`bind_id`](Self::bind_id).
    pub(super) fn prove<P: Protocol>(
        &self,
        cx: &Context<P>,
        id: &PeerName,
        token: Option<&Secret>,
    ) -> Result<Proof, LoginError> {
        let (bound, key) = (self.inner.bindings.key_of(id), cx.identity().key());
        let is_own = bound.is_some() && bound == key;
        let proof = match &self.inner.config.tokens {
            None => Proof::NotAsked,
            Some(tokens) if is_own && tokens.lists(id) => Proof::Key,
            Some(tokens) if token.is_some_and(|token| tokens.prove(id, token)) => Proof::Token,
            // Said first: whoever proves nothing does not learn which ids there are.
            Some(_) => return Err(LoginError::AuthFailed),
        };
        if bound.is_some() && !is_own {
            return Err(LoginError::IdTaken);
        }
        Ok(proof)
    }

    /// Binds the id to the link's key, for a login that has the id for itself now; whether it was not
    /// bound before.
    pub(super) async fn bind_id<P: Protocol>(
        &self,
        cx: &Context<P>,
        id: &PeerName,
        proof: Proof,
    ) -> Result<bool, LoginError> {
        let bindings = &self.inner.bindings;
        let bound = bindings.key_of(id).is_some();
        let Some(key) = cx.identity().key() else {
            return if bound {
                Err(LoginError::IdTaken)
            } else {
                Ok(false)
            };
        };
        let anew = match proof {
            Proof::Key => false,
            Proof::Token => true,
            Proof::NotAsked => {
                let address = cx.address().map(|address| address.ip());
                bound || self.attempts().may_bind(Instant::now(), address)
            }
        };
        let (peer, most) = (id.id(), self.inner.config.bindings);
        match bindings.claim(id, key, anew, most).await {
            Ok(Claim::Known) => Ok(false),
            Ok(Claim::New) => {
                tracing::info!(?peer, %key, "bound an id to a key");
                Ok(true)
            }
            Ok(Claim::Taken) => Err(LoginError::IdTaken),
            // Since it was proved by its binding, somebody has told the server to forget that.
            Ok(Claim::Unbound) if proof == Proof::Key => Err(LoginError::AuthFailed),
            Ok(Claim::Unbound) => {
                metrics::count_by(metrics::BINDINGS_LIMITED, "limit", "address");
                tracing::warn!(?peer, %key, "did not bind an id: its address binds too many");
                Ok(false)
            }
            Ok(Claim::TooLong) => {
                tracing::warn!(?peer, %key, "did not bind an id: its folded form is too long");
                Ok(false)
            }
            Ok(Claim::Full) => {
                if most > 0 {
                    metrics::count_by(metrics::BINDINGS_LIMITED, "limit", "all");
                    tracing::warn!(?peer, %key, most, "did not bind an id: all bindings are in use");
                }
                Ok(false)
            }
            Err(_) => Err(LoginError::NotKept),
        }
    }
}
