//! The vocabulary of the rendezvous server: event sets for any protocol. Data only.

mod bounds;
mod hosting;
mod login;
mod room;
mod room_news;
mod rooms;
mod secret;

pub use bounds::{Capacity, Cursor, Meta};
pub use hosting::{
    CreateInvite, DeleteError, DeleteRoom, InviteError, Invited, KickError, KickPlayer, SetHost,
    SetHostError, UpdateError, UpdateRoom,
};
pub use login::{
    Dropped, LogIn, LogOut, LoggedIn, LoggedOut, Login, LoginError, LoginHandler, Ping, Pong,
    ProtocolInfo, ServerClosing, SessionEnd, SessionEnded, SessionNews, SessionNewsHandler,
};
pub use room::{OnHostLeave, Player, PlayerStatus, Room, RoomSummary, Visibility};
pub use room_news::{
    HostChanged, JoinCause, LeaveReason, PlayerJoined, PlayerLeft, PlayerUpdated, RoomNews,
    RoomNewsHandler, RoomUpdated, SelfJoined, SelfLeft,
};
pub use rooms::{
    Changed, CreateError, CreateRoom, JoinError, JoinRoom, LeaveError, LeaveRoom, ListRooms,
    RoomList, Rooms, RoomsHandler,
};
pub use secret::Secret;
