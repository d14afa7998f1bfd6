//! Files of keys, as the program's users name them and mend them.

use std::io::ErrorKind;
use std::path::PathBuf;

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

impl From<KeyFileError> for Unusable {
    fn from(error: KeyFileError) -> Self {
        let fix = match &error {
            KeyFileError::NoFolder => {
                let problem = "no folder for configuration is known: set HOME, or name a file with \
                               --key-file";
                return Self(problem.to_owned());
            }
            // It says itself what to do.
            KeyFileError::Exposed { .. } => return Self(error.to_string()),
            KeyFileError::Malformed { .. } => {
                "name another with --key-file, or move it away and have a new key made"
            }
            KeyFileError::Io { error, .. } => match error.kind() {
                ErrorKind::NotFound => {
                    "name another with --key-file, or make one with `rendezvous keygen`"
                }
                ErrorKind::AlreadyExists => {
                    "show the public half of its key with --show, or name another with --key-file"
                }
                _ => "name another with --key-file, or run as a user who may use it",
            },
            _ => "name another with --key-file",
        };
        Self(format!("{error}: {fix}"))
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
            let Unusable(text) = error.into();
            assert!(text.contains(name) && text.contains(fix), "{text}");
        }
    }

    #[test]
    fn a_file_that_is_named_needs_no_folder() {
        let named = PathBuf::from("my.key");
        assert_eq!(of_server(Some(&named)), Ok(named));
    }
}
