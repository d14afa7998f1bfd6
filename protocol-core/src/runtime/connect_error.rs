//! Why no connection came about.

use std::io;
use std::time::Duration;

#[cfg(feature = "noise")]
use super::keys::KeyFileError;
#[cfg(feature = "noise")]
use crate::codec::{CodecError, PublicKey};
#[cfg(feature = "noise")]
use crate::wire::WireError;

/// Why a client could not connect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The system refused, or nobody listens there.
    #[error("cannot connect: {0}")]
    Io(#[from] io::Error),
    /// Nobody answered in time.
    #[error("cannot connect: no answer within {after:?}")]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// No encrypted link came about: the server holds another key than the one given, or somebody
    /// altered the handshake.
    #[cfg(feature = "noise")]
    #[error("cannot encrypt the link: {0}")]
    Codec(CodecError),
    /// Somebody answered in plain before the link was encrypted: the server, which takes plain links
    /// only (`encryption_refused`) or is full, or anybody in between. Nothing vouches for the words.
    #[cfg(feature = "noise")]
    #[error(
        "somebody refused in plain, which proves nothing: {}; ask the server's operator whether it \
         takes encrypted links",
        shown(.0)
    )]
    Refused(WireError),
    /// The server holds another key than the one that is pinned for it.
    #[cfg(feature = "noise")]
    #[error(
        "the key of {server} has changed to {found}, line {line} of {file:?} has {pinned}: it was \
         replaced, or somebody stands in between; if the server's operator confirms the new key, \
         remove that line"
    )]
    KeyChanged {
        /// The server's address, as it was given.
        server: String,
        /// The key that it held the first time.
        pinned: PublicKey,
        /// The key that it holds now.
        found: PublicKey,
        /// The file of known servers.
        file: std::path::PathBuf,
        /// The line that pins the key, counted from 1.
        line: usize,
    },
    /// Something was said of how to encrypt the link, and not that it should be: neither
    /// [`encrypted`](super::Connect::encrypted) nor
    /// [`encrypted_trust_on_first_use`](super::Connect::encrypted_trust_on_first_use) was called.
    #[cfg(feature = "noise")]
    #[error(
        "`.identity(…)`, `.known_hosts(…)` and `.suite(…)` are for encrypted links: call \
         `.encrypted(key)` or `.encrypted_trust_on_first_use()` too"
    )]
    NotEncrypted,
    /// A key file cannot be used.
    #[cfg(feature = "noise")]
    #[error(transparent)]
    Keys(#[from] KeyFileError),
}

/// Words that anybody may have sent, fit for a terminal.
#[cfg(feature = "noise")]
fn shown(error: &WireError) -> String {
    const CHARACTERS: usize = 200;
    let text = error.to_string();
    let cut: String = text.chars().take(CHARACTERS).collect();
    cut.escape_debug().to_string()
}
