//! From an accepted stream to a running connection, within the server's limits.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::now;
use super::opening::Opened;
use super::server::ServerLimits;
use crate::connection::{Connection, IdSource, Limits, Observer, Role};
use crate::metrics;
use crate::wire::{ErrorCode, WireError, write_protocol_error};

/// The shortest and longest pause after the system refused to accept, as when file handles run out.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Links at once that are turned away with the care of a linger; while there are more, a further one
/// is dropped behind the word, so that a full server spends little on being full.
const LEAVING: usize = 64;

/// How long a silent link stands before the system probes whether the other end is still there, how
/// often it probes, and how many times in vain: a peer that vanished without a word is noticed
/// within two minutes.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_mins(1))
    .with_interval(Duration::from_secs(15))
    .with_retries(4);

/// Sets what every socket of ours has (`PROTOCOL.md` §1).
pub(super) fn configure(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&KEEPALIVE)
}

/// A connection with this process's randomness and clock, for a link that stands `since` then.
pub(super) fn new_connection(
    role: Role,
    limits: Arc<Limits>,
    observer: Option<Observer>,
    opened: Opened,
    since: Instant,
    ids: IdSource,
) -> Connection {
    let mut connection = Connection::new(role, limits, opened.codec, ids);
    connection.take_over(opened.wire, opened.plain);
    connection.meet(since);
    if let Some(observer) = observer {
        connection.observe(observer);
    }
    connection
}

/// Ids that no other connection has.
pub(super) fn ids() -> IdSource {
    let unix = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let unix_ms = u64::try_from(unix.as_millis()).unwrap_or(0);
    IdSource::new(Uuid::new_v4().as_u128(), now(), unix_ms)
}

/// Ids that repeat from run to run.
pub(super) fn seeded(seed: u64) -> IdSource {
    IdSource::new(seed.into(), now(), 0)
}

/// Who is connected, against the limits on that.
#[derive(Debug)]
pub(super) struct Seats {
    taken: Mutex<Taken>,
    in_all: usize,
    an_address: Option<usize>,
    handshakes: Arc<Semaphore>,
    handshakes_an_address: usize,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_address: HashMap<IpAddr, Here>,
}

/// What there is of one address.
#[derive(Debug)]
struct Here {
    connections: usize,
    handshakes: Arc<Semaphore>,
}

/// A place for one connection; free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    address: Option<IpAddr>,
}

/// A place to compute in; free again when dropped.
#[derive(Debug)]
pub(super) struct HandshakeSeat {
    _here: Option<OwnedSemaphorePermit>,
    _in_all: Option<OwnedSemaphorePermit>,
}

impl Seats {
    pub(super) fn new(limits: &ServerLimits) -> Arc<Self> {
        Arc::new(Self {
            taken: Mutex::default(),
            in_all: limits.connections,
            an_address: limits.connections_an_address,
            handshakes: places(limits.handshakes),
            handshakes_an_address: limits.handshakes_an_address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn taken(&self) -> usize {
        self.lock().in_all
    }

    /// A place for a client at `address`. Loopback addresses have no limit of their own: they are
    /// one machine's many programs.
    pub(super) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Seat, WireError> {
        let mut taken = self.lock();
        if taken.in_all >= self.in_all {
            metrics::count_by(metrics::CONNECTIONS_REFUSED, "limit", "all");
            let text = format!("the server is full: {} connections", self.in_all);
            return Err(WireError::new(ErrorCode::Unavailable, text));
        }
        let counted = address
            .map(|address| address.to_canonical())
            .filter(|address| !address.is_loopback())
            .map(network);
        if let Some(address) = counted {
            let here = taken.by_address.get(&address);
            let connections = here.map_or(0, |here| here.connections);
            if let Some(limit) = self.an_address.filter(|limit| connections >= *limit) {
                metrics::count_by(metrics::CONNECTIONS_REFUSED, "limit", "address");
                let text = format!("too many connections from this address: {limit}");
                return Err(WireError::new(ErrorCode::Unavailable, text));
            }
            let here = taken.by_address.entry(address).or_insert_with(|| Here {
                connections: 0,
                handshakes: places(self.handshakes_an_address),
            });
            here.connections += 1;
        }
        taken.in_all += 1;
        metrics::rise(metrics::CONNECTIONS_OPEN);
        Ok(Seat {
            seats: Arc::clone(self),
            address: counted,
        })
    }
}

/// What counts as one address: of IPv6 the first half, since whoever has one has all that start so.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// A semaphore that no number of places is too large, or too small, for.
fn places(count: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)))
}

fn note_wait(places: &Semaphore, limit: &'static str) {
    if places.available_permits() == 0 {
        metrics::count_by(metrics::HANDSHAKES_QUEUED, "limit", limit);
    }
}

impl Seat {
    /// Waits for a place to compute a handshake's keys in: first for one of its address, so that those
    /// who come in crowds wait behind their own.
    pub(super) async fn handshake(&self) -> HandshakeSeat {
        let here = self.address.and_then(|address| {
            let taken = self.seats.lock();
            let here = taken.by_address.get(&address)?;
            Some(Arc::clone(&here.handshakes))
        });
        let here = match here {
            Some(here) => {
                note_wait(&here, "address");
                here.acquire_owned().await.ok()
            }
            None => None,
        };
        let in_all = Arc::clone(&self.seats.handshakes);
        note_wait(&in_all, "all");
        HandshakeSeat {
            _here: here,
            _in_all: in_all.acquire_owned().await.ok(),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.in_all -= 1;
        metrics::fall(metrics::CONNECTIONS_OPEN);
        if let Some(address) = self.address
            && let Some(here) = taken.by_address.get_mut(&address)
        {
            here.connections -= 1;
            if here.connections == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}

/// Accepts until its task is aborted. Those who find no place get up to `linger` to hear so.
pub(super) async fn accept(
    listener: TcpListener,
    seats: Arc<Seats>,
    linger: Duration,
    serve: impl Fn(TcpStream, Seat),
) {
    let mut pause = BACKOFF.0;
    let mut leaving = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                pause = BACKOFF.0;
                match seats.take(Some(address.ip())) {
                    Ok(seat) if configure(&stream).is_ok() => serve(stream, seat),
                    Ok(_) => {}
                    Err(error) => {
                        say_why(&stream, &error);
                        while leaving.try_join_next().is_some() {}
                        if leaving.len() < LEAVING {
                            leaving.spawn(tokio::time::timeout(linger, see_off(stream)));
                        }
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, ?pause, "cannot accept");
                metrics::count(metrics::ACCEPTS_FAILED);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
            }
        }
    }
}

/// Says why a link that shook no hands is given up, within `linger`.
pub(super) async fn turn_away<IO>(
    mut io: IO,
    address: Option<SocketAddr>,
    error: &WireError,
    linger: Duration,
) where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let address = address.map(tracing::field::display);
    tracing::debug!(address, %error, "no link came about");
    let mut word = Vec::new();
    write_protocol_error(&mut word, error);
    let said = async {
        if io.write_all(&word).await.is_ok() {
            see_off(io).await;
        }
    };
    // Whoever takes no word gets none.
    let _ = tokio::time::timeout(linger, said).await;
}

/// Says why, as far as the fresh socket takes it without waiting.
fn say_why(stream: &TcpStream, error: &WireError) {
    tracing::debug!(%error, "turned away");
    let mut word = Vec::new();
    write_protocol_error(&mut word, error);
    if let Err(error) = stream.try_write(&word) {
        tracing::debug!(%error, "no last word");
    }
}

/// Half-closes and discards what arrives, so that the word is not lost to a reset
/// (`PROTOCOL.md` §7).
async fn see_off(mut io: impl AsyncRead + AsyncWrite + Unpin) {
    let mut discarded = [0; 1_024];
    let mut more = io.shutdown().await.is_ok();
    while more {
        more = matches!(io.read(&mut discarded).await, Ok(1..));
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    fn seats(an_address: usize) -> Arc<Seats> {
        Seats::new(&ServerLimits {
            connections_an_address: Some(an_address),
            ..ServerLimits::default()
        })
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let seats = seats(2);
        let take = |address: &str| seats.take(Some(address.parse().unwrap()));
        let first = take("2001:db8::1").unwrap();
        let _second = take("2001:db8::ffff:2").unwrap();
        assert!(take("2001:db8:0:0:3::").is_err());
        let _elsewhere = take("2001:db8:0:1::1").unwrap();
        drop(first);
        let _third = take("2001:db8::3").unwrap();
    }

    #[test]
    fn an_address_of_ipv4_is_one_however_it_is_written_and_loopback_is_none() {
        let seats = seats(1);
        let take = |address: &str| seats.take(Some(address.parse().unwrap()));
        let _first = take("192.0.2.1").unwrap();
        assert!(take("::ffff:192.0.2.1").is_err());
        let _other = take("192.0.2.2").unwrap();
        let _loopback = ["127.0.0.1", "127.0.0.1", "::1", "::1"].map(|it| take(it).unwrap());
    }

    /// The place that a handshake gets, if it need not wait.
    fn place(handshake: Pin<&mut impl Future<Output = HandshakeSeat>>) -> Option<HandshakeSeat> {
        match handshake.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    #[test]
    fn handshakes_wait_behind_those_of_their_address_and_then_behind_all() {
        let seats = Seats::new(&ServerLimits {
            handshakes: 2,
            handshakes_an_address: 1,
            ..ServerLimits::default()
        });
        let take = |address: &str| seats.take(Some(address.parse().unwrap())).unwrap();
        let crowd = [take("192.0.2.1"), take("192.0.2.1")];
        let others = [take("192.0.2.2"), take("192.0.2.3")];
        let recorder = DebuggingRecorder::new();
        let queued = || {
            let counted = recorder.snapshotter().snapshot().into_vec();
            let count = |value| match value {
                DebugValue::Counter(count) => count,
                _ => 0,
            };
            counted.into_iter().map(|it| count(it.3)).sum::<u64>()
        };
        ::metrics::with_local_recorder(&recorder, || {
            let first = place(pin!(crowd[0].handshake())).unwrap();
            let mut second = pin!(crowd[1].handshake());
            assert_eq!(queued(), 0);
            assert!(place(second.as_mut()).is_none());
            assert_eq!(queued(), 1);
            // Those who wait behind their own take nobody else's place.
            let _other = place(pin!(others[0].handshake())).unwrap();
            assert_eq!(queued(), 0, "since the last time");
            let mut last = pin!(others[1].handshake());
            assert!(place(last.as_mut()).is_none());
            assert_eq!(queued(), 1);
            drop(first);
            // The last was the first to wait for all.
            assert!(place(second.as_mut()).is_none());
            assert_eq!(queued(), 1);
            drop(place(last.as_mut()).unwrap());
            assert!(place(second.as_mut()).is_some());
        });
    }
}
