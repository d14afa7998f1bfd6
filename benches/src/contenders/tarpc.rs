//! tarpc as its documentation uses it, over its serde transport on TCP, with limits that no mode
//! reaches.

use std::{net::SocketAddr, process};

use ::tarpc::{
    client, context, serde_transport,
    server::{self, BaseChannel, Channel as _},
    tokio_serde::formats::{Bincode, Json},
    tokio_util::codec::{Framed, LengthDelimitedCodec},
};
use anyhow::Result;
use futures::StreamExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::{
    Contender, Load, Running,
    callers::{self, Caller},
};
use crate::{mode::Mode, process::Announcement, work::Work};

/// Requests on a connection that tarpc holds before it makes anybody wait.
const LIMIT: usize = 4096;

#[::tarpc::service]
trait Echo {
    async fn echo(work: Work) -> Work;
}

#[derive(Clone)]
struct Handler;

impl Echo for Handler {
    async fn echo(self, _: context::Context, work: Work) -> Work {
        work
    }
}

/// Defines a contender for one of tarpc's codecs, whose types share no trait that would let a
/// function do so.
macro_rules! contender {
    ($contender:ident, $client:ident, $codec:ty, $name:literal, $about:literal) => {
        #[derive(Debug)]
        pub(super) struct $contender;

        impl Contender for $contender {
            fn name(&self) -> &'static str {
                $name
            }

            fn about(&self) -> &'static str {
                $about
            }

            fn takes(&self, mode: &Mode) -> bool {
                callers::takes(mode)
            }

            fn serve(&self, announcement: Announcement) -> Running {
                Box::pin(async {
                    let listener = TcpListener::bind("127.0.0.1:0").await?;
                    announcement.listening(listener.local_addr()?, process::id())?;
                    loop {
                        let (stream, _) = listener.accept().await?;
                        stream.set_nodelay(true)?;
                        let framed = Framed::new(stream, LengthDelimitedCodec::new());
                        let transport = serde_transport::new(framed, <$codec>::default());
                        let config = server::Config {
                            pending_response_buffer: LIMIT,
                        };
                        let channel = BaseChannel::new(config, transport);
                        tokio::spawn(channel.execute(Handler.serve()).for_each(async |response| {
                            tokio::spawn(response);
                        }));
                    }
                })
            }

            fn drive(&self, load: Load) -> Running {
                callers::drive::<$client>(load)
            }
        }

        #[derive(Clone)]
        struct $client(EchoClient);

        impl Caller for $client {
            async fn connect(address: SocketAddr) -> Result<Self> {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let framed = Framed::new(stream, LengthDelimitedCodec::new());
                let transport = serde_transport::new(framed, <$codec>::default());
                let mut config = client::Config::default();
                config.max_in_flight_requests = LIMIT;
                config.pending_request_buffer = LIMIT;
                Ok(Self(EchoClient::new(config, transport).spawn()))
            }

            async fn call(&self, work: Work) -> Result<Work> {
                Ok(self.0.echo(context::current(), work).await?)
            }
        }
    };
}

contender! {
    TarpcJson, JsonClient, Json<_, _>,
    "tarpc-json", "tarpc 0.38, serde transport over TCP with JSON"
}
contender! {
    TarpcBincode, BincodeClient, Bincode<_, _>,
    "tarpc-bincode", "tarpc 0.38, serde transport over TCP with bincode"
}
