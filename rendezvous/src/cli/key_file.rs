//! Files of keys, as the program's users name them and mend them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use protocol_core::keys::{self, KeyFileError};

use super::file::shown;
use crate::bindings::BindingsError;

/// A file of keys, tokens or bindings that cannot be used, and what to do about it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unusable(pub(super) String);

/// The file of the server's secret key: the one that is `named`, or that of this user.
pub(super) fn of_server(named: Option<&PathBuf>) -> Result<PathBuf, Unusable> {
    match named {
        Some(path) => Ok(path.clone()),
        None => Ok(keys::folder()?.join("server.key")),
    }
}

/// Where it is kept which id belongs to which client's key: beside the server's own.
pub(super) fn bindings_beside(key: &Path) -> PathBuf {
    let mut path = key.as_os_str().to_owned();
    path.push(".bindings");
    path.into()
}

impl Unusable {
    /// A file of a secret key, which another can be named for with `flag`.
    pub(super) fn key(error: &KeyFileError, flag: &str) -> Self {
        let or = match error {
            KeyFileError::NoFolder => {
                return Self(format!(
                    "no folder for configuration is known: set HOME, or name a file with {flag}"
                ));
            }
            // It says itself what to do.
            KeyFileError::Exposed { .. } => return Self(error.to_string()),
            KeyFileError::Malformed { .. } => ", or move it away and have a new key made",
            KeyFileError::Io { error, .. } => match error.kind() {
                ErrorKind::NotFound => ", or make one with `rendezvous keygen`",
                ErrorKind::AlreadyExists => ", or show the public half of its key with --show",
                _ => ", or run as a user who may use it",
            },
            _ => "",
        };
        Self(format!("{error}: name another with {flag}{or}"))
    }
}

/// Of servers, whose flag it is.
impl From<KeyFileError> for Unusable {
    fn from(error: KeyFileError) -> Self {
        Self::key(&error, "--key-file")
    }
}

impl From<BindingsError> for Unusable {
    fn from(error: BindingsError) -> Self {
        let text = match &error {
            BindingsError::InUse { path } => format!(
                "another server uses {}: stop it, or give this one a key of its own with \
                 --key-file",
                shown(&path.to_string_lossy())
            ),
            // It says itself what to do.
            BindingsError::Exposed { .. } => error.to_string(),
            BindingsError::Malformed { .. } => format!(
                "{error}: mend the line, or move the file away, and then no id is bound to a key"
            ),
            _ => format!("{error}: name a key with --key-file in a folder that can be written to"),
        };
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_what_to_do() {
        let path = || PathBuf::from("my.key");
        let io = |kind: ErrorKind| KeyFileError::Io {
            path: path(),
            error: kind.into(),
        };
        let malformed = KeyFileError::Malformed {
            path: path(),
            problem: "it is empty".to_owned(),
        };
        let exposed = KeyFileError::Exposed {
            path: path(),
            mode: 0o644,
        };
        for (error, name, fix) in [
            (KeyFileError::NoFolder, "set HOME", "with --key-file"),
            (io(ErrorKind::NotFound), "\"my.key\"", "`rendezvous keygen`"),
            (io(ErrorKind::AlreadyExists), "\"my.key\"", "with --show"),
            (
                io(ErrorKind::PermissionDenied),
                "\"my.key\"",
                "run as a user",
            ),
            (
                malformed,
                "\"my.key\" is no file of keys: it is empty: name another",
                "a new key",
            ),
            (exposed, "\"my.key\", whose mode is 644", "`chmod 600`"),
        ] {
            let Unusable(of_client) = Unusable::key(&error, "--identity");
            let Unusable(text) = error.into();
            assert!(text.contains(name) && text.contains(fix), "{text}");
            assert_eq!(of_client, text.replace("--key-file", "--identity"));
        }
    }

    #[test]
    fn a_file_that_is_named_needs_no_folder() {
        let named = PathBuf::from("my.key");
        assert_eq!(of_server(Some(&named)), Ok(named));
    }
}
