//! One link: two ways, and what happens to them.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Carried, Fault, Way};

/// Read at once: less than what couriers send in a moment.
const READ_BYTES: usize = 4 * 1024;

/// How long a tear waits for something to tear.
const TEAR: Duration = Duration::from_secs(1);

/// How long an end waits for the other ends of both halves.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What happens to bytes on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Free,
    /// They stay where they are.
    Held,
    /// They go nowhere.
    Lost,
    /// The end of the stream is told, and what comes goes nowhere.
    Ended,
    /// A part of the next ones gets through, and then nothing.
    Torn,
}

/// How a link ends.
enum Ending {
    InOrder,
    Reset,
    Orphan(Way, Duration),
}

/// Carries a link until it ends by itself or by a fault.
pub(super) async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    link: Arc<Carried>,
    faults: Receiver<Fault>,
) {
    for end in [&client, &server] {
        let _ = end.set_nodelay(true);
    }
    match run(&mut client, &mut server, &link, faults).await {
        Ending::InOrder => {
            let _ = tokio::join!(end(&mut client), end(&mut server));
        }
        Ending::Reset => {
            reset(client);
            reset(server);
        }
        Ending::Orphan(way, time) => {
            let (first, mut second) = match way {
                Way::ToServer => (server, client),
                Way::ToClient => (client, server),
            };
            reset(first);
            let _ = timeout(time, drain(&mut second)).await;
            reset(second);
        }
    }
}

fn reset(stream: TcpStream) {
    // One that has gone before has nothing to reset.
    let _ = stream.set_zero_linger();
}

/// Takes what comes until the end.
async fn drain(stream: &mut TcpStream) {
    let mut unread = [0; READ_BYTES];
    while stream.read(&mut unread).await.is_ok_and(|count| count > 0) {}
}

/// Sends the end of the stream, and reads on, since closing with bytes unread is a reset.
async fn end(stream: &mut TcpStream) {
    let _ = stream.shutdown().await;
    let _ = timeout(LAST_WORDS, drain(stream)).await;
}

async fn run(
    client: &mut TcpStream,
    server: &mut TcpStream,
    link: &Carried,
    mut faults: Receiver<Fault>,
) -> Ending {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let (up, up_flow) = watch::channel(Flow::Free);
    let (down, down_flow) = watch::channel(Flow::Free);
    let mut pumps = pin!(async {
        tokio::try_join!(
            pump(from_client, to_server, up_flow, &link.to_server),
            pump(from_server, to_client, down_flow, &link.to_client),
        )
    });
    let set = |way, flow| {
        let flows = match way {
            Way::ToServer => &up,
            Way::ToClient => &down,
        };
        flows.send_replace(flow);
    };
    let both = |flow| {
        set(Way::ToServer, flow);
        set(Way::ToClient, flow);
    };
    // While something is happening, nothing else does.
    let mut over: Option<(Instant, Fault)> = None;
    loop {
        let at = over.map_or_else(Instant::now, |(at, _)| at);
        tokio::select! {
            ended = &mut pumps => {
                return ended.map_or(Ending::Reset, |_| Ending::InOrder);
            }
            Some(fault) = faults.recv(), if over.is_none() => {
                let time = match fault {
                    Fault::Reset => return Ending::Reset,
                    Fault::End => return Ending::InOrder,
                    Fault::Orphan(way, time) => return Ending::Orphan(way, time),
                    Fault::Vanish(time) => {
                        both(Flow::Lost);
                        time
                    }
                    Fault::HalfClose(way, time) => {
                        set(way, Flow::Ended);
                        time
                    }
                    Fault::Tear(way) => {
                        set(way, Flow::Torn);
                        TEAR
                    }
                    Fault::Delay(time) => {
                        both(Flow::Held);
                        time
                    }
                };
                over = Some((Instant::now() + time, fault));
            }
            () = sleep_until(at), if over.is_some() => {
                if over.take().is_some_and(|(_, fault)| fault.cuts()) {
                    return Ending::Reset;
                }
                both(Flow::Free);
            }
        }
    }
}

/// Carries bytes one way until their end.
///
/// # Errors
///
/// Where an end is gone, or the way was torn.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut flow: watch::Receiver<Flow>,
    carried: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = [0; READ_BYTES];
    loop {
        let now = *flow.borrow_and_update();
        if now == Flow::Ended {
            to.shutdown().await?;
            // Whoever sent it may close in its turn.
            while from.read(&mut buffer).await? > 0 {}
            return Ok(());
        }
        let count = tokio::select! {
            count = from.read(&mut buffer) => count?,
            _ = flow.changed() => continue,
        };
        if count == 0 {
            return to.shutdown().await;
        }
        // What was read while the way was closed counts as what comes after.
        let _ = flow.wait_for(|flow| *flow != Flow::Held).await;
        let now = *flow.borrow();
        match now {
            Flow::Lost | Flow::Ended => {}
            Flow::Torn => {
                to.write_all(&buffer[..count / 2]).await?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Flow::Free | Flow::Held => {
                to.write_all(&buffer[..count]).await?;
                carried.fetch_add(count as u64, Ordering::Relaxed);
            }
        }
    }
}
