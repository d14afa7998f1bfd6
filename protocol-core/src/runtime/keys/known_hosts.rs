//! The keys of servers that a client has met: a line each, with the server's name and its key.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{KeyFileError, folder, make_folder_of};
use crate::codec::PublicKey;

/// More is no such file: some 100,000 servers.
const LONGEST: u64 = 10 << 20;

/// A file of known servers: a line each, with the server's address as its user writes it, and its
/// public key. Lines that start with `#` are left out of account. It is only ever added to; of
/// several lines for an address the first counts.
///
/// # Examples
///
/// ```
/// use protocol_core::{SecretKey, keys::KnownHosts};
///
/// # let folder = std::env::temp_dir().join(format!("known-hosts-{}", std::process::id()));
/// let hosts = KnownHosts::at(folder.join("known_hosts"));
/// let key = SecretKey::generate()?.public();
/// assert_eq!(hosts.find("example.org:7766")?, None);
/// hosts.pin("example.org:7766", key)?;
/// assert_eq!(hosts.find("example.org:7766")?.map(|pinned| pinned.key), Some(key));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct KnownHosts {
    path: PathBuf,
}

/// What a file says of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PinnedKey {
    /// The key that the server must hold.
    pub key: PublicKey,
    /// The line that says so, counted from 1.
    pub line: usize,
}

impl KnownHosts {
    /// The file at `path`, which need not be there.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file of this user, such as `~/.config/rendezvous/known_hosts`.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::NoFolder`] where the user has no folder for configuration.
    pub fn of_user() -> Result<Self, KeyFileError> {
        Ok(Self::at(folder()?.join("known_hosts")))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key that is pinned for the server at `name`.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or a line up to that server's is none.
    pub fn find(&self, name: &str) -> Result<Option<PinnedKey>, KeyFileError> {
        let text = self.read()?;
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let malformed = |problem: &str| {
                KeyFileError::malformed(&self.path, format!("line {number}: {problem}"))
            };
            let (host, key) = line
                .split_once(char::is_whitespace)
                .ok_or_else(|| malformed("a line has a server's address and its key"))?;
            if host == name {
                let key = key.trim().parse();
                let key = key.map_err(|error| malformed(&format!("{error}")))?;
                return Ok(Some(PinnedKey { key, line: number }));
            }
        }
        Ok(None)
    }

    /// Adds a line for the server at `name`.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn pin(&self, name: &str, key: PublicKey) -> Result<(), KeyFileError> {
        make_folder_of(&self.path)?;
        let io = |error| KeyFileError::io(&self.path, error);
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let mut file = options.open(&self.path).map_err(io)?;
        // One write, so that lines of several programs do not mix.
        let line = format!("{name} {key}\n");
        file.write_all(line.as_bytes()).map_err(io)?;
        file.sync_all().map_err(io)
    }

    fn read(&self) -> Result<String, KeyFileError> {
        let io = |error| KeyFileError::io(&self.path, error);
        let mut text = String::new();
        match File::open(&self.path) {
            Ok(file) => {
                let read = file.take(LONGEST).read_to_string(&mut text).map_err(io)?;
                if read as u64 == LONGEST {
                    return Err(KeyFileError::malformed(&self.path, "it is too long"));
                }
                Ok(text)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(text),
            Err(error) => Err(io(error)),
        }
    }
}
