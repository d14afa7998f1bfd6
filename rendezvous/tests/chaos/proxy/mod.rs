//! A network that fails on command: a proxy between a client and its server, over real sockets.

mod pipe;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinSet;

/// What happens to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Both ends get a reset; what is under way is lost.
    Reset,
    /// Both ends read the end of the stream, where they are.
    End,
    /// Bytes are taken and go nowhere for a while, then both ends get a reset.
    Vanish(Duration),
    /// One end sends no more, as the other sees it; that way stays dead until the link is closed, or
    /// is reset after a while.
    HalfClose(Way, Duration),
    /// Of what comes next only a part gets through, then both ends get a reset.
    Tear(Way),
    /// The link is gone for the end that this way leads to; the other one hears nothing at all for a
    /// while, and then gets a reset.
    Orphan(Way, Duration),
    /// Nothing moves for a while, and nothing is lost.
    Delay(Duration),
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    ToServer,
    ToClient,
}

impl Fault {
    /// One of each, with times that the seed chooses.
    pub(crate) fn any(random: &mut fastrand::Rng) -> Self {
        let mut time = || Duration::from_millis(random.u64(10..400));
        let (long, longer) = (time(), time());
        let way = if random.bool() {
            Way::ToServer
        } else {
            Way::ToClient
        };
        match random.u8(0..7) {
            0 => Self::Reset,
            1 => Self::End,
            2 => Self::Vanish(long),
            3 => Self::HalfClose(way, longer),
            4 => Self::Tear(way),
            5 => Self::Orphan(way, long),
            _ => Self::Delay(long),
        }
    }

    /// Whether the link is lost by it.
    pub(crate) fn cuts(self) -> bool {
        !matches!(self, Self::Delay(_))
    }

    /// In figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::End => "end",
            Self::Vanish(_) => "vanish",
            Self::HalfClose(..) => "half-close",
            Self::Tear(_) => "tear",
            Self::Orphan(..) => "orphan",
            Self::Delay(_) => "delay",
        }
    }
}

/// Carries links to a server until it is told otherwise.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    newest: Arc<Mutex<Option<Arc<Carried>>>>,
    links: Arc<AtomicU64>,
    /// Ends all tasks when dropped.
    _runtime: Runtime,
}

/// A link, as the proxy and its commander know it.
#[derive(Debug)]
struct Carried {
    faults: Sender<Fault>,
    /// Bytes that got through, each way.
    to_server: AtomicU64,
    to_client: AtomicU64,
}

impl Proxy {
    /// Takes links on a free port and carries them to `server`.
    pub(crate) fn start(server: SocketAddr) -> Self {
        let mut runtime = Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("proxy").enable_all();
        let runtime = runtime.build().expect("the runtime starts");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("binds");
        let address = listener.local_addr().expect("it is bound");
        let (newest, links) = (Arc::default(), Arc::default());
        let listening = listen(listener, server, Arc::clone(&newest), Arc::clone(&links));
        runtime.spawn(listening);
        Self {
            address,
            newest,
            links,
            _runtime: runtime,
        }
    }

    /// Where clients find it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many links it has carried.
    pub(crate) fn links(&self) -> u64 {
        self.links.load(Ordering::Relaxed)
    }

    fn newest(&self) -> Option<Arc<Carried>> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.clone()
    }

    /// Whether the newest link is up and has carried more than `bytes` each way.
    pub(crate) fn carries(&self, bytes: u64) -> bool {
        self.newest().is_some_and(|link| {
            let carried = [&link.to_server, &link.to_client];
            let carried = carried.map(|count| count.load(Ordering::Relaxed));
            !link.faults.is_closed() && carried.into_iter().all(|count| count > bytes)
        })
    }

    /// Has this happen to the newest link. Returns `false` where that is gone, or something else is
    /// happening to it.
    pub(crate) fn strike(&self, fault: Fault) -> bool {
        self.newest()
            .is_some_and(|link| link.faults.try_send(fault).is_ok())
    }
}

async fn listen(
    listener: TcpListener,
    server: SocketAddr,
    newest: Arc<Mutex<Option<Arc<Carried>>>>,
    links: Arc<AtomicU64>,
) {
    let mut carrying = JoinSet::new();
    loop {
        tokio::select! {
            Some(ended) = carrying.join_next() => ended.expect("no carrier panics"),
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("accepts");
                let Ok(server) = TcpStream::connect(server).await else {
                    // As if the client had reached the server, where nobody listens.
                    let _ = client.set_zero_linger();
                    continue;
                };
                let (faults, next_fault) = channel(1);
                let link = Arc::new(Carried {
                    faults,
                    to_server: AtomicU64::new(0),
                    to_client: AtomicU64::new(0),
                });
                *newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&link));
                links.fetch_add(1, Ordering::Relaxed);
                carrying.spawn(pipe::carry(client, server, link, next_fault));
            }
        }
    }
}
