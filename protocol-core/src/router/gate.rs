//! Who may send what now: asked before an event is decoded.

use crate::protocol::Protocol;
use crate::router::Context;
use crate::wire::WireError;

/// Decides for each event whether its connection may send it now.
///
/// A server has its gates in front of all its handlers, so that a set is not open to strangers
/// because one of its handlers forgot to ask. A refused request or confirmed pass is answered with
/// the error, a refused pass is counted.
///
/// # Examples
///
/// ```
/// # use protocol_core::{Event, EventSet, Protocol};
/// # #[derive(Debug, Event)] #[event(pass)] struct Login { id: String }
/// # #[derive(Debug, EventSet)] enum ToServer { Login(Login) }
/// # #[derive(Debug, Protocol)] #[protocol(version = "1", to_server = ToServer)] struct Chat;
/// use protocol_core::{Context, Gate};
/// use protocol_core::wire::{ErrorCode, WireError};
///
/// /// Lets nothing but `login` through until the connection has a name.
/// struct Door;
///
/// impl Gate<Chat> for Door {
///     fn admit(&self, cx: &Context<Chat>, name: &str) -> Result<(), WireError> {
///         if name == "login" || cx.peer().is_some() {
///             return Ok(());
///         }
///         Err(WireError::new(ErrorCode::NotLoggedIn, "log in first"))
///     }
/// }
/// ```
pub trait Gate<P: Protocol>: Send + Sync + 'static {
    /// Whether the connection behind `cx` may send the event called `name` now.
    ///
    /// # Errors
    ///
    /// Says why not, usually with one of the standard codes (`PROTOCOL.md` §5).
    fn admit(&self, cx: &Context<P>, name: &str) -> Result<(), WireError>;
}

/// Lets every event through.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenGate;

impl<P: Protocol> Gate<P> for OpenGate {
    fn admit(&self, _cx: &Context<P>, _name: &str) -> Result<(), WireError> {
        Ok(())
    }
}
