//! NATS through async-nats as its documentation uses it: requests and replies between clients, over
//! a `nats-server` of its own.
//!
//! The server only passes on. The handler is a client too, in the measuring process, so that what it
//! takes is in the client's CPU and none is left out.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use async_nats::{Client, ConnectOptions};
use futures::StreamExt as _;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process,
    time::timeout,
};

use super::{
    Contender, Load, Running,
    callers::{self, Caller},
};
use crate::{mode::Mode, process::Announcement, work::Work};

const SERVER: &str = "nats-server";

/// What the server writes before the address that it listens at.
const LISTENING: &str = "Listening for client connections on ";

/// How long the server may take to listen.
const START: Duration = Duration::from_secs(10);

/// Messages on a connection that a client holds before it makes anybody wait or drops one.
const LIMIT: usize = 64 * 1024;

const SUBJECT: &str = "echo";

#[derive(Debug)]
pub(super) struct Nats;

impl Contender for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn about(&self) -> &'static str {
        "requests from client to client with JSON over nats-server, async-nats 0.51"
    }

    fn lacks(&self) -> Option<&'static str> {
        let version = Command::new(SERVER)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let runs = version.is_ok_and(|status| status.success());
        (!runs).then_some("nats-server is not on PATH: install it to measure NATS")
    }

    fn takes(&self, mode: &Mode) -> bool {
        callers::takes(mode)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let mut server = process::Command::new(SERVER)
                .args(["--addr", "127.0.0.1", "--port", "-1"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .context("cannot start nats-server")?;
            let pid = server.id().context("nats-server has ended")?;
            let log = server.stderr.take().context("nats-server has no log")?;
            let mut log = BufReader::new(log).lines();
            let listening = async {
                while let Some(line) = log.next_line().await? {
                    if let Some((_, address)) = line.split_once(LISTENING) {
                        return Ok(address.parse()?);
                    }
                }
                bail!("nats-server ended before it listened")
            };
            let listening = timeout(START, listening).await;
            let address = listening.context("nats-server does not listen")??;
            announcement.listening(address, pid)?;
            // Its log is read for as long as it lives, so that it can go on writing.
            while log.next_line().await?.is_some() {}
            bail!("nats-server has ended")
        })
    }

    fn drive(&self, load: Load) -> Running {
        Box::pin(async move {
            let address = load.address;
            let responder = connect(address).await?;
            let mut requests = responder.subscribe(SUBJECT).await?;
            // Whoever asks before the server knows of the subscription is told that nobody answers.
            responder.flush().await?;
            let respond = async {
                while let Some(request) = requests.next().await {
                    let work: Work = serde_json::from_slice(&request.payload)?;
                    let reply = request.reply.context("a request without an inbox")?;
                    let answer = serde_json::to_vec(&work)?;
                    responder.publish(reply, answer.into()).await?;
                }
                bail!("the responder's connection has ended")
            };
            tokio::select! {
                ended = callers::drive::<Asking>(load) => ended,
                failed = respond => failed,
            }
        })
    }
}

async fn connect(address: SocketAddr) -> Result<Client> {
    let options = ConnectOptions::new()
        .client_capacity(LIMIT)
        .subscription_capacity(LIMIT);
    Ok(options.connect(address.to_string()).await?)
}

#[derive(Clone)]
struct Asking(Client);

impl Caller for Asking {
    async fn connect(address: SocketAddr) -> Result<Self> {
        Ok(Self(connect(address).await?))
    }

    async fn call(&self, work: Work) -> Result<Work> {
        let asked = serde_json::to_vec(&work)?;
        let answer = self.0.request(SUBJECT, asked.into()).await?;
        Ok(serde_json::from_slice(&answer.payload)?)
    }
}
