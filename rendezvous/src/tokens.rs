//! Tokens: what an operator gave to each peer that may log in.
//!
//! Knows neither links nor keys.

use std::collections::HashMap;
use std::fmt;

use blake2::{Blake2s256, Digest};
use subtle::{Choice, ConstantTimeEq};

use crate::events::Secret;
use crate::state::{NameError, PeerName};

/// The shortest token in characters: 16 random letters and digits are more than anybody can try, and
/// words that people make up are mostly shorter.
pub const MIN_TOKEN_CHARACTERS: usize = 16;

/// The longest token in bytes, so that a login with it is well below what a stranger may send.
pub const MAX_TOKEN_BYTES: usize = 1_024;

/// Who may log in, and the token that proves it, for [`Config::tokens`](crate::Config::tokens).
///
/// A login as an id that has a token here must give it, or hold the key that the id is bound to. On an
/// encrypted link the token binds the id to the link's key, so it is needed once; on a plain link each
/// time. Other ids are refused, bound or not. A binding holds against the right token too: a plain
/// link, or one with another key, gets `id_taken`, until the operator
/// [forgets the key](crate::Rendezvous::forget_key). So do that too for ids that were bound before there
/// were tokens, where it is not certain whose keys those are.
///
/// It keeps digests of the tokens and prints as `[redacted]`.
///
/// # Examples
///
/// ```
/// use rendezvous::{Config, Tokens};
///
/// let mut config = Config::default();
/// config.tokens = Some(Tokens::new([
///     ("alice", "kR3vVq0cJ7w2mZ9x"),
///     ("bob", "pT5nLs8yB1d4hG6f"),
/// ])?);
/// # Ok::<(), rendezvous::TokensError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// By the key of the id's name.
    digests: HashMap<Box<str>, [u8; 32]>,
}

impl Tokens {
    /// Takes ids and the token of each. With none of them, nobody may log in.
    ///
    /// # Errors
    ///
    /// See [`TokensError`], which names the id.
    pub fn new<I, T>(tokens: impl IntoIterator<Item = (I, T)>) -> Result<Self, TokensError>
    where
        I: AsRef<str>,
        T: AsRef<str>,
    {
        let mut digests = HashMap::new();
        for (id, token) in tokens {
            let (id, token) = (id.as_ref(), token.as_ref());
            let error = |problem| TokensError {
                id: id.to_owned(),
                problem,
            };
            let name = PeerName::new(id).map_err(|rule| error(TokenProblem::Id(rule)))?;
            if token.trim() != token {
                return Err(error(TokenProblem::EdgeSpace));
            }
            let characters = token.chars().count();
            if characters < MIN_TOKEN_CHARACTERS {
                return Err(error(TokenProblem::TooShort { characters }));
            }
            if token.len() > MAX_TOKEN_BYTES {
                let bytes = token.len();
                return Err(error(TokenProblem::TooLong { bytes }));
            }
            if digests.insert(name.key().into(), digest(token)).is_some() {
                return Err(error(TokenProblem::Twice));
            }
        }
        Ok(Self { digests })
    }

    /// How many ids have a token.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether no id has one, so that nobody may log in.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Whether this id may log in at all.
    pub(crate) fn lists(&self, id: &PeerName) -> bool {
        self.digests.contains_key(id.key())
    }

    /// Whether `token` is the one of `id`. How long this takes tells neither how much of it is right
    /// nor whether the id has one: digests are compared, in constant time, one that nothing has where
    /// the id is unknown.
    pub(crate) fn prove(&self, id: &PeerName, token: &Secret) -> bool {
        let (expected, known) = match self.digests.get(id.key()) {
            Some(expected) => (*expected, Choice::from(1)),
            None => ([0; 32], Choice::from(0)),
        };
        (digest(token.expose()).ct_eq(&expected) & known).into()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Blake2s256::digest(token).into()
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why tokens cannot be used. Holds the id, never a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token of {id:?}: {problem}")]
#[non_exhaustive]
pub struct TokensError {
    /// The id, as it was given.
    pub id: String,
    /// What is wrong.
    pub problem: TokenProblem,
}

/// What is wrong with an id or its token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenProblem {
    /// The id is no name for a peer.
    #[error("the id {0}")]
    Id(NameError),
    /// Another id is the same, or looks the same.
    #[error("an id that is or looks the same has a token already: leave one out")]
    Twice,
    /// White space is at an edge of the token, where nobody sees it and programs cut it off.
    #[error("it starts or ends with white space: leave that out")]
    EdgeSpace,
    /// The token can be guessed.
    #[error(
        "it has {characters} characters, at least {MIN_TOKEN_CHARACTERS} are needed: take a random \
         one"
    )]
    TooShort {
        /// How many it has.
        characters: usize,
    },
    /// The token is longer than a login may be.
    #[error("it has {bytes} bytes: at most {MAX_TOKEN_BYTES} are allowed")]
    TooLong {
        /// How many it has.
        bytes: usize,
    },
}
