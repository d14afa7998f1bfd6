//! A secret key in a file that its owner alone can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{KeyFileError, check_file, make_folder_of};
use crate::codec::SecretKey;

/// More is no key file.
const LONGEST: u64 = 4_096;

impl SecretKey {
    /// Reads a key from the file at `path`: a line with the key's text, beside which lines that start
    /// with `#` may stand.
    ///
    /// # Errors
    ///
    /// Where there is no such file, others can read it (on Unix), or it holds no key.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        check_file(path, 0o077)?;
        let file = File::open(path).map_err(|error| KeyFileError::io(path, error))?;
        let mut text = String::new();
        let read = file.take(LONGEST).read_to_string(&mut text);
        let read = read.map_err(|error| KeyFileError::io(path, error))?;
        if read as u64 == LONGEST {
            return Err(KeyFileError::malformed(path, "it is too long"));
        }
        let mut lines = text
            .lines()
            .map(str::trim)
            .zip(1..)
            .filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        let Some((line, number)) = lines.next() else {
            return Err(KeyFileError::malformed(path, "it is empty"));
        };
        if let Some((_, second)) = lines.next() {
            let problem = format!("line {second} follows the key");
            return Err(KeyFileError::malformed(path, problem));
        }
        line.parse().map_err(|error| {
            let problem = format!("line {number}: {error}");
            KeyFileError::malformed(path, problem)
        })
    }

    /// Reads the key from the file at `path`, or makes the file and a new key where there is none;
    /// and whether it did. Of several programs that do so at once, all get the same key.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file), and where the file cannot be made.
    pub fn from_file_or_new(path: impl AsRef<Path>) -> Result<(Self, bool), KeyFileError> {
        let path = path.as_ref();
        match Self::from_file(path) {
            Err(KeyFileError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found.map(|key| (key, false)),
        }
        let key = Self::generate().map_err(|error| {
            let error = io::Error::other(error.to_string());
            KeyFileError::io(path, error)
        })?;
        match key.to_new_file(path) {
            Ok(()) => Ok((key, true)),
            Err(KeyFileError::Io { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::from_file(path).map(|key| (key, false))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the key to a new file at `path` that its owner alone can read (on Unix), and makes the
    /// folder where there is none.
    ///
    /// # Errors
    ///
    /// Where there is a file of that name, or none can be made.
    pub fn to_new_file(&self, path: impl AsRef<Path>) -> Result<(), KeyFileError> {
        let path = path.as_ref();
        make_folder_of(path)?;
        let draft = Draft::write(path, self).map_err(|error| KeyFileError::io(path, error))?;
        // Unlike a renamed file, a linked one replaces no other, and is whole from its start.
        fs::hard_link(&draft.0, path).map_err(|error| KeyFileError::io(path, error))
    }
}

/// The file before it has its name.
struct Draft(PathBuf);

impl Draft {
    fn write(path: &Path, key: &SecretKey) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", Uuid::new_v4()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = path.with_file_name(name);
        let mut file = options.open(&path)?;
        let draft = Self(path);
        write!(
            file,
            "# A secret key: whoever has it can pose as its owner. Its public half is\n# {}\n{}\n",
            key.public(),
            key.to_text()
        )?;
        file.sync_all()?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(file = ?self.0, %error, "cannot remove a key's draft");
        }
    }
}
