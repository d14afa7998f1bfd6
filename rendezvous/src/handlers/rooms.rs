//! Rooms (`PROTOCOL.md` §10): each event becomes a command to the state.

use std::time::Instant;

use protocol_core::{Context, EventError, Includes, Protocol, RoomId, ToClient};

use super::passwords::Busy;
use crate::events::{
    Changed, CreateError, CreateInvite, CreateRoom, DeleteError, DeleteRoom, InviteError, Invited,
    JoinError, JoinRoom, KickError, KickPlayer, LeaveError, LeaveRoom, ListRooms, Room, RoomList,
    RoomNews, RoomsHandler, Secret, SetHost, SetHostError, UpdateError, UpdateRoom,
};
use crate::metrics;
use crate::service::Rendezvous;
use crate::state::rooms::{
    Appoint, Command, Create, Created, Delete, Invite, Join, Joined, Kick, Leave, List,
    PasswordHash, Proof, Update, Updated,
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
        let secret = event.password.clone();
        let mut create = Create {
            id: id.ok_or(CreateError::SessionOver)?,
            request: event,
            password: None,
        };
        loop {
            // Each connection keeps room for its largest handler: what is rare is boxed.
            if let Created::Is(room) = Box::pin(self.apply(cx, create.clone())).await? {
                return Ok(charged(cx, room));
            }
            create.password = match Box::pin(self.hash(cx, secret.as_ref())).await {
                Ok(hash) => Some(hash),
                Err(NotHashed::Ending) => return Err(CreateError::SessionOver),
                Err(NotHashed::TooMany { retry_after_ms }) => {
                    return Err(CreateError::TooManyTries { retry_after_ms });
                }
            };
        }
    }

    async fn on_delete_room(
        &self,
        cx: &Context<P>,
        event: DeleteRoom,
    ) -> Result<Changed, DeleteError> {
        self.apply(cx, Delete(event)).await
    }

    async fn on_join_room(&self, cx: &Context<P>, event: JoinRoom) -> Result<Room, JoinError> {
        let secret = event.password.clone();
        let mut join = Join {
            request: event,
            proof: None,
        };
        loop {
            let hash = match self.apply(cx, join.clone()).await? {
                Joined::In(room) => return Ok(charged(cx, room)),
                Joined::Prove(hash) => hash,
            };
            let secret = secret.as_ref().ok_or(JoinError::BadPassword)?;
            self.may_try_password(cx)
                .map_err(|retry_after_ms| JoinError::TooManyTries { retry_after_ms })?;
            let matches = Box::pin(self.inner.passwords.matches(secret, &hash)).await;
            let matches = matches
                .map_err(|Busy { retry_after_ms }| JoinError::TooManyTries { retry_after_ms })?;
            join.proof = Some(Proof { hash, matches });
        }
    }

    async fn on_create_invite(
        &self,
        cx: &Context<P>,
        event: CreateInvite,
    ) -> Result<Invited, InviteError> {
        let command = Invite {
            code: random_code().map(Secret::new).ok_or(InviteError::NotHost)?,
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
        self.inner.directory.list(&List::new(&event)).await
    }

    async fn on_update_room(
        &self,
        cx: &Context<P>,
        event: UpdateRoom,
    ) -> Result<Room, UpdateError> {
        let secret = event.password.clone();
        let mut update = Update {
            request: event,
            password: None,
        };
        loop {
            if let Updated::Is(room) = Box::pin(self.apply(cx, update.clone())).await? {
                return Ok(charged(cx, room));
            }
            update.password = match Box::pin(self.hash(cx, secret.as_ref())).await {
                Ok(hash) => Some(hash),
                Err(NotHashed::Ending) => return Err(UpdateError::RoomNotFound),
                Err(NotHashed::TooMany { retry_after_ms }) => {
                    return Err(UpdateError::TooManyTries { retry_after_ms });
                }
            };
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

/// Why a password was not hashed.
enum NotHashed {
    /// The process is about to end.
    Ending,
    TooMany {
        retry_after_ms: u64,
    },
}

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
        if applied.crowded {
            cx.make_way();
        }
        if let Err(error) = &applied.result {
            metrics::count_by(metrics::COMMANDS_REFUSED, "code", error.code());
        }
        applied.result
    }

    async fn hash<P: Protocol>(
        &self,
        cx: &Context<P>,
        secret: Option<&Secret>,
    ) -> Result<PasswordHash, NotHashed> {
        let secret = secret.ok_or(NotHashed::Ending)?;
        self.may_try_password(cx)
            .map_err(|retry_after_ms| NotHashed::TooMany { retry_after_ms })?;
        let hash = self.inner.passwords.hash(secret).await;
        let hash = hash.map_err(|Busy { retry_after_ms }| NotHashed::TooMany { retry_after_ms })?;
        hash.ok_or(NotHashed::Ending)
    }

    /// Whether a password of this client may be worked on, or after how many milliseconds.
    fn may_try_password<P: Protocol>(&self, cx: &Context<P>) -> Result<(), u64> {
        let address = cx.address().map(|address| address.ip());
        let now = Instant::now();
        let granted = self
            .attempts()
            .may_try_password(now, address, cx.connection());
        // Rounded up, so that whoever waits for as long is not refused again.
        granted.map_err(|wait| {
            metrics::count_by(metrics::PASSWORDS_LIMITED, "limit", "address");
            let ms = wait.as_nanos().div_ceil(1_000_000);
            u64::try_from(ms).unwrap_or(u64::MAX)
        })
    }
}

/// Players whose part of an answer counts as a delivery, so that nobody has a room of a thousand
/// written more than some eighty times a second.
const PLAYERS_A_DELIVERY: usize = 8;

/// A room as an answer. Asking again and again is no way to have a long one written for nothing.
fn charged<P: Protocol>(cx: &Context<P>, room: Room) -> Room {
    cx.charge(room.players.len() / PLAYERS_A_DELIVERY);
    room
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
