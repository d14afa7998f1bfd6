//! `rendezvous keygen`: a secret key in a new file, or the public half of one that is there.

use std::io::{Write, stderr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use clap::builder::BoolishValueParser;
use protocol_core::{PublicKey, SecretKey};

use super::exit::Exit;
use super::file::shown;
use super::key_file::{Unusable, of_server};
use super::output;

/// Make a secret key in a new file, or show the public half of one
///
/// Servers and clients prove themselves by such a key on encrypted links. Each makes its own at its
/// first start; this makes it before, or elsewhere. The file can be read by its owner alone, and no
/// file is ever replaced. Stdout gets `public key HEX`: of a server that is what clients are told.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes:
  0  done
  1  failed for another reason
  2  a flag or a variable is wrong
  8  the file cannot be made or used; among others, there is one of that name

Examples:
  rendezvous keygen                   # the key of `rendezvous serve`, before its first start
  rendezvous keygen --show            # its public half, for a client's --server-key
  rendezvous keygen --key-file game.key
  rendezvous keygen --show --key-file ~/.config/rendezvous/client.key")]
pub(super) struct Keygen {
    /// The file of the secret key [default: that of `rendezvous serve`, server.key in the user's
    /// folder for configuration, such as ~/.config/rendezvous]
    #[arg(long, env = "RENDEZVOUS_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// Make nothing: show the public half of the key that is in the file
    #[arg(long, env = "RENDEZVOUS_SHOW", value_parser = BoolishValueParser::new())]
    show: bool,
}

impl Keygen {
    pub(super) fn run(&self) -> Exit {
        match self.key() {
            Ok(key) => output::print(format!("public key {key}\n").as_bytes()),
            Err(error) => {
                let _ = writeln!(stderr(), "error: {error:#}");
                if error.is::<Unusable>() {
                    Exit::KeyFile
                } else {
                    Exit::Failed
                }
            }
        }
    }

    fn key(&self) -> anyhow::Result<PublicKey> {
        let path = of_server(self.key_file.as_ref())?;
        if self.show {
            let key = SecretKey::from_file(&path).map_err(Unusable::from)?;
            return Ok(key.public());
        }
        make(&path)
    }
}

fn make(path: &Path) -> anyhow::Result<PublicKey> {
    let key = SecretKey::generate().context("cannot make a key")?;
    key.to_new_file(path).map_err(Unusable::from)?;
    let path = shown(&path.to_string_lossy());
    // Whoever named no file learns which it is. A stderr that is closed is no reason to fail.
    let _ = writeln!(stderr(), "the secret key is in {path}: keep it secret");
    Ok(key.public())
}
