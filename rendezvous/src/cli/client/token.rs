//! The flags about the token that proves an id. It is never shown.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::MAX_TOKEN_BYTES;
use crate::cli::key_file::Unusable;
use crate::events::Secret;

/// Where the token is, if there is one.
#[derive(Debug, Args)]
pub(super) struct Token {
    /// What proves the id, where the server asks for it. Other users of this machine can see flags:
    /// the variable, or --token-file, keeps it from them
    #[arg(
        long,
        env = "RENDEZVOUS_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        value_parser = token,
        conflicts_with = "token_file"
    )]
    token: Option<Secret>,

    /// A file with the token alone, which others must not be able to read
    #[arg(long, env = "RENDEZVOUS_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Token {
    /// The token; none where none was given.
    ///
    /// # Errors
    ///
    /// Where the file cannot be used.
    pub(super) fn read(&self) -> Result<Option<Secret>, Unusable> {
        match &self.token_file {
            Some(path) => in_file(path).map(Some).map_err(|problem| {
                let path = path.display();
                Unusable(format!("cannot use the token file {path}: {problem}"))
            }),
            None => Ok(self.token.clone()),
        }
    }
}

fn token(text: &str) -> Result<Secret, &'static str> {
    if text.is_empty() {
        return Err("write the token, or leave it out");
    }
    Ok(Secret::new(text))
}

fn in_file(path: &Path) -> Result<Secret, String> {
    let in_words = |error: std::io::Error| error.to_string();
    let file = File::open(path).map_err(in_words)?;
    check_mode(&file)?;
    let mut bytes = Vec::new();
    // One byte and a line end more, to see that there is more.
    let most = MAX_TOKEN_BYTES as u64 + 3;
    file.take(most).read_to_end(&mut bytes).map_err(in_words)?;
    // Only this is not the token's: servers compare all else.
    let token = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let token = token.strip_suffix(b"\r").unwrap_or(token);
    if token.len() > MAX_TOKEN_BYTES {
        return Err(format!("it has more than {MAX_TOKEN_BYTES} bytes"));
    }
    match str::from_utf8(token).map_err(|_| "it is no text")? {
        "" => Err("it is empty".to_owned()),
        token if token.contains(['\n', '\r']) => {
            Err("it has several lines: write the token alone".to_owned())
        }
        token => Ok(Secret::new(token)),
    }
}

#[cfg(unix)]
fn check_mode(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = file.metadata().map_err(|error| error.to_string())?;
    match metadata.permissions().mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(format!(
            "others can read it, its mode is {mode:o}: run `chmod 600` on it, and ask for a new \
             token if somebody may have"
        )),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_mode(_: &File) -> Result<(), String> {
    Ok(())
}
