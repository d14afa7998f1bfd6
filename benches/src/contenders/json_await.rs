//! The floor's server with a client of the shape that users want: `call().await` on a handle that
//! any number of tasks share. Tells what that shape costs, apart from any framework.

use std::{collections::VecDeque, net::SocketAddr};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    task,
};

use super::{
    Contender, Load, Running,
    callers::{self, Caller},
    envelope::{RequestId, answer, read_response, write_request},
    lines::{self, Lines},
};
use crate::{process::Announcement, work::Work};

#[derive(Debug)]
pub(super) struct JsonAwait;

impl Contender for JsonAwait {
    fn name(&self) -> &'static str {
        "json-await"
    }

    fn about(&self) -> &'static str {
        "json-floor's server, client with call().await: one driver task a connection"
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(lines::serve(announcement, answer, usize::MAX))
    }

    fn drive(&self, load: Load) -> Running {
        callers::drive::<Client>(load)
    }
}

struct Call {
    work: Work,
    waiter: oneshot::Sender<Work>,
}

#[derive(Clone)]
struct Client(mpsc::Sender<Call>);

impl Caller for Client {
    async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (calls, waiting) = mpsc::channel(256);
        task::spawn(async move {
            if let Err(error) = run(stream, waiting).await {
                // The waiters hear of it by their closed channels.
                eprintln!("a connection failed: {error:#}");
            }
        });
        Ok(Self(calls))
    }

    async fn call(&self, work: Work) -> Result<Work> {
        let (waiter, answer) = oneshot::channel();
        let sent = self.0.send(Call { work, waiter }).await;
        sent.ok().context("the connection is closed")?;
        answer.await.context("the connection is closed")
    }
}

/// Owns the socket; ends when the last handle is gone.
async fn run(mut stream: TcpStream, mut calls: mpsc::Receiver<Call>) -> Result<()> {
    let mut lines = Lines::default();
    let mut out = Vec::new();
    let mut next_id = RequestId::first();
    let mut expected_id = RequestId::first();
    let mut waiters = VecDeque::new();
    loop {
        let mut first = tokio::select! {
            filled = lines.fill(&mut stream) => {
                ensure!(filled?, "the server hung up");
                while let Some(line) = lines.next() {
                    let work = read_response(line, &expected_id)?;
                    expected_id.advance();
                    let waiter: oneshot::Sender<Work> = waiters.pop_front().context("an answer that nobody asked for")?;
                    // A caller that has gone needs no answer.
                    let _ = waiter.send(work);
                }
                None
            }
            call = calls.recv() => match call {
                Some(call) => Some(call),
                None => return Ok(()),
            },
        };
        // Whoever has just been woken gets to add a request to the same write.
        task::yield_now().await;
        while let Some(Call { work, waiter }) = first.take().or_else(|| calls.try_recv().ok()) {
            write_request(&work, &next_id, &mut out)?;
            next_id.advance();
            waiters.push_back(waiter);
        }
        lines::write(&mut stream, &mut out).await?;
    }
}
