//! What all commands have in common.

use protocol_core::EventError;

use super::Turn;

/// Something that a logged-in peer asks of rooms: judged and done in one step.
pub trait Command: Send + 'static {
    /// What the peer gets.
    type Reply: Send;
    /// Why not.
    type Error: EventError;

    /// Does it, or changes nothing and says why.
    ///
    /// # Errors
    ///
    /// As the command's own event says.
    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Self::Reply, Self::Error>;

    /// What a connection gets whose session has ended meanwhile.
    fn session_over() -> Self::Error;
}
