//! The work that every contender does for one event.
//!
//! Knows nothing of transports: a contender decides only how `Work` gets there and back.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// What a request carries and its answer carries back: decoded to this struct by the server's
/// handler, encoded from it in the answer, decoded again by the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) pos: [f64; 3],
}

impl Work {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            name: "Wanderer-of-Oaks".to_owned(),
            tags: ["explorer", "redguild", "level-42"]
                .map(str::to_owned)
                .into(),
            pos: [1523.75, -48.0625, 307.5],
        }
    }
}

/// Fails if an answer is not the one to the request that was made with `asked`.
pub(crate) fn check(asked: u64, answered: u64) -> Result<()> {
    ensure!(
        asked == answered,
        "the request with id {asked} was answered with id {answered}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_of_the_agreed_size() {
        let work = Work::new(1);
        assert_eq!(work.name.len(), 16);
        assert_eq!(work.tags.len(), 3);
        assert!(work.tags.iter().all(|tag| tag.len() == 8));
    }
}
