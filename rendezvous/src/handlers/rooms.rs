//! Rooms (`PROTOCOL.md` §10): each event becomes a command to the state.

use std::time::Instant;

use protocol_core::{Context, Includes, Protocol, RoomId, ToClient};

use super::passwords::PASSWORD_DELIVERIES;
use crate::events::{
    Changed, CreateError, CreateInvite, CreateRoom, DeleteError, DeleteRoom, InviteError, Invited,
    JoinError, JoinRoom, KickError, KickPlayer, LeaveError, LeaveRoom, ListRooms, Room, RoomList,
    RoomNews, RoomsHandler, Secret, SetHost, SetHostError, UpdateError, UpdateRoom,
};
use crate::service::Rendezvous;
use crate::state::rooms::{
    Appoint, Command, Create, Delete, Invite, Join, Joined, Kick, Leave, PasswordHash, Proof,
    Update, Updated,
};
use crate::state::{Directory, code};

impl<P, D> RoomsHandler<P> for Rendezvous<D>
where
    P: Protocol + Includes<ToClient, RoomNews>,
    D: Directory,
{
    async fn on_create_room(
        &self,
        cx: &Context<P>,
        event: CreateRoom,
    ) -> Result<Room, CreateError> {
        let id = random_code().and_then(|code| RoomId::new(code).ok());
        let id = id.ok_or(CreateError::SessionOver)?;
        let password = self.hash(cx, event.password.as_ref()).await;
        let password = password.map_err(|NotHashed| CreateError::SessionOver)?;
        let command = Create {
            id,
            request: event,
            password,
        };
        self.apply(cx, command).await
    }

    async fn on_delete_room(
        &self,
        cx: &Context<P>,
        event: DeleteRoom,
    ) -> Result<Changed, DeleteError> {
        self.apply(cx, Delete(event)).await
    }

    async fn on_join_room(&self, cx: &Context<P>, event: JoinRoom) -> Result<Room, JoinError> {
        let password = event.password.clone();
        let mut join = Join {
            request: event,
            proof: None,
        };
        loop {
            let hash = match self.apply(cx, join.clone()).await? {
                Joined::In(room) => return Ok(room),
                Joined::Prove(hash) => hash,
            };
            let password = password.as_ref().ok_or(JoinError::BadPassword)?;
            cx.charge(PASSWORD_DELIVERIES);
            let matches = self.inner.passwords.matches(password, &hash).await;
            join.proof = Some(Proof { hash, matches });
        }
    }

    async fn on_create_invite(
        &self,
        cx: &Context<P>,
        event: CreateInvite,
    ) -> Result<Invited, InviteError> {
        let command = Invite {
            code: random_code().ok_or(InviteError::NotHost)?,
            request: event,
        };
        self.apply(cx, command).await
    }

    async fn on_leave_room(
        &self,
        cx: &Context<P>,
        event: LeaveRoom,
    ) -> Result<Changed, LeaveError> {
        self.apply(cx, Leave(event)).await
    }

    async fn on_list_rooms(&self, _cx: &Context<P>, event: ListRooms) -> RoomList {
        self.inner.directory.list(&event).await
    }

    async fn on_update_room(
        &self,
        cx: &Context<P>,
        event: UpdateRoom,
    ) -> Result<Room, UpdateError> {
        let password = event.password.clone();
        let mut update = Update {
            request: event,
            password: None,
        };
        loop {
            if let Updated::Is(room) = self.apply(cx, update.clone()).await? {
                return Ok(room);
            }
            let hash = self.hash(cx, password.as_ref()).await;
            update.password = hash.map_err(|NotHashed| UpdateError::RoomNotFound)?;
        }
    }

    async fn on_kick_player(
        &self,
        cx: &Context<P>,
        event: KickPlayer,
    ) -> Result<Changed, KickError> {
        self.apply(cx, Kick(event)).await
    }

    async fn on_set_host(&self, cx: &Context<P>, event: SetHost) -> Result<Changed, SetHostError> {
        self.apply(cx, Appoint(event)).await
    }
}

/// The process is about to end.
struct NotHashed;

impl<D: Directory> Rendezvous<D> {
    async fn apply<P, C>(&self, cx: &Context<P>, command: C) -> Result<C::Reply, C::Error>
    where
        P: Protocol + Includes<ToClient, RoomNews>,
        C: Command,
    {
        let line = cx.outlet();
        let applied = self.inner.directory.apply(command, &line, Instant::now());
        let applied = applied.await;
        cx.charge(applied.deliveries);
        applied.result
    }

    /// The hash of a password that is not empty.
    async fn hash<P: Protocol>(
        &self,
        cx: &Context<P>,
        password: Option<&Secret>,
    ) -> Result<Option<PasswordHash>, NotHashed> {
        let Some(password) = password.filter(|password| !password.expose().is_empty()) else {
            return Ok(None);
        };
        cx.charge(PASSWORD_DELIVERIES);
        let hash = self.inner.passwords.hash(password).await;
        hash.map(Some).ok_or(NotHashed)
    }
}

/// None where the system gives no random numbers.
fn random_code() -> Option<String> {
    let mut random = [0; 10];
    match getrandom::fill(&mut random) {
        Ok(()) => Some(code(random)),
        Err(error) => {
            tracing::error!(%error, "the system gives no random numbers");
            None
        }
    }
}
