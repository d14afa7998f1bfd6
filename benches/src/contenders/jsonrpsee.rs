//! jsonrpsee as its documentation uses it: typed calls over one WebSocket, with limits that no mode
//! reaches.

use std::{future::pending, net::SocketAddr, process, sync::Arc};

use ::jsonrpsee::{
    core::{RpcResult, async_trait},
    proc_macros::rpc,
    server::{Server, ServerConfig},
    ws_client::{WsClient, WsClientBuilder},
};
use anyhow::Result;

use super::{
    Contender, Load, Running,
    callers::{self, Caller},
};
use crate::{mode::Mode, process::Announcement, work::Work};

/// Connections, and requests or answers on one of them, before anybody waits or is refused.
const LIMIT: u32 = 20_000;

#[rpc(client, server)]
trait Echo {
    #[method(name = "echo")]
    async fn echo(&self, work: Work) -> RpcResult<Work>;
}

struct Handler;

#[async_trait]
impl EchoServer for Handler {
    async fn echo(&self, work: Work) -> RpcResult<Work> {
        Ok(work)
    }
}

#[derive(Debug)]
pub(super) struct Jsonrpsee;

impl Contender for Jsonrpsee {
    fn name(&self) -> &'static str {
        "jsonrpsee"
    }

    fn about(&self) -> &'static str {
        "jsonrpsee 0.26, typed calls over WebSocket with JSON"
    }

    fn takes(&self, mode: &Mode) -> bool {
        callers::takes(mode)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let config = ServerConfig::builder()
                .max_connections(LIMIT)
                .set_message_buffer_capacity(LIMIT)
                .set_tcp_no_delay(true);
            let server = Server::builder().set_config(config.build());
            let server = server.build("127.0.0.1:0").await?;
            let address = server.local_addr()?;
            let _handle = server.start(Handler.into_rpc());
            announcement.listening(address, process::id())?;
            // The server lives as long as its handle, which the driver drops.
            pending().await
        })
    }

    fn drive(&self, load: Load) -> Running {
        callers::drive::<Client>(load)
    }
}

#[derive(Clone)]
struct Client(Arc<WsClient>);

impl Caller for Client {
    async fn connect(address: SocketAddr) -> Result<Self> {
        let client = WsClientBuilder::new()
            .max_concurrent_requests(LIMIT as usize)
            .set_tcp_no_delay(true)
            .build(format!("ws://{address}"));
        Ok(Self(Arc::new(client.await?)))
    }

    async fn call(&self, work: Work) -> Result<Work> {
        Ok(self.0.echo(work).await?)
    }
}
