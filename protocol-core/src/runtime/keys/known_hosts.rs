//! The keys of servers that a client has met: a line each, with the server's name and its key.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{KeyFileError, check_file, folder, make_folder_of};
use crate::codec::PublicKey;

/// More is no such file: some 100,000 servers.
const LONGEST: u64 = 10 << 20;

/// A file of known servers: a line each, with the server's address as its user writes it, and its
/// public key. Case does not matter, and lines that start with `#` are left out of account. It is
/// only ever added to; of several lines for an address the first counts.
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
/// assert_eq!(hosts.pin("example.org:7766", key)?.key, key);
/// assert_eq!(hosts.find("Example.org:7766")?.map(|pinned| pinned.key), Some(key));
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
    /// Where the file cannot be read, others can write to it (on Unix), or a line up to that
    /// server's is none.
    pub fn find(&self, name: &str) -> Result<Option<PinnedKey>, KeyFileError> {
        match self.open(OpenOptions::new().read(true)) {
            Ok(mut file) => self.find_in(&self.read(&mut file)?, name),
            Err(KeyFileError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Adds a line for the server at `name` unless there is one, and returns what counts from then
    /// on: another key where another program was faster.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find); and where the file cannot be written, or `name` cannot stand in a
    /// line.
    pub fn pin(&self, name: &str, key: PublicKey) -> Result<PinnedKey, KeyFileError> {
        let io = |error| KeyFileError::io(&self.path, error);
        if name.is_empty() || name.starts_with('#') || name.contains(is_no_part_of_a_name) {
            let text = format!("{name:?} is no address of a server");
            return Err(io(io::Error::new(io::ErrorKind::InvalidInput, text)));
        }
        make_folder_of(&self.path)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = self.open(&options)?;
        file.lock().map_err(io)?;
        let text = self.read(&mut file)?;
        if let Some(pinned) = self.find_in(&text, name)? {
            return Ok(pinned);
        }
        let name = normal(name);
        // A last line that was cut off, or written by hand, may lack its end.
        let (before, lines) = match text.chars().next_back() {
            None => ("", 0),
            Some('\n') => ("", text.lines().count()),
            Some(_) => ("\n", text.lines().count()),
        };
        let line = format!("{before}{name} {key}\n");
        file.write_all(line.as_bytes()).map_err(io)?;
        file.sync_all().map_err(io)?;
        Ok(PinnedKey {
            key,
            line: lines + 1,
        })
    }

    fn find_in(&self, text: &str, name: &str) -> Result<Option<PinnedKey>, KeyFileError> {
        let name = normal(name);
        let text = text.trim_start_matches('\u{feff}');
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
            if normal(host) == name {
                let key = key.trim().parse();
                let key = key.map_err(|error| malformed(&format!("{error}")))?;
                return Ok(Some(PinnedKey { key, line: number }));
            }
        }
        Ok(None)
    }

    fn open(&self, options: &OpenOptions) -> Result<File, KeyFileError> {
        check_file(&self.path, 0o022)?;
        let file = options.open(&self.path);
        file.map_err(|error| KeyFileError::io(&self.path, error))
    }

    fn read(&self, file: &mut File) -> Result<String, KeyFileError> {
        let mut text = String::new();
        let read = file.take(LONGEST).read_to_string(&mut text);
        let read = read.map_err(|error| KeyFileError::io(&self.path, error))?;
        if read as u64 == LONGEST {
            return Err(KeyFileError::malformed(&self.path, "it is too long"));
        }
        Ok(text)
    }
}

fn is_no_part_of_a_name(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

/// One form for all ways in which an address can be written.
fn normal(name: &str) -> Cow<'_, str> {
    match name.parse::<SocketAddr>() {
        Ok(address) => address.to_string().into(),
        Err(_) if name.contains(|letter: char| letter.is_ascii_uppercase()) => {
            name.to_ascii_lowercase().into()
        }
        Err(_) => name.into(),
    }
}
