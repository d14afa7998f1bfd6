//! Whether a server passes events on between its clients, and who may reach whom.

use crate::protocol::Protocol;
use crate::router::{Context, Receivers};
use crate::wire::WireError;

/// Decides who may reach whom through a server: asked before an event is relayed.
///
/// A server relays once it has one; see `Bind::relay`. It passes an event
/// with `dest` on to the connection [identified](Context::identify) as that peer, with the sender's
/// own id as `from`, and never decodes its data (`PROTOCOL.md` §8). A connection that is not
/// identified gets `not_logged_in` without this being asked. Answers come back by the way of the
/// call that they answer, so they are not asked for either.
///
/// # Examples
///
/// ```
/// # use protocol_core::{Event, EventSet, Protocol};
/// # #[derive(Debug, Event)] #[event(pass)] struct Wave;
/// # #[derive(Debug, EventSet)] enum Between { Wave(Wave) }
/// # #[derive(Debug, Protocol)] #[protocol(version = "1", to_peer = Between)] struct Chat;
/// use protocol_core::{Context, Relay};
/// use protocol_core::wire::{ErrorCode, WireError};
///
/// /// Nobody writes to the house.
/// struct Quiet;
///
/// impl Relay<Chat> for Quiet {
///     fn to_peer(&self, _cx: &Context<Chat>, peer: &str, _name: &str) -> Result<(), WireError> {
///         if peer == "house" {
///             return Err(WireError::new(ErrorCode::NotAllowed, "the house takes no events"));
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Relay<P: Protocol>: Send + Sync + 'static {
    /// Whether the connection behind `cx` may send the event called `name` to `peer`.
    ///
    /// # Errors
    ///
    /// Says why not, usually with `not_allowed` (`PROTOCOL.md` §5).
    fn to_peer(&self, cx: &Context<P>, peer: &str, name: &str) -> Result<(), WireError>;

    /// Whether the connection behind `cx` may send the event called `name` to `room`, whoever keeps
    /// that room. By default it may.
    ///
    /// # Errors
    ///
    /// Says why not, as in [`to_peer`](Self::to_peer).
    fn to_room(&self, cx: &Context<P>, room: &str, name: &str) -> Result<(), WireError> {
        let _ = (cx, room, name);
        Ok(())
    }

    /// Gives an event to all other members of `room`, if this relay keeps such a room and the
    /// connection's peer is a member; else returns `false`, as it does by default. Membership must
    /// not change before the last [`Receivers::add`] has returned, so that nobody hears of a room
    /// that they have left.
    ///
    /// # Examples
    ///
    /// ```
    /// # use protocol_core::{Event, EventSet, Protocol};
    /// # #[derive(Debug, Event)] #[event(pass)] struct Wave;
    /// # #[derive(Debug, EventSet)] enum Between { Wave(Wave) }
    /// # #[derive(Debug, Event)] #[event(pass)] struct Score { points: u32 }
    /// # #[derive(Debug, EventSet)] enum ScoreNews { Score(Score) }
    /// # #[derive(Debug, Protocol)]
    /// # #[protocol(version = "1", to_client = ScoreNews, to_peer = Between)]
    /// # struct Game;
    /// use std::sync::Mutex;
    /// use protocol_core::{Context, Outlet, Receivers, Relay, WireError};
    ///
    /// /// All who watch the board are in its one room.
    /// struct Board(Mutex<Vec<Outlet<ScoreNews>>>);
    ///
    /// impl Relay<Game> for Board {
    ///     fn to_peer(&self, _: &Context<Game>, _: &str, _: &str) -> Result<(), WireError> {
    ///         Ok(())
    ///     }
    ///
    ///     fn pass_to_room(&self, cx: &Context<Game>, room: &str, to: &mut Receivers<'_>) -> bool {
    ///         let watchers = self.0.lock().unwrap();
    ///         let me = cx.connection();
    ///         if room != "board" || watchers.iter().all(|watcher| watcher.connection() != me) {
    ///             return false;
    ///         }
    ///         let others = watchers.iter().filter(|watcher| watcher.connection() != me);
    ///         others.for_each(|watcher| to.add(watcher));
    ///         true
    ///     }
    /// }
    /// ```
    fn pass_to_room(&self, cx: &Context<P>, room: &str, receivers: &mut Receivers<'_>) -> bool {
        let _ = (cx, room, receivers);
        false
    }
}

/// Lets every identified peer reach every other.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenRelay;

impl<P: Protocol> Relay<P> for OpenRelay {
    fn to_peer(&self, _cx: &Context<P>, _peer: &str, _name: &str) -> Result<(), WireError> {
        Ok(())
    }
}
