//! The vocabulary of the rendezvous server: event sets for any protocol. Data only.

mod login;
mod room;
mod secret;

pub use login::{
    Dropped, LogIn, LogOut, LoggedIn, LoggedOut, Login, LoginError, LoginHandler, Ping, Pong,
    ProtocolInfo, ServerClosing, SessionEnd, SessionEnded, SessionNews, SessionNewsHandler,
};
pub use room::{Player, PlayerStatus, Room, Visibility};
pub use secret::Secret;
