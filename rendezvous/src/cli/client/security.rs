//! The flags about encryption: whether a link is encrypted, to whom it may be, and by which key this
//! end is known.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use protocol_core::PublicKey;
use protocol_core::keys::{KeyFileError, KnownHosts, client_key_file};

/// Whether links are encrypted, and the keys of both ends.
#[derive(Debug, Clone, Args)]
pub(super) struct Security {
    #[command(flatten)]
    pub(super) asked: Asked,

    /// The server's public key, as it prints it at its start: no other server is talked to. Without
    /// this the key that answers at ADDR the first time is remembered, and no other taken later
    #[arg(
        long,
        env = "RENDEZVOUS_SERVER_KEY",
        value_name = "HEX",
        value_parser = ServerKey,
        help_heading = "Encryption"
    )]
    pub(super) server_key: Option<PublicKey>,

    /// The file of the secret key by which servers know you, made at the first encrypted link
    /// [default: `client.key` in the user's folder for configuration, such as ~/.config/rendezvous]
    #[arg(
        long,
        env = "RENDEZVOUS_IDENTITY",
        value_name = "FILE",
        help_heading = "Encryption"
    )]
    identity: Option<PathBuf>,

    /// The file of the servers' keys that are remembered [default: `known_hosts` in that
    /// folder]
    #[arg(
        long,
        env = "RENDEZVOUS_KNOWN_HOSTS",
        value_name = "FILE",
        help_heading = "Encryption"
    )]
    known_hosts: Option<PathBuf>,
}

/// Which kind of link is asked for, and by whom.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) link: Option<Encryption>,
    /// Nobody has typed it: a variable says so.
    pub(super) by_variable: bool,
}

#[derive(Debug, Args)]
struct Flag {
    /// Whether the link is encrypted [default: plain where ADDR is `localhost` or a loopback address,
    /// and no key is known for it or given; encrypted otherwise]
    #[arg(
        long,
        env = "RENDEZVOUS_LINK",
        value_name = "LINK",
        help_heading = "Encryption"
    )]
    link: Option<Encryption>,
}

impl Args for Asked {
    fn augment_args(command: Command) -> Command {
        Flag::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flag::augment_args_for_update(command)
    }
}

impl FromArgMatches for Asked {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            link: Flag::from_arg_matches(matches)?.link,
            by_variable: matches.value_source("link") == Some(ValueSource::EnvVariable),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Whether a link is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Encryption {
    /// Whoever sees the network reads all, and nobody proves anything.
    Plain,
    /// Only the server reads it, and each end knows the other by its key.
    Encrypted,
}

impl Security {
    /// What is wrong with the flags together.
    pub(super) fn conflict(&self) -> Option<String> {
        let both = self.asked.link == Some(Encryption::Plain) && self.server_key.is_some();
        both.then(|| {
            "a server proves --server-key on encrypted links only: leave out one of --server-key \
             and --link plain (or RENDEZVOUS_SERVER_KEY, RENDEZVOUS_LINK)"
                .to_owned()
        })
    }

    /// Where this end's own key is.
    pub(super) fn identity(&self) -> Result<PathBuf, KeyFileError> {
        self.identity.clone().map_or_else(client_key_file, Ok)
    }

    /// Where the servers' keys are.
    pub(super) fn known_hosts(&self) -> Result<KnownHosts, KeyFileError> {
        match &self.known_hosts {
            Some(path) => Ok(KnownHosts::at(path)),
            None => KnownHosts::of_user(),
        }
    }
}

/// Parses a public key without showing what is none: it may be a secret one.
#[derive(Debug, Clone, Copy)]
struct ServerKey;

impl TypedValueParser for ServerKey {
    type Value = PublicKey;

    fn parse_ref(
        &self,
        command: &Command,
        _arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<PublicKey, clap::Error> {
        let key = value.to_string_lossy().parse();
        key.map_err(|error| {
            const FLAG: &str = "--server-key <HEX>";
            let message = format!("invalid value for '{FLAG}': {error}\n");
            let error = clap::Error::raw(ErrorKind::ValueValidation, message);
            let mut error = error.with_cmd(command);
            let flag = ContextValue::String(FLAG.to_owned());
            error.insert(ContextKind::InvalidArg, flag);
            error
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        security: Security,
    }

    fn parse(flags: &[&str]) -> Result<Security, clap::Error> {
        let args = ["client"].iter().chain(flags);
        Ok(Program::try_parse_from(args)?.security)
    }

    const KEY: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

    #[test]
    fn what_is_no_public_key_is_named_and_not_shown() {
        let key = parse(&["--server-key", KEY]).unwrap().server_key;
        assert_eq!(key.map(|key| key.to_string()).as_deref(), Some(KEY));
        let secret = format!("secret-{KEY}");
        for (text, problem) in [
            (secret.as_str(), "this is a secret key: give the public one"),
            (&KEY[1..], "64 hexadecimal digits, this text has 63"),
            (&KEY.replace('7', "x"), "character 14 is not one"),
        ] {
            let error = parse(&["--server-key", text]).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
            assert!(error.contains("--server-key <HEX>"), "{error}");
            assert!(!error.contains(&text[10..]), "{error}");
        }
    }

    #[test]
    fn a_plain_link_proves_no_key() {
        for (flags, conflicts) in [
            (&["--link=plain"][..], false),
            (&["--link=encrypted", "--server-key", KEY], false),
            (&["--link=plain", "--server-key", KEY], true),
            (&["--server-key", KEY], false),
        ] {
            let conflict = parse(flags).unwrap().conflict();
            assert_eq!(conflict.is_some(), conflicts, "{flags:?}");
        }
    }
}
