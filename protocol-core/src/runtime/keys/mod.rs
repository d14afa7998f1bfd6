//! Keys in files: an end's own secret key, and the servers' keys that a client has pinned.

mod file;
mod known_hosts;

use std::io;
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};

pub use known_hosts::{KnownHosts, PinnedKey};

/// Why a key cannot be had from a file, or kept in one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("cannot use the key file {path:?}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is no file of keys.
    #[error("{path:?} is no file of keys: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        problem: String,
    },
    /// Other users of the machine can read a secret key, or add to the known servers.
    #[error(
        "others can use {path:?}, whose mode is {mode:o}: run `chmod 600` on it, and do not trust it \
         if somebody may have done so"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// This user has no folder for configuration.
    #[error("no folder for configuration is known, set HOME or name the file")]
    NoFolder,
}

impl KeyFileError {
    fn io(path: &Path, error: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            error,
        }
    }

    fn malformed(path: &Path, problem: impl ToString) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// The folder in which keys are kept where no file is named, such as `~/.config/rendezvous`.
///
/// # Errors
///
/// [`KeyFileError::NoFolder`] where the user has no folder for configuration.
pub fn folder() -> Result<PathBuf, KeyFileError> {
    let folders = choose_base_strategy().map_err(|_| KeyFileError::NoFolder)?;
    Ok(folders.config_dir().join("rendezvous"))
}

/// The file of this user's own key, which its clients prove to hold.
///
/// # Errors
///
/// [`KeyFileError::NoFolder`] where the user has no folder for configuration.
pub fn client_key_file() -> Result<PathBuf, KeyFileError> {
    Ok(folder()?.join("client.key"))
}

/// Makes the folder of `file`, for this user alone where it is new.
fn make_folder_of(file: &Path) -> Result<(), KeyFileError> {
    let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| KeyFileError::io(folder, error))
}

/// Refuses what is no regular file, on which a read may wait for ever, and one whose mode has a bit
/// of `forbidden`. A file that is not there is none's.
fn check_file(path: &Path, forbidden: u32) -> Result<(), KeyFileError> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(KeyFileError::io(path, error)),
    };
    if !metadata.is_file() {
        return Err(KeyFileError::malformed(path, "it is no regular file"));
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & forbidden != 0 {
            return Err(KeyFileError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
    }
    #[cfg(not(unix))]
    let _ = forbidden;
    Ok(())
}
