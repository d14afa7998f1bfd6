//! This project through its public API, as a user writes it: derived events, a real handler, ids,
//! deadlines and limits on.

use std::{net::SocketAddr, process};

use anyhow::Result;
use protocol_core::{
    Client, Connect, Context, Encryption, Event, EventSet, Protocol, SecretKey, Server,
    codec::Suite,
};

use super::{
    Contender, Load, Running,
    callers::{self, Caller},
};
use crate::{
    mode::{Mode, Workload},
    process::Announcement,
    work::Work,
};

/// Asks for the same back.
#[derive(Debug, Event)]
#[event(request, response = Echoed)]
pub(super) struct Echo {
    id: u64,
    name: String,
    tags: Vec<String>,
    pos: [f64; 3],
}

/// What was asked for.
#[derive(Debug, Event)]
#[event(response)]
pub(super) struct Echoed {
    id: u64,
    name: String,
    tags: Vec<String>,
    pos: [f64; 3],
}

impl From<Work> for Echo {
    fn from(work: Work) -> Self {
        let Work {
            id,
            name,
            tags,
            pos,
        } = work;
        Self {
            id,
            name,
            tags,
            pos,
        }
    }
}

impl From<Echo> for Echoed {
    fn from(asked: Echo) -> Self {
        let Echo {
            id,
            name,
            tags,
            pos,
        } = asked;
        Self {
            id,
            name,
            tags,
            pos,
        }
    }
}

impl From<Echoed> for Work {
    fn from(answer: Echoed) -> Self {
        let Echoed {
            id,
            name,
            tags,
            pos,
        } = answer;
        Self {
            id,
            name,
            tags,
            pos,
        }
    }
}

#[derive(Debug, EventSet)]
enum ToBench {
    Echo(Echo),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToBench)]
struct Bench;

struct Handler;

impl ToBenchHandler<Bench> for Handler {
    async fn on_echo(&self, _cx: &Context<Bench>, event: Echo) -> Echoed {
        event.into()
    }
}

/// The name of a contender whose links are of this kind.
pub(super) const fn name(links: u8, [plain, aes_gcm, chacha_poly]: [&str; 3]) -> &str {
    match links {
        CHACHA_POLY => chacha_poly,
        AES_GCM => aes_gcm,
        _ => plain,
    }
}

/// What a contender is whose links are of this kind.
pub(super) const fn about(links: u8, plain: &'static str) -> &'static str {
    name(
        links,
        [
            plain,
            "the same, encrypted with AES-GCM",
            "the same, encrypted with ChaChaPoly",
        ],
    )
}

/// How the links of a contender are.
pub(super) const PLAIN: u8 = 0;
pub(super) const CHACHA_POLY: u8 = 1;
pub(super) const AES_GCM: u8 = 2;

/// The ciphers of links of this kind; none where they are plain.
fn suite(links: u8) -> Option<Suite> {
    match links {
        CHACHA_POLY => Some(Suite::ChaChaPoly),
        AES_GCM => Some(Suite::AesGcm),
        _ => None,
    }
}

/// The key of a server whose links are encrypted.
fn server_key() -> SecretKey {
    SecretKey::from_bytes([7; 32])
}

/// The encryption of a server whose links are of this kind.
pub(super) fn encryption(links: u8) -> Encryption {
    match suite(links) {
        None => Encryption::Plain,
        Some(_) => Encryption::Encrypted(server_key()),
    }
}

/// A client whose link is of this kind, on its way to such a server; the key is its own and only
/// of use where links are encrypted.
pub(super) fn connect<P: Protocol>(
    address: SocketAddr,
    links: u8,
    key: [u8; 32],
) -> Connect<'static, P> {
    let connect = Client::<P>::connect(address);
    match suite(links) {
        None => connect,
        Some(suite) => connect
            .encrypted(server_key().public())
            .identity(SecretKey::from_bytes(key))
            .suite(suite),
    }
}

#[derive(Debug)]
pub(super) struct Ours<const LINKS: u8>;

impl<const LINKS: u8> Contender for Ours<LINKS> {
    fn name(&self) -> &'static str {
        name(LINKS, ["protocol", "protocol-aes", "protocol-chacha"])
    }

    fn about(&self) -> &'static str {
        about(LINKS, "this project through its public API, plain")
    }

    fn takes(&self, mode: &Mode) -> bool {
        match mode.workload {
            Workload::Request | Workload::Connect | Workload::Idle => true,
            // There its requests are what others are compared with.
            Workload::Confirmed | Workload::Relay => mode.baseline == self.name(),
            Workload::InTurn | Workload::Broadcast => false,
        }
    }

    fn kind(&self) -> Option<u8> {
        Some(LINKS)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let server = Server::<Bench>::bind("127.0.0.1:0").encryption(encryption(LINKS));
            let server = server.handle(Handler).await?;
            announcement.listening(server.address(), process::id())?;
            // The server lives as long as this future, which the driver drops.
            std::future::pending().await
        })
    }

    fn drive(&self, load: Load) -> Running {
        callers::drive::<Linked<LINKS>>(load)
    }
}

#[derive(Clone)]
struct Linked<const LINKS: u8>(Client<Bench>);

impl<const LINKS: u8> Caller for Linked<LINKS> {
    async fn connect(address: SocketAddr) -> Result<Self> {
        Ok(Self(connect(address, LINKS, [8; 32]).await?))
    }

    async fn call(&self, work: Work) -> Result<Work> {
        Ok(self.0.request(Echo::from(work)).await?.into())
    }
}
