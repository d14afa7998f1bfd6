//! Somebody in the middle who is a server to the client and a client to the server, with keys of its
//! own: it would read everything, if the client took it for the server.

use std::sync::Arc;

use bytes::BytesMut;
use protocol_core::codec::{Accept, Codec, CodecError, Encryption, Noise, Progress};
use protocol_core::keys::KnownHosts;
use protocol_core::{Client, ConnectError, PeerIdentity, PublicKey, SecretKey, ServerLimits};
use protocol_tests::run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::deeds::look;
use crate::pieces::{BOTH_WAYS, GREETING, Towards};
use crate::proxy::{Door, Proxy};
use crate::talk::{SUITES, encrypted};
use crate::vault::{Heard, House, MARKER, Swap, Visitor};
use protocol_tests::Folder;

/// What an impostor has learnt.
#[derive(Debug, Default)]
struct Learnt {
    plain: Vec<u8>,
    client: Option<PublicKey>,
    /// Bytes that the client said to it.
    from_client: usize,
}

struct Impostor(JoinSet<Learnt>);

impl Impostor {
    /// Waits behind the door for one client, whose frames it passes on to the server of `house`.
    fn behind(door: &Arc<Door>, house: &House, key: SecretKey) -> Self {
        let (door, server) = (Arc::clone(door), house.address());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let accept = Accept::new(Encryption::Encrypted(key.clone()));
            let mut client = Half::new(door.accept().await, Box::new(accept));
            let noise = Noise::client(SUITES[0], &key, None).unwrap();
            let server = TcpStream::connect(server).await.unwrap();
            let mut server = Half::new(server, Box::new(noise));
            server.write().await;
            let mut learnt = Learnt::default();
            let mut goes_on = true;
            while goes_on {
                goes_on = tokio::select! {
                    more = client.read() => more,
                    more = server.read() => more,
                };
                for way in BOTH_WAYS {
                    let (from, to) = match way {
                        Towards::Server => (&mut client, &mut server),
                        Towards::Client => (&mut server, &mut client),
                    };
                    let said = from.plain.split();
                    learnt.plain.extend_from_slice(&said);
                    to.due.extend_from_slice(&said);
                }
                learnt.client = client.codec.peer().key();
                learnt.from_client = client.received;
                client.write().await;
                server.write().await;
            }
            learnt
        });
        Self(task)
    }

    /// What it has learnt by the link's end.
    async fn learnt(mut self) -> Learnt {
        let learnt = self.0.join_next().await.expect("it is at work");
        learnt.unwrap()
    }

    /// It learnt neither what was said nor who would have said it.
    async fn assert_learnt_nothing(self) {
        let learnt = self.learnt().await;
        assert_eq!((learnt.plain, learnt.client), (Vec::new(), None));
        assert_eq!(
            learnt.from_client, GREETING,
            "its key is in what would follow"
        );
    }
}

/// One of its two links.
struct Half {
    io: TcpStream,
    codec: Box<dyn Codec>,
    is_open: bool,
    /// Bytes that came.
    received: usize,
    wire: BytesMut,
    plain: BytesMut,
    /// Plain bytes to be sent once the codec is open.
    due: BytesMut,
    out: BytesMut,
}

impl Half {
    fn new(io: TcpStream, mut codec: Box<dyn Codec>) -> Self {
        let mut out = BytesMut::new();
        codec.start(&mut out).unwrap();
        Self {
            io,
            codec,
            is_open: false,
            received: 0,
            wire: BytesMut::new(),
            plain: BytesMut::new(),
            due: BytesMut::new(),
            out,
        }
    }

    /// Reads what is there; whether the link goes on.
    async fn read(&mut self) -> bool {
        let count = self.io.read_buf(&mut self.wire).await.unwrap_or(0);
        if count == 0 {
            return false;
        }
        self.received += count;
        let received = self
            .codec
            .receive(&mut self.wire, &mut self.plain, &mut self.out);
        self.is_open = received == Ok(Progress::Open);
        received.is_ok()
    }

    async fn write(&mut self) {
        if self.is_open {
            self.codec.send(&self.due.split(), &mut self.out).unwrap();
        }
        // An end that has gone hears nothing.
        let _ = self.io.write_all_buf(&mut self.out).await;
    }
}

/// Through a proxy that does nothing but look, or to an impostor, a client says something secret.
async fn talks(visitor: &Visitor) {
    let secret = format!("{MARKER}, says the client");
    let answer = visitor.client.request(Swap(secret.clone())).await;
    assert_eq!(answer.unwrap().0, secret);
}

#[test]
fn whoever_holds_another_key_than_the_given_one_learns_nothing() {
    run(async {
        for suite in SUITES {
            let (house, key) = House::encrypted(ServerLimits::default()).await;
            let door = Arc::new(Door::open().await);
            let false_key = SecretKey::generate().unwrap();
            let impostor = Impostor::behind(&door, &house, false_key.clone());
            let identity = SecretKey::generate().unwrap();
            let connect = encrypted(door.address(), suite, key.public(), &identity);
            let Err(ConnectError::Codec(error)) = Visitor::connect(connect).await else {
                panic!("the client took the impostor for the server");
            };
            let wrong = CodecError::WrongKey {
                expected: key.public(),
                found: false_key.public(),
            };
            assert_eq!(error, wrong);
            impostor.assert_learnt_nothing().await;
            house.was_never_reached().await;
        }
    });
}

#[test]
fn whoever_holds_another_key_than_the_pinned_one_learns_nothing() {
    run(async {
        for suite in SUITES {
            let (house, key) = House::encrypted(ServerLimits::default()).await;
            let door = Arc::new(Door::open().await);
            let folder = Folder::new();
            let hosts = KnownHosts::at(folder.join("known_hosts"));
            let identity = SecretKey::generate().unwrap();
            let connect = || {
                let connect = Client::connect(door.address()).encrypted_trust_on_first_use();
                let connect = connect.known_hosts(hosts.clone()).suite(suite);
                Visitor::connect(connect.identity(identity.clone()))
            };
            let proxy = Proxy::behind(Arc::clone(&door), house.address(), look());
            let visitor = connect().await.unwrap();
            talks(&visitor).await;
            visitor.close().await;
            drop(proxy);
            let pinned = std::fs::read(hosts.path()).unwrap();

            let false_key = SecretKey::generate().unwrap();
            let impostor = Impostor::behind(&door, &house, false_key.clone());
            let Err(error) = connect().await else {
                panic!("the client took the impostor for the server");
            };
            let ConnectError::KeyChanged {
                server,
                pinned: known,
                found,
                file,
                line,
            } = error
            else {
                panic!("{error:?}");
            };
            assert_eq!(server, door.address().to_string());
            assert_eq!((known, found), (key.public(), false_key.public()));
            assert_eq!((&*file, line), (hosts.path(), 1));
            impostor.assert_learnt_nothing().await;
            house.has_connections(0).await;
            assert_eq!(
                house.admitted(),
                1,
                "what the client said to the server itself"
            );
            assert_eq!(std::fs::read(hosts.path()).unwrap(), pinned);

            let _proxy = Proxy::behind(Arc::clone(&door), house.address(), look());
            talks(&connect().await.unwrap()).await;
        }
    });
}

/// Why a key is given or pinned; and that the impostor of these tests is a real one.
#[test]
fn whoever_stands_there_at_the_first_use_is_trusted_and_found_out_later() {
    run(async {
        let (mut house, key) = House::encrypted(ServerLimits::default()).await;
        let door = Arc::new(Door::open().await);
        let folder = Folder::new();
        let hosts = KnownHosts::at(folder.join("known_hosts"));
        let identity = SecretKey::generate().unwrap();
        let connect = || {
            let connect = Client::connect(door.address()).encrypted_trust_on_first_use();
            let connect = connect.known_hosts(hosts.clone());
            Visitor::connect(connect.identity(identity.clone()))
        };
        let false_key = SecretKey::generate().unwrap();
        let impostor = Impostor::behind(&door, &house, false_key.clone());
        let visitor = connect().await.unwrap();
        let believed = visitor.client.server_identity();
        assert_eq!(believed, PeerIdentity::Key(false_key.public()));
        talks(&visitor).await;
        let watching = visitor.watch();
        let known_as = PeerIdentity::Key(false_key.public());
        assert_eq!(house.hears().await, Heard::Watches(known_as));
        visitor.close().await;
        assert!(watching.await.unwrap().is_err());
        let learnt = impostor.learnt().await;
        assert_eq!(learnt.client, Some(identity.public()));
        let marker = MARKER.as_bytes();
        assert!(learnt.plain.windows(marker.len()).any(|it| it == marker));

        let _proxy = Proxy::behind(Arc::clone(&door), house.address(), look());
        let Err(ConnectError::KeyChanged { pinned, found, .. }) = connect().await else {
            panic!("the other key is not noticed");
        };
        assert_eq!((pinned, found), (false_key.public(), key.public()));
    });
}
