//! The server under load: what `rendezvous serve` serves, with the limits that it has by itself.

use std::process;

use protocol_core::Protocol;
use rendezvous::{Login, Rendezvous, RoomNews, Rooms, SessionNews};

use crate::{contenders::Running, files, process::Announcement};

/// What the hidden command `serve` calls it.
pub(crate) const NAME: &str = "rooms";

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Login, Rooms), to_client = (SessionNews, RoomNews))]
pub(crate) struct Stock;

pub(crate) fn serve(announcement: Announcement) -> Running {
    Box::pin(async {
        files::allow_all()?;
        let rendezvous = Rendezvous::default();
        let bind = rendezvous.bind::<Stock>("127.0.0.1:0");
        let server = bind.handle(rendezvous.clone()).await?;
        announcement.listening(server.address(), process::id())?;
        // The server lives as long as this future, which the driver drops.
        std::future::pending().await
    })
}
