//! What a server sends of its own accord, outside of handlers.

use protocol_core::{Client, ConnectionId, PeerId, Recipient, RequestError, SendError};
use protocol_tests::{PlainOrEncrypted, both::run};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::desk::{
    Bell, Choice, Choose, Enroll, EnrollError, Library, Note, Open, Undecided, reader,
};

fn peer(name: &str) -> PeerId {
    PeerId::new(name).unwrap()
}

/// One more client of the server, enrolled as `name`.
async fn enrolled(open: &Open, name: &str) -> (Client<Library>, UnboundedReceiver<u32>) {
    let (reader, rings) = reader();
    let client = Client::connect(open.server.address())
        .plain_or_encrypted()
        .handle(reader)
        .await
        .unwrap();
    let name = name.into();
    client.confirm(Enroll { name }).await.unwrap();
    (client, rings)
}

#[test]
fn a_server_sends_to_one_connection() {
    run(|| async {
        let mut open = Open::new().await;
        let connection = open.connection().await;
        let to = || open.server.to(connection);
        to().send(Bell { rings: 1 }).await.unwrap();
        to().confirm(Bell { rings: 2 }).await.unwrap();
        assert_eq!(open.rings.try_recv(), Ok(1));
        assert_eq!(open.rings.try_recv(), Ok(2));
        let options = vec!["tea".into(), "coffee".into()];
        let option = "tea".into();
        assert_eq!(
            to().request(Choose { options }).await,
            Ok(Choice { option })
        );
        let options = Vec::new();
        assert_eq!(
            to().request(Choose { options }).await,
            Err(RequestError::Refused(Undecided::Nothing))
        );
    });
}

#[test]
fn a_server_sends_to_a_peer_by_its_name() {
    run(|| async {
        let open = Open::new().await;
        let (_ann, mut at_ann) = enrolled(&open, "ann").await;
        let (_bob, mut at_bob) = enrolled(&open, "bob").await;
        let (ann, bob) = (peer("ann"), peer("bob"));
        open.server
            .to(&ann)
            .confirm(Bell { rings: 1 })
            .await
            .unwrap();
        open.server
            .to(&bob)
            .confirm(Bell { rings: 2 })
            .await
            .unwrap();
        assert_eq!(at_ann.try_recv(), Ok(1));
        assert_eq!(at_bob.try_recv(), Ok(2));
        assert!(at_ann.try_recv().is_err());
        assert!(at_bob.try_recv().is_err());
    });
}

#[test]
fn a_server_sends_to_many_and_leaves_out_who_is_not_there() {
    run(|| async {
        let mut open = Open::new().await;
        let first = open.connection().await;
        let (_ann, mut at_ann) = enrolled(&open, "ann").await;
        let (_bob, mut at_bob) = enrolled(&open, "bob").await;
        let peers = [peer("ann"), peer("carol"), peer("bob")];
        let sent = open.server.to_many(&peers).send(Bell { rings: 1 }).await;
        assert_eq!(sent, Ok(2));
        assert_eq!(at_ann.recv().await, Some(1));
        assert_eq!(at_bob.recv().await, Some(1));

        let mixed = [Recipient::from(first), Recipient::from(peer("ann"))];
        let sent = open.server.to_many(mixed).send(Bell { rings: 2 }).await;
        assert_eq!(sent, Ok(2));
        assert_eq!(open.rings.recv().await, Some(2));
        assert_eq!(at_ann.recv().await, Some(2));

        let nobody: [PeerId; 0] = [];
        let sent = open.server.to_many(nobody).send(Bell { rings: 3 }).await;
        assert_eq!(sent, Ok(0));
    });
}

#[test]
fn a_server_sends_to_all_in_order() {
    run(|| async {
        let mut open = Open::new().await;
        open.connection().await;
        let (_ann, mut at_ann) = enrolled(&open, "ann").await;
        let (_bob, mut at_bob) = enrolled(&open, "bob").await;
        assert_eq!(open.server.connections(), 3);
        for rings in 0..500 {
            assert_eq!(open.server.to_all().send(Bell { rings }).await, Ok(3));
        }
        for rings in 0..500 {
            assert_eq!(open.rings.recv().await, Some(rings));
            assert_eq!(at_ann.recv().await, Some(rings));
            assert_eq!(at_bob.recv().await, Some(rings));
        }
    });
}

#[test]
fn an_unknown_peer_is_no_such_peer() {
    run(|| async {
        let open = Open::new().await;
        let nobody = peer("nobody");
        let absent = SendError::NoSuchPeer("nobody".into());
        let sent = open.server.to(&nobody).send(Bell { rings: 1 }).await;
        assert_eq!(sent, Err(absent.clone()));
        let confirmed = open.server.to(&nobody).confirm(Bell { rings: 1 }).await;
        assert_eq!(confirmed, Err(RequestError::NotSent(absent.clone())));
        let options = vec!["tea".into()];
        let asked = open.server.to(&nobody).request(Choose { options }).await;
        let error = asked.unwrap_err();
        assert_eq!(error, RequestError::NotSent(absent));
        assert!(!error.is_unknown());
    });
}

#[test]
fn a_connection_that_has_gone_is_no_such_peer() {
    run(|| async {
        let mut open = Open::new().await;
        let gone: ConnectionId = open.connection().await;
        open.client.clone().close().await;
        // The server's end of the link may take a moment longer.
        while open.server.connections() > 0 {
            tokio::task::yield_now().await;
        }
        let absent = SendError::NoSuchPeer(format!("connection {gone}"));
        let sent = open.server.to(gone).send(Bell { rings: 1 }).await;
        assert_eq!(sent, Err(absent));
        assert_eq!(open.server.to_all().send(Bell { rings: 1 }).await, Ok(0));
    });
}

#[test]
fn a_taken_name_is_refused_and_the_connection_can_take_another() {
    run(|| async {
        let open = Open::new().await;
        let (ann, mut at_ann) = enrolled(&open, "ann").await;
        let enroll = |name: &str| open.client.confirm(Enroll { name: name.into() });
        let taken = Err(RequestError::Refused(EnrollError::Taken));
        assert_eq!(enroll("ann").await, taken);
        enroll("bob").await.unwrap();
        enroll("bob").await.unwrap();
        assert_eq!(enroll("carol").await, taken, "it keeps its first name");
        let name = "ann".into();
        ann.confirm(Enroll { name }).await.unwrap();
        open.server
            .to(peer("ann"))
            .confirm(Bell { rings: 1 })
            .await
            .unwrap();
        assert_eq!(at_ann.try_recv(), Ok(1));
    });
}

#[test]
fn both_ends_ask_each_other_at_the_same_time() {
    run(|| async {
        let mut open = Open::new().await;
        let connection = open.connection().await;
        for n in 0..200 {
            let options = vec![n.to_string()];
            let (asked, confirmed) = tokio::join!(
                open.server.to(connection).request(Choose { options }),
                open.client.confirm(Note { n }),
            );
            assert_eq!(asked.unwrap().option, n.to_string());
            confirmed.unwrap();
        }
    });
}
