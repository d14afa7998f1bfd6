//! `rendezvous forget-key`: gives an id free whose client has lost its key, while the server is stopped.

use std::io::{Write, stderr};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use protocol_core::PublicKey;

use super::exit::Exit;
use super::file::shown;
use super::key_file::{Unusable, bindings_beside, of_server};
use super::output;
use crate::bindings::{Bindings, BindingsError};
use crate::state::PeerName;

/// Forget which client's key an id belongs to, while the server is stopped
///
/// For whoever has lost the key of their client: the next client that logs in by ID on an encrypted
/// link has it from then on. Run this as the user that the server runs as. Stdout gets the key that
/// ID belonged to.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes:
  0  done
  1  ID belongs to no key, or failed for another reason
  2  a flag or a variable is wrong
  8  the file of bindings cannot be used; among others, a server that runs uses it

Examples:
  rendezvous forget-key alice
  rendezvous forget-key alice --key-file game.key")]
pub(super) struct ForgetKey {
    /// The id, in any case
    #[arg(value_parser = id)]
    id: PeerName,

    /// The server's --key-file, beside which the bindings are, in FILE.bindings [default: that of
    /// `rendezvous serve`, server.key in the user's folder for configuration, such as
    /// ~/.config/rendezvous]
    #[arg(long, env = "RENDEZVOUS_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
}

fn id(text: &str) -> Result<PeerName, String> {
    PeerName::new(text).map_err(|error| format!("the id {error}"))
}

impl ForgetKey {
    pub(super) fn run(&self) -> Exit {
        match self.forget() {
            Ok(key) => {
                let id = shown(self.id.id().as_str());
                output::print(format!("{id} belongs to no key now; it was {key}\n").as_bytes())
            }
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

    fn forget(&self) -> anyhow::Result<PublicKey> {
        let path = bindings_beside(&of_server(self.key_file.as_ref())?);
        let file = shown(&path.to_string_lossy());
        let is_there = path.try_exists();
        if !is_there.map_err(|error| Unusable(format!("cannot look for {file}: {error}")))? {
            // It would be made otherwise, and hide that another was meant.
            let problem = "there is none: name the server's key with --key-file";
            return Err(Unusable(format!("cannot use the bindings {file}: {problem}")).into());
        }
        let bindings = Bindings::open(&path).map_err(|error| match error {
            BindingsError::InUse { .. } => Unusable(format!(
                "a server that runs uses {file}: stop it first, and start it again afterwards"
            )),
            error => error.into(),
        })?;
        let Some(key) = bindings.key_of(&self.id) else {
            let id = shown(self.id.id().as_str());
            anyhow::bail!("{id} belongs to no key, by {file}: check the id and --key-file");
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .context("cannot start a runtime")?;
        match runtime.block_on(bindings.forget(&self.id)) {
            Ok(_) => Ok(key),
            Err(_) => Err(Unusable(format!(
                "cannot write to {file} in time: check the disk, and run this again"
            ))
            .into()),
        }
    }
}
