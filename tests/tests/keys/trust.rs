//! What a client makes of keys: which it asks for, which it pins, and what it refuses to overlook.

use std::net::SocketAddr;
use std::time::Duration;

use protocol_core::keys::KnownHosts;
use protocol_core::{
    Client, CloseReason, Connect, ConnectError, Encryption, Event, EventSet, Protocol, SecretKey,
    Server, ServerAddress, ignore,
};
use protocol_tests::run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use protocol_tests::Folder;

#[derive(Debug, Event)]
#[event(pass)]
struct Tick;

#[derive(Debug, EventSet)]
enum Ticks {
    Tick(Tick),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Ticks)]
struct Clock;

fn secret(n: u8) -> SecretKey {
    SecretKey::from_bytes([n; 32])
}

async fn serve(key: SecretKey) -> Server<Clock> {
    let bind = Server::bind("127.0.0.1:0").encrypted(key);
    bind.handle(ignore::<Ticks>()).await.unwrap()
}

fn connect(address: SocketAddr) -> Connect<'static, Clock> {
    Client::connect(address).identity(secret(9))
}

#[test]
fn the_first_key_is_pinned_and_another_one_refused() {
    run(async {
        let folder = Folder::new();
        let hosts = KnownHosts::at(folder.path().join("known_hosts"));
        let visit = |address| {
            let connect = connect(address).known_hosts(hosts.clone());
            connect.encrypted_trust_on_first_use()
        };
        let server = serve(secret(1)).await;
        let address = server.address();
        for _ in 0..2 {
            let client = visit(address).await.unwrap();
            assert_eq!(client.server_identity().key(), Some(secret(1).public()));
            client.confirm(Tick).await.unwrap();
        }
        assert!(server.shutdown(Duration::from_secs(5)).await);
        let bind = Server::<Clock>::bind(address).encrypted(secret(2));
        let _other = bind.handle(ignore::<Ticks>()).await.unwrap();
        let error = visit(address).await.unwrap_err();
        let text = error.to_string();
        let ConnectError::KeyChanged {
            server,
            pinned,
            found,
            line,
            ..
        } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(server, address.to_string());
        assert_eq!((pinned, found), (secret(1).public(), secret(2).public()));
        assert_eq!(line, 1);
        assert!(
            text.contains("known_hosts") && text.contains("remove that line"),
            "{text}"
        );
    });
}

#[test]
fn a_key_that_was_given_is_not_forgotten_for_trust() {
    run(async {
        let server = serve(secret(1)).await;
        for wrong in [
            connect(server.address())
                .encrypted(secret(2).public())
                .encrypted_trust_on_first_use(),
            connect(server.address())
                .encrypted_trust_on_first_use()
                .encrypted(secret(2).public()),
        ] {
            let refused = wrong.await.unwrap_err();
            assert!(matches!(refused, ConnectError::Codec(_)), "{refused:?}");
        }
    });
}

#[test]
fn what_is_for_encrypted_links_alone_makes_no_plain_one() {
    run(async {
        // Nobody listens there; it is said before that is found out.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let error = connect(nowhere).await.unwrap_err();
        assert!(matches!(error, ConnectError::NotEncrypted), "{error:?}");
        assert!(error.to_string().contains("`.encrypted(key)`"), "{error}");
    });
}

#[test]
fn what_somebody_says_in_plain_is_fit_for_a_terminal() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connecting = connect(listener.local_addr().unwrap()).encrypted(secret(1).public());
        let somebody = async {
            let (mut link, _) = listener.accept().await.unwrap();
            let long = "x".repeat(3_000);
            let word = format!(
                r#"{{"type":"pass","name":"protocol_error","data":{{"code":"\u001b[31mred","message":"\n{long}"}}}}"#
            );
            link.write_all((word + "\n").as_bytes()).await.unwrap();
            link
        };
        let (connected, _link) = tokio::join!(connecting, somebody);
        let error = connected.unwrap_err();
        assert!(matches!(error, ConnectError::Refused(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("which proves nothing"), "{text}");
        assert!(
            !text.contains(char::is_control) && text.len() < 400,
            "{text}"
        );
    });
}

#[test]
fn a_server_that_shuts_down_waits_for_links_that_open() {
    run(async {
        for _ in 0..20 {
            let server = serve(secret(1)).await;
            let mut opening = Vec::new();
            for _ in 0..4 {
                opening.push(TcpStream::connect(server.address()).await.unwrap());
            }
            while server.connections() < 4 {
                tokio::task::yield_now().await;
            }
            assert!(server.shutdown(Duration::from_secs(5)).await);
            assert_eq!(server.connections(), 0);
            for mut link in opening {
                assert_eq!(link.read(&mut [0; 16]).await.unwrap_or(0), 0);
            }
        }
    });
}

#[test]
fn the_same_client_is_known_in_memory_too() {
    run(async {
        let bind = Server::<Clock>::in_memory().encryption(Encryption::Both(secret(1)));
        let server = bind.handle(ignore::<Ticks>()).await.unwrap();
        assert_eq!(server.public_key(), Some(secret(1).public()));
        let connect = || Client::connect_in_memory(&server).identity(secret(9));
        let client = connect().encrypted(secret(1).public()).await.unwrap();
        client.confirm(Tick).await.unwrap();
        // Nothing is pinned where nothing has a name.
        let client = connect().encrypted_trust_on_first_use().await.unwrap();
        client.confirm(Tick).await.unwrap();
        let closed = client.clone();
        client.close().await;
        assert_eq!(closed.close_reason(), Some(CloseReason::Closed));
    });
}

#[test]
fn a_server_is_pinned_by_the_name_that_its_user_wrote() {
    for (name, expected) in [
        (ServerAddress::name("Example.org:7766"), "example.org:7766"),
        (("Example.org", 7766).name(), "example.org:7766"),
        (("127.0.0.1", 7766).name(), "127.0.0.1:7766"),
        (("::1", 7766).name(), "[::1]:7766"),
        (
            SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 7766)).name(),
            "[::1]:7766",
        ),
    ] {
        assert_eq!(name, expected);
    }
}

#[test]
fn what_a_plain_client_asks_of_a_server_that_encrypts_was_certainly_not_done() {
    run(async {
        let server = serve(secret(1)).await;
        for _ in 0..20 {
            let client = Client::<Clock>::connect(server.address()).await.unwrap();
            let error = client.confirm(Tick).await.unwrap_err();
            assert!(error.is_closed() && !error.is_unknown(), "{error:?}");
            assert!(error.to_string().contains("encryption_required"), "{error}");
        }
    });
}
