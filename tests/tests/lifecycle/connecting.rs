//! Connecting, binding, and a server that is full.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{BindError, Client, CloseReason, ConnectError, Server, ServerLimits};
use protocol_tests::{
    Links, PlainOrEncrypted, Raw,
    both::{run, run_on_one_thread},
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::depot::{Depot, Freight, Load, connect, serve};

async fn connect_error(connect: protocol_core::Connect<'_, Freight>) -> ConnectError {
    let (depot, _, _) = Depot::new();
    connect.handle(depot).await.unwrap_err()
}

/// Connects to a server that may have no place.
async fn knock(address: SocketAddr) -> Result<Client<Freight>, ConnectError> {
    let (depot, _, _) = Depot::new();
    let connect = Client::connect(address).plain_or_encrypted();
    connect.handle(depot).await
}

/// The word of a server that has no place. A plain link stands by then; an encrypted one gets it
/// in place of a handshake.
async fn turned_away(address: SocketAddr) -> WireError {
    match (Links::of_this_test(), knock(address).await) {
        (Links::Plain, Ok(client)) => match client.closed().await {
            CloseReason::RefusedByPeer(word) => word,
            other => panic!("{other:?}"),
        },
        (Links::Encrypted, Err(ConnectError::Refused(word))) => word,
        (links, other) => panic!("over {links}: {other:?}"),
    }
}

#[test]
fn nobody_listens_where_nobody_listens() {
    run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = connect_error(Client::connect(address).plain_or_encrypted()).await;
        let ConnectError::Io(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn an_address_that_is_none_is_an_error() {
    run(|| async {
        let error = connect_error(Client::connect("no address").plain_or_encrypted()).await;
        assert!(matches!(error, ConnectError::Io(_)), "{error:?}");
        let (depot, _, _) = Depot::new();
        let error = Server::<Freight>::bind("no address").handle(depot).await;
        assert!(matches!(error, Err(BindError::Io(_))), "{error:?}");
    });
}

#[test]
fn a_taken_address_cannot_be_bound() {
    run(|| async {
        let server = serve(ServerLimits::default()).await.end;
        let (depot, _, _) = Depot::new();
        let again = Server::<Freight>::bind(server.address()).handle(depot);
        let Err(BindError::Io(error)) = again.await else {
            panic!("one address, two servers");
        };
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn connecting_is_given_up_in_time() {
    run(|| async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody accepts: once the backlog is full, the system answers no more.
        let mut backlog = Vec::new();
        while let Ok(stream) =
            timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            backlog.push(stream.unwrap());
        }
        let after = Duration::from_millis(100);
        let error =
            connect_error(Client::connect(address).plain_or_encrypted().timeout(after)).await;
        let ConnectError::Timeout { after: said } = error else {
            panic!("{error:?}");
        };
        assert_eq!(said, after);
    });
}

#[test]
fn a_full_server_turns_away_with_a_word_and_takes_the_next_when_there_is_room() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connections = 2;
        let server = serve(limits).await.end;
        let first = connect(server.address()).await.end;
        let second = connect(server.address()).await.end;
        first.confirm(Load { n: 1 }).await.unwrap();
        second.confirm(Load { n: 2 }).await.unwrap();
        assert_eq!(server.connections(), 2);
        for _ in 0..20 {
            let word = turned_away(server.address()).await;
            assert_eq!(word.standard(), Some(ErrorCode::Unavailable));
        }
        second.confirm(Load { n: 3 }).await.unwrap();
        first.close().await;
        // The server's end of the link may take a moment longer.
        loop {
            if let Ok(next) = knock(server.address()).await
                && next.confirm(Load { n: 4 }).await.is_ok()
            {
                break;
            }
        }
        assert_eq!(server.connections(), 2);
    });
}

#[test]
fn a_full_server_of_one_thread_turns_away_with_a_word() {
    run_on_one_thread(|| async {
        let mut limits = ServerLimits::default();
        limits.connections = 0;
        let server = serve(limits).await.end;
        let word = turned_away(server.address()).await;
        assert_eq!(word.standard(), Some(ErrorCode::Unavailable));
        // Nobody shakes hands, so the word itself is plain whatever the links are.
        let mut raw = Raw::connect_plain(server.address()).await;
        assert_eq!(raw.json().await["data"]["code"], "unavailable");
        assert_eq!(raw.line().await, None);
    });
}

#[test]
fn loopback_addresses_are_not_counted_by_address() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connections_an_address = Some(1);
        let server = serve(limits).await.end;
        let mut clients = Vec::new();
        for n in 0..5 {
            let client = connect(server.address()).await.end;
            client.confirm(Load { n }).await.unwrap();
            clients.push(client);
        }
        assert_eq!(server.connections(), 5);
    });
}

#[test]
fn loopback_addresses_are_not_counted_by_address_on_a_socket_of_both_families() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connections_an_address = Some(1);
        // A machine without IPv6 has one family, for which the same holds.
        let has_both = TcpListener::bind("[::]:0").await.is_ok();
        let address = if has_both { "[::]:0" } else { "0.0.0.0:0" };
        let (depot, _seen, _) = Depot::new();
        let server = Server::<Freight>::bind(address).plain_or_encrypted();
        let server = server.limits(limits).handle(depot).await.unwrap();
        let port = server.address().port();
        let mut clients = Vec::new();
        for n in 0..5 {
            let client = connect((Ipv4Addr::LOCALHOST, port).into()).await.end;
            client.confirm(Load { n }).await.unwrap();
            clients.push(client);
        }
        assert_eq!(server.connections(), 5);
    });
}

#[test]
fn a_connection_in_memory_takes_no_place_before_it_is_awaited() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connections = 1;
        let (depot, _seen, _) = Depot::new();
        let server = Server::<Freight>::in_memory()
            .plain_or_encrypted()
            .limits(limits);
        let server = server.handle(depot).await.unwrap();
        let connect = || Client::<Freight>::connect_in_memory(&server).plain_or_encrypted();
        let unhandled = connect();
        assert_eq!(server.connections(), 0);
        let (depot, _at_client, _) = Depot::new();
        let unpolled = connect().handle(depot);
        assert_eq!(server.connections(), 0);
        let (depot, _at_client, _) = Depot::new();
        let client = connect().handle(depot).await.unwrap();
        client.confirm(Load { n: 1 }).await.unwrap();
        assert_eq!(server.connections(), 1);
        drop((unhandled, unpolled));
        client.confirm(Load { n: 2 }).await.unwrap();
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn clients_come_and_go() {
    run(|| async {
        let server = serve(ServerLimits::default()).await.end;
        for n in 0..100 {
            let client = connect(server.address()).await.end;
            client.confirm(Load { n }).await.unwrap();
            client.close().await;
        }
        while server.connections() > 0 {
            tokio::task::yield_now().await;
        }
    });
}
