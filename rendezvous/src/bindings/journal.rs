//! The file of bindings: a line for each change, written anew where it has many more than bindings.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::BindingsError;
use super::line::Line;
use super::reading::read;
use crate::state::{Change, Day, Table};

/// The first line of each file, so that a later form can be told.
pub(super) const HEADER: &[u8] = b"rendezvous bindings 1";

/// With more lines for each binding the file is written anew. So of what is read at the start most
/// counts, and of what is written little is written again.
const LINES_A_BINDING: usize = 4;

/// With fewer lines in all it is not worth it.
const FEWEST_LINES: usize = 256;

/// The file, which this process alone has open.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// How long the file is, up to the last line that was written.
    length: u64,
    lines: usize,
    /// What may be in the file is not what should be: only writing it anew helps.
    broken: bool,
    /// The file is not written anew below so many lines, since that failed.
    put_off_to: usize,
    /// Locked as long as this lives. Not the file itself, which is another after each rewriting.
    _lock: File,
}

impl Journal {
    /// Opens the file at `path`, or makes it, and reads what is in it. No binding of it was used
    /// after `today`.
    pub(super) fn open(path: &Path, today: Day) -> Result<(Self, Table), BindingsError> {
        // Through a link the file has the lock that it has by its own name, and stays where it is.
        let path = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            found => found.map_err(|error| BindingsError::io(path, error))?,
        };
        let lock = lock(&path)?;
        check(&path)?;
        let table = read(&path, today)?;
        let io = |error| BindingsError::io(&path, error);
        let (file, length) = write_anew(&path, &table.to_changes()).map_err(io)?;
        let journal = Self {
            file,
            length,
            lines: table.len(),
            broken: false,
            put_off_to: 0,
            _lock: lock,
            path,
        };
        Ok((journal, table))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether [`write`](Self::write) would rather have the whole of so many bindings.
    pub(super) fn wants_all(&self, bindings: usize) -> bool {
        let most = FEWEST_LINES.max(LINES_A_BINDING.saturating_mul(bindings));
        self.broken || self.lines > most.max(self.put_off_to)
    }

    /// Writes changes through to the disk: these alone, or `all` that the file has then.
    pub(super) fn write(&mut self, changes: &[Change], all: Option<&[Change]>) -> io::Result<()> {
        if let Some(all) = all {
            match self.rewrite(all) {
                Err(error) if !self.broken => {
                    tracing::warn!(file = ?self.path, %error, "cannot write the bindings anew");
                    self.put_off_to = self.lines.saturating_mul(2);
                }
                done => return done,
            }
        }
        self.append(changes)
    }

    fn append(&mut self, changes: &[Change]) -> io::Result<()> {
        let mut text = Vec::new();
        write_lines(&mut text, changes)?;
        let written = self.file.write_all(&text);
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            self.broken = true;
            // If this fails too, the next that is written replaces it all.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += text.len() as u64;
        self.lines += changes.len();
        Ok(())
    }

    fn rewrite(&mut self, all: &[Change]) -> io::Result<()> {
        let (file, length) = write_anew(&self.path, all)?;
        self.file = file;
        self.length = length;
        self.lines = all.len();
        self.broken = false;
        self.put_off_to = 0;
        Ok(())
    }
}

/// Refuses what is no regular file, on which a read may wait for ever, and one that others can write:
/// whoever does so has any id. A file that is not there is none's.
fn check(path: &Path) -> Result<(), BindingsError> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(|error| BindingsError::io(path, error))?,
    };
    if !metadata.is_file() {
        let error = io::Error::other("it is no regular file");
        return Err(BindingsError::io(path, error));
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o022 != 0 {
            let path = path.to_owned();
            return Err(BindingsError::Exposed { path, mode });
        }
    }
    Ok(())
}

/// The lock of the file at `path`, in a file beside it that stays there.
fn lock(path: &Path) -> Result<File, BindingsError> {
    let name = beside(path, ".lock");
    let io = |error| BindingsError::io(&name, error);
    let mut options = for_owner();
    let file = options.create(true).truncate(false).open(&name);
    let file = file.map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let path = path.to_owned();
            Err(BindingsError::InUse { path })
        }
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Puts a new file with all these changes in the place of the one at `path`; the file and how long it
/// is.
fn write_anew(path: &Path, all: &[Change]) -> io::Result<(File, u64)> {
    let draft = beside(path, ".new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = for_owner().create_new(true).open(&draft)?;
    let mut text = BufWriter::new(&mut file);
    text.write_all(HEADER)?;
    text.write_all(b"\n")?;
    write_lines(&mut text, all)?;
    text.flush()?;
    drop(text);
    file.sync_all()?;
    let length = file.metadata()?.len();
    fs::rename(&draft, path)?;
    // From here on the old file is gone, so what is written must go to the new one in any case.
    if let Err(error) = sync_folder_of(path) {
        tracing::warn!(file = ?path, %error, "cannot write the folder of the bindings to the disk");
    }
    Ok((file, length))
}

fn write_lines(to: &mut impl Write, changes: &[Change]) -> io::Result<()> {
    changes
        .iter()
        .try_for_each(|change| writeln!(to, "{}", Line(change)))
}

/// Options to write a file that its owner alone can read, where there are such.
fn for_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// A renamed file has its name for certain only once the folder is on the disk.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}
