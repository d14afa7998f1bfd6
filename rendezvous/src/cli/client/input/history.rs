//! Where lines of earlier sessions are kept.

use std::path::PathBuf;
use std::{fs, io};

use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};

/// How many lines are kept.
pub(super) const LINES: usize = 1_000;

/// The file, in a folder that is there; none where this user has no folder for such things.
///
/// # Errors
///
/// Where the folder cannot be made.
pub(super) fn file() -> io::Result<Option<PathBuf>> {
    let program = AppStrategyArgs {
        top_level_domain: String::new(),
        author: String::new(),
        app_name: "rendezvous".to_owned(),
    };
    let Ok(folders) = choose_app_strategy(program) else {
        return Ok(None);
    };
    let folder = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    fs::create_dir_all(&folder)?;
    Ok(Some(folder.join("client-history")))
}
