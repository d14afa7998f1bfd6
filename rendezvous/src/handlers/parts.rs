//! `Rendezvous` as the handler of one set alone, beside a handler of one's own for the other.

use protocol_core::{Context, Includes, Protocol, ToClient};

use crate::events::{
    Changed, CreateError, CreateInvite, CreateRoom, DeleteError, DeleteRoom, InviteError, Invited,
    JoinError, JoinRoom, KickError, KickPlayer, LeaveError, LeaveRoom, ListRooms, LogIn, LogOut,
    LoggedIn, LoggedOut, LoginError, LoginHandler, Ping, Pong, Room, RoomList, RoomNews,
    RoomsHandler, SessionNews, SetHost, SetHostError, UpdateError, UpdateRoom,
};
use crate::service::Rendezvous;
use crate::state::{Directory, InMemory};

/// Handles the set [`Login`](crate::Login) and no other; from
/// [`Rendezvous::login_part`](crate::Rendezvous::login_part).
#[derive(Debug, Clone)]
pub struct LoginPart<D = InMemory>(pub(crate) Rendezvous<D>);

impl<P, D> LoginHandler<P> for LoginPart<D>
where
    P: Protocol + Includes<ToClient, SessionNews>,
    D: Directory,
{
    async fn on_log_in(&self, cx: &Context<P>, event: LogIn) -> Result<LoggedIn, LoginError> {
        self.0.on_log_in(cx, event).await
    }

    async fn on_log_out(&self, cx: &Context<P>, event: LogOut) -> LoggedOut {
        self.0.on_log_out(cx, event).await
    }

    async fn on_ping(&self, cx: &Context<P>, event: Ping) -> Pong {
        self.0.on_ping(cx, event).await
    }
}

/// Handles the set [`Rooms`](crate::Rooms) and no other; from
/// [`Rendezvous::rooms_part`](crate::Rendezvous::rooms_part).
#[derive(Debug, Clone)]
pub struct RoomsPart<D = InMemory>(pub(crate) Rendezvous<D>);

impl<P, D> RoomsHandler<P> for RoomsPart<D>
where
    P: Protocol + Includes<ToClient, RoomNews>,
    D: Directory,
{
    async fn on_create_room(
        &self,
        cx: &Context<P>,
        event: CreateRoom,
    ) -> Result<Room, CreateError> {
        self.0.on_create_room(cx, event).await
    }

    async fn on_delete_room(
        &self,
        cx: &Context<P>,
        event: DeleteRoom,
    ) -> Result<Changed, DeleteError> {
        self.0.on_delete_room(cx, event).await
    }

    async fn on_join_room(&self, cx: &Context<P>, event: JoinRoom) -> Result<Room, JoinError> {
        self.0.on_join_room(cx, event).await
    }

    async fn on_create_invite(
        &self,
        cx: &Context<P>,
        event: CreateInvite,
    ) -> Result<Invited, InviteError> {
        self.0.on_create_invite(cx, event).await
    }

    async fn on_leave_room(
        &self,
        cx: &Context<P>,
        event: LeaveRoom,
    ) -> Result<Changed, LeaveError> {
        self.0.on_leave_room(cx, event).await
    }

    async fn on_list_rooms(&self, cx: &Context<P>, event: ListRooms) -> RoomList {
        self.0.on_list_rooms(cx, event).await
    }

    async fn on_update_room(
        &self,
        cx: &Context<P>,
        event: UpdateRoom,
    ) -> Result<Room, UpdateError> {
        self.0.on_update_room(cx, event).await
    }

    async fn on_kick_player(
        &self,
        cx: &Context<P>,
        event: KickPlayer,
    ) -> Result<Changed, KickError> {
        self.0.on_kick_player(cx, event).await
    }

    async fn on_set_host(&self, cx: &Context<P>, event: SetHost) -> Result<Changed, SetHostError> {
        self.0.on_set_host(cx, event).await
    }
}
