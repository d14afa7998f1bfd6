//! Somebody between a client and its server, who holds both sockets and no key.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::pieces::{Part, Piece, Splitter, Towards};

/// What the proxy does because of a piece.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Sends bytes.
    Say(Towards, Vec<u8>),
    /// Ends both links, in order, and sends no more.
    Cut,
}

/// Decides what becomes of each piece; one that it does not send on is gone.
pub(crate) type Deed = Box<dyn FnMut(Piece) -> Vec<Act> + Send>;

/// Everything that a proxy has read, by direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape(Arc<Mutex<[Vec<u8>; 2]>>);

impl Tape {
    fn note(&self, towards: Towards, bytes: &[u8]) {
        self.0.lock().unwrap()[towards as usize].extend_from_slice(bytes);
    }

    pub(crate) fn read(&self, towards: Towards) -> Vec<u8> {
        self.0.lock().unwrap()[towards as usize].clone()
    }

    /// Whether the bytes went by in either direction.
    pub(crate) fn has(&self, bytes: &[u8]) -> bool {
        let tapes = self.0.lock().unwrap();
        let mut windows = tapes.iter().flat_map(|tape| tape.windows(bytes.len()));
        windows.any(|window| window == bytes)
    }
}

/// An address that is the server's to the client.
#[derive(Debug)]
pub(crate) struct Door(TcpListener);

impl Door {
    pub(crate) async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub(crate) async fn accept(&self) -> TcpStream {
        let (client, _) = self.0.accept().await.unwrap();
        client.set_nodelay(true).unwrap();
        client
    }
}

/// A proxy for one link; gone when dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    seen: UnboundedReceiver<Piece>,
    /// Everything that it has read and that was waited for.
    pub(crate) gone_by: Vec<Piece>,
    pub(crate) tape: Tape,
    _task: JoinSet<()>,
}

impl Proxy {
    /// A proxy to the server at `server`.
    pub(crate) async fn open(server: SocketAddr, deed: Deed) -> Self {
        Self::behind(Arc::new(Door::open().await), server, deed)
    }

    /// One that waits for its client behind a door of others.
    pub(crate) fn behind(door: Arc<Door>, server: SocketAddr, deed: Deed) -> Self {
        let (tell, seen) = unbounded_channel();
        let tape = Tape::default();
        let mut task = JoinSet::new();
        let address = door.address();
        let noted = tape.clone();
        task.spawn(async move {
            let client = door.accept().await;
            let server = TcpStream::connect(server).await.unwrap();
            server.set_nodelay(true).unwrap();
            Between::new(client, server, noted, tell).serve(deed).await;
        });
        Self {
            address,
            seen,
            gone_by: Vec::new(),
            tape,
            _task: task,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a piece to go by; whether it did before the link's end.
    pub(crate) async fn sees(&mut self, towards: Towards, part: Part) -> bool {
        while let Some(piece) = self.seen.recv().await {
            let found = (piece.towards, piece.part) == (towards, part);
            self.gone_by.push(piece);
            if found {
                return true;
            }
        }
        false
    }

    /// Waits until both ends have ended their halves of the link.
    pub(crate) async fn ended(&mut self) {
        while let Some(piece) = self.seen.recv().await {
            self.gone_by.push(piece);
        }
    }
}

/// The two links, as halves by whom they lead to: what goes to the server is read from the client.
struct Between {
    from: [OwnedReadHalf; 2],
    to: [OwnedWriteHalf; 2],
    ended: [bool; 2],
    tape: Tape,
    tell: UnboundedSender<Piece>,
}

impl Between {
    fn new(client: TcpStream, server: TcpStream, tape: Tape, tell: UnboundedSender<Piece>) -> Self {
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        Self {
            from: [from_client, from_server],
            to: [to_server, to_client],
            ended: [false; 2],
            tape,
            tell,
        }
    }

    async fn serve(mut self, mut deed: Deed) {
        let [mut up, mut down] = [Towards::Server, Towards::Client].map(Splitter::new);
        let mut cut = false;
        while self.ended != [true; 2] {
            let [from_client, from_server] = &mut self.from;
            let [client_ended, server_ended] = self.ended;
            let (splitter, read) = tokio::select! {
                read = from_client.read_buf(&mut up.buffer), if !client_ended => (&mut up, read),
                read = from_server.read_buf(&mut down.buffer), if !server_ended => {
                    (&mut down, read)
                }
            };
            let towards = splitter.towards();
            let count = read.unwrap_or(0);
            let fresh = splitter.buffer.len() - count;
            self.tape.note(towards, &splitter.buffer[fresh..]);
            let ended = count == 0;
            while let Some(piece) = splitter.take(ended) {
                // A test that no longer looks has seen enough.
                let _ = self.tell.send(piece.clone());
                for act in deed(piece) {
                    match act {
                        Act::Say(towards, bytes) if !cut => self.say(towards, &bytes).await,
                        Act::Say(..) => {}
                        Act::Cut => {
                            self.end(Towards::Server).await;
                            self.end(Towards::Client).await;
                            cut = true;
                        }
                    }
                }
            }
            if ended {
                self.ended[towards as usize] = true;
                self.end(towards).await;
            }
        }
    }

    /// An end that has gone hears nothing.
    async fn say(&mut self, towards: Towards, bytes: &[u8]) {
        let _ = self.to[towards as usize].write_all(bytes).await;
    }

    async fn end(&mut self, towards: Towards) {
        let _ = self.to[towards as usize].shutdown().await;
    }
}
