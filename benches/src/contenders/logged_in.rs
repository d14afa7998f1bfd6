//! This project's rendezvous server, and clients that log in through the public API: what a link
//! takes that has a session.

use std::{
    future::pending,
    net::SocketAddr,
    process,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use anyhow::{Result, ensure};
use protocol_core::{Client, ignore};
use rendezvous::{LoginExt as _, Rendezvous, RoomNews, SessionNews};

use super::{
    Contender, Load, Running,
    newcomers::{self, Newcomer},
    protocol,
};
use crate::{
    mode::{Mode, Workload},
    process::Announcement,
    rooms::Stock,
};

#[derive(Debug)]
pub(super) struct LoggedIn<const LINKS: u8>;

impl<const LINKS: u8> Contender for LoggedIn<LINKS> {
    fn name(&self) -> &'static str {
        let names = [
            "protocol-logged-in",
            "protocol-logged-in-aes",
            "protocol-logged-in-chacha",
        ];
        protocol::name(LINKS, names)
    }

    fn about(&self) -> &'static str {
        let plain = "clients of this project's rendezvous server, logged in, plain";
        protocol::about(LINKS, plain)
    }

    fn takes(&self, mode: &Mode) -> bool {
        mode.workload == Workload::Idle
    }

    fn kind(&self) -> Option<u8> {
        Some(LINKS)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let rendezvous = Rendezvous::default();
            let server = rendezvous
                .bind::<Stock>("127.0.0.1:0")
                .encryption(protocol::encryption(LINKS))
                .handle(rendezvous.clone())
                .await?;
            announcement.listening(server.address(), process::id())?;
            // The server lives as long as this future, which the driver drops.
            pending().await
        })
    }

    fn drive(&self, load: Load) -> Running {
        newcomers::drive::<Session<LINKS>>(load)
    }
}

/// A client that ends with its last handle.
struct Session<const LINKS: u8> {
    _client: Client<Stock>,
}

impl<const LINKS: u8> Newcomer for Session<LINKS> {
    async fn come(address: SocketAddr) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let number = NEXT.fetch_add(1, Relaxed);
        let id = format!("client-{number}");
        // Each has a key of its own, to which an encrypted server binds the id.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        let client = protocol::connect::<Stock>(address, LINKS, key)
            .handle((ignore::<SessionNews>(), ignore::<RoomNews>()))
            .await?;
        let logged_in = client.login(&id).await?;
        ensure!(
            *logged_in.id == *id,
            "{id} was logged in as {}",
            logged_in.id
        );
        Ok(Self { _client: client })
    }
}
