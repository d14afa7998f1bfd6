//! Servers with keys: a whole one in this process, and a bare end of an encrypted link.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use bytes::BytesMut;
use protocol_core::codec::{Accept, Codec, Progress};
use protocol_core::{Encryption, Protocol, PublicKey, SecretKey, Server};
use protocol_tests::WATCHDOG;
use rendezvous::{Login, Rendezvous, RoomNews, Rooms, SessionNews};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Login, Rooms), to_client = (SessionNews, RoomNews))]
struct Hall;

/// A rendezvous server in this process.
pub(crate) struct House {
    // Ends the server where it is dropped.
    _runtime: Runtime,
    _server: Server<Hall>,
    pub(crate) address: SocketAddr,
}

impl House {
    pub(crate) fn open(encryption: Encryption) -> Self {
        Self::with(Rendezvous::default(), encryption)
    }

    pub(crate) fn with(rendezvous: Rendezvous, encryption: Encryption) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let bind = rendezvous.bind::<Hall>("127.0.0.1:0");
            let server = bind.encryption(encryption).handle(rendezvous.clone());
            server.await.unwrap()
        });
        let address = server.address();
        Self {
            _runtime: runtime,
            _server: server,
            address,
        }
    }
}

/// A key that differs from those of other tests.
pub(crate) fn key() -> SecretKey {
    SecretKey::generate().unwrap()
}

/// A server's end of an encrypted link, for what no server does.
pub(crate) struct Sealed {
    pub(crate) stream: TcpStream,
    codec: Accept,
    wire: BytesMut,
    plain: BytesMut,
}

/// Takes in one client, answers the login of alice, and then does as it is told.
pub(crate) fn server<T: Send + 'static>(
    then: impl FnOnce(Sealed) -> T + Send + 'static,
) -> (SocketAddr, PublicKey, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let key = key();
    let public = key.public();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut sealed = Sealed::open(stream, key);
        sealed.log_in();
        then(sealed)
    });
    (address, public, server)
}

impl Sealed {
    pub(crate) fn open(stream: TcpStream, key: SecretKey) -> Self {
        stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        let mut sealed = Self {
            stream,
            codec: Accept::new(Encryption::Encrypted(key)),
            wire: BytesMut::new(),
            plain: BytesMut::new(),
        };
        while sealed.receive().expect("a handshake") != Progress::Open {}
        sealed
    }

    /// Reads once; none at the end of the stream.
    fn receive(&mut self) -> Option<Progress> {
        let mut bytes = [0; 1_024];
        let read = self.stream.read(&mut bytes).unwrap();
        self.wire.extend_from_slice(&bytes[..read]);
        let mut out = BytesMut::new();
        let Self {
            codec, wire, plain, ..
        } = self;
        let progress = codec.receive(wire, plain, &mut out).unwrap();
        self.stream.write_all(&out).unwrap();
        (read > 0).then_some(progress)
    }

    /// The next frame; none at the end of the stream.
    pub(crate) fn frame(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.plain.iter().position(|byte| *byte == b'\n') {
                let line = self.plain.split_to(end + 1);
                return Some(serde_json::from_slice(&line).unwrap());
            }
            self.receive()?;
        }
    }

    /// Whether the client has said that it sends no more.
    pub(crate) fn may_end(&self) -> bool {
        self.codec.may_end()
    }

    /// A record with a frame in it.
    pub(crate) fn record(&mut self, frame: &Value) -> BytesMut {
        let mut record = BytesMut::new();
        let line = format!("{frame}\n");
        self.codec.send(line.as_bytes(), &mut record).unwrap();
        record
    }

    pub(crate) fn send(&mut self, frame: &Value) {
        let record = self.record(frame);
        self.stream.write_all(&record).unwrap();
    }

    /// Says that nothing more is sent.
    pub(crate) fn finish(&mut self) {
        let mut record = BytesMut::new();
        self.codec.finish(&mut record).unwrap();
        self.stream.write_all(&record).unwrap();
    }

    fn log_in(&mut self) {
        let login = self.frame().expect("a login");
        self.send(&json!({
            "type": "response", "name": "login", "request_id": login["request_id"],
            "data": {"id": "alice", "session": "s", "grace_ms": 0, "resumed": false, "rooms": []},
        }));
    }
}
