//! tonic with prost as its documentation uses it: unary calls over one HTTP/2 channel, with limits
//! that no mode reaches.
//!
//! Message, service and client are what its code generator makes of a `.proto` file, written by hand,
//! since the generator needs `protoc`.

use std::{
    convert::Infallible,
    net::SocketAddr,
    process,
    task::{Context, Poll},
};

use ::tonic::{
    Request, Response, Status,
    body::Body,
    client,
    codegen::{BoxFuture, Service, http},
    server::{self, NamedService, UnaryService},
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use anyhow::{Result, anyhow};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tonic_prost::ProstCodec;

use super::{
    Contender, Load, Running,
    callers::{self, Caller},
};
use crate::{mode::Mode, process::Announcement, work::Work};

/// Calls on a connection before HTTP/2 makes anybody wait.
const LIMIT: u32 = 4096;

const PATH: &str = "/bench.Bench/Echo";

/// The work as a message of Protocol Buffers.
#[derive(Clone, PartialEq, prost::Message)]
struct Echo {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, repeated, tag = "3")]
    tags: Vec<String>,
    #[prost(double, repeated, tag = "4")]
    pos: Vec<f64>,
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
            pos: pos.into(),
        }
    }
}

impl TryFrom<Echo> for Work {
    type Error = anyhow::Error;

    fn try_from(answer: Echo) -> Result<Self> {
        let Echo {
            id,
            name,
            tags,
            pos,
        } = answer;
        let pos = pos
            .try_into()
            .map_err(|pos| anyhow!("{pos:?} is no position: it takes three numbers"))?;
        Ok(Self {
            id,
            name,
            tags,
            pos,
        })
    }
}

#[derive(Debug, Clone)]
struct Bench;

impl NamedService for Bench {
    const NAME: &'static str = "bench.Bench";
}

impl Service<http::Request<Body>> for Bench {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            if request.uri().path() != PATH {
                return Ok(Status::unimplemented("the only call is Echo").into_http());
            }
            let mut grpc = server::Grpc::new(ProstCodec::default());
            Ok(grpc.unary(Handler, request).await)
        })
    }
}

struct Handler;

impl UnaryService<Echo> for Handler {
    type Response = Echo;
    type Future = BoxFuture<Response<Echo>, Status>;

    fn call(&mut self, request: Request<Echo>) -> Self::Future {
        Box::pin(async { Ok(Response::new(request.into_inner())) })
    }
}

#[derive(Debug)]
pub(super) struct Tonic;

impl Contender for Tonic {
    fn name(&self) -> &'static str {
        "tonic"
    }

    fn about(&self) -> &'static str {
        "tonic 0.14, unary calls over HTTP/2 with Protocol Buffers"
    }

    fn takes(&self, mode: &Mode) -> bool {
        callers::takes(mode)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            announcement.listening(listener.local_addr()?, process::id())?;
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let router = Server::builder()
                .max_concurrent_streams(LIMIT)
                .add_service(Bench);
            Ok(router.serve_with_incoming(incoming).await?)
        })
    }

    fn drive(&self, load: Load) -> Running {
        callers::drive::<Client>(load)
    }
}

#[derive(Clone)]
struct Client(Channel);

impl Caller for Client {
    async fn connect(address: SocketAddr) -> Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
        let channel = endpoint.tcp_nodelay(true).buffer_size(LIMIT as usize);
        Ok(Self(channel.connect().await?))
    }

    async fn call(&self, work: Work) -> Result<Work> {
        let mut grpc = client::Grpc::new(self.0.clone());
        grpc.ready().await?;
        let (path, codec) = (PathAndQuery::from_static(PATH), ProstCodec::default());
        let request = Request::new(Echo::from(work));
        let answer: Response<Echo> = grpc.unary(request, path, codec).await?;
        answer.into_inner().try_into()
    }
}
