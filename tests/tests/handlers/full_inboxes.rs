//! An inbox that stays full for longer than a handler may take: what finds no room is dropped.

use std::time::Duration;

use protocol_core::wire::ErrorCode;
use protocol_core::{
    Client, Event, EventSet, Inbox, Protocol, RequestError, Server, ServerLimits, inbox,
};
use protocol_tests::{Notices, PlainOrEncrypted, Seen, both::run_paused, notices};

#[derive(Debug, Event)]
#[event(pass)]
struct Letter {
    n: u32,
}

#[derive(Debug, EventSet)]
enum Letters {
    Letter(Letter),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Letters)]
struct Post;

struct Open {
    _server: Server<Post>,
    client: Client<Post>,
    inbox: Inbox<Letters>,
    notices: Notices,
}

/// An inbox of one place, and a link whose handlers may take `handler_timeout`.
async fn open(handler_timeout: Duration) -> Open {
    let mut limits = ServerLimits::default();
    limits.connection.handler_timeout = handler_timeout;
    let (letters, inbox) = inbox::<Letters>(1);
    let (observer, notices) = notices();
    let server = Server::<Post>::in_memory()
        .plain_or_encrypted()
        .limits(limits)
        .observe(observer)
        .handle(letters)
        .await
        .unwrap();
    let client = Client::<Post>::connect_in_memory(&server)
        .plain_or_encrypted()
        .await
        .unwrap();
    Open {
        _server: server,
        client,
        inbox,
        notices,
    }
}

impl Open {
    fn try_next(&mut self) -> Option<u32> {
        self.inbox.try_next().map(|received| {
            let Letters::Letter(letter) = received.event;
            letter.n
        })
    }
}

const SHORT: Duration = Duration::from_millis(200);
const JUST_SHORTER: Duration = Duration::from_millis(199);

#[test]
fn a_confirmed_pass_that_finds_no_room_in_time_is_internal_and_dropped() {
    run_paused(|| async {
        let mut open = open(SHORT).await;
        open.client.confirm(Letter { n: 1 }).await.unwrap();
        let started = tokio::time::Instant::now();
        let error = open.client.confirm(Letter { n: 2 }).await.unwrap_err();
        assert!(started.elapsed() >= SHORT);
        let RequestError::Rejected(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.standard(), Some(ErrorCode::Internal));
        let slow = Seen::HandlerTooSlow("letter".into());
        assert_eq!(open.notices.try_next(), Some(slow));
        assert_eq!(open.notices.try_next(), None, "its sender was told");
        assert_eq!(open.try_next(), Some(1));
        assert_eq!(open.try_next(), None, "the second was dropped");
        open.client.confirm(Letter { n: 3 }).await.unwrap();
        assert_eq!(open.try_next(), Some(3), "the link goes on");
    });
}

#[test]
fn passes_that_find_no_room_in_time_are_dropped_and_the_observer_is_told() {
    run_paused(|| async {
        let mut open = open(SHORT).await;
        for n in 1..=4 {
            open.client.send(Letter { n }).await.unwrap();
        }
        for _ in 2..=4 {
            let slow = Seen::HandlerTooSlow("letter".into());
            assert_eq!(open.notices.next().await, slow);
            let refused = Seen::refused("letter", "internal");
            assert_eq!(open.notices.next().await, refused);
        }
        assert_eq!(open.notices.try_next(), None);
        assert_eq!(open.try_next(), Some(1));
        assert_eq!(open.try_next(), None);
        open.client.confirm(Letter { n: 5 }).await.unwrap();
        assert_eq!(open.try_next(), Some(5));
    });
}

#[test]
fn a_place_that_becomes_free_just_in_time_is_taken() {
    run_paused(|| async {
        let mut open = open(SHORT).await;
        open.client.confirm(Letter { n: 1 }).await.unwrap();
        let client = open.client.clone();
        let second = tokio::spawn(async move { client.confirm(Letter { n: 2 }).await });
        // Time jumps there only once nothing else is left to do.
        tokio::time::sleep(JUST_SHORTER).await;
        assert_eq!(open.try_next(), Some(1));
        assert_eq!(second.await.unwrap(), Ok(()));
        assert_eq!(open.try_next(), Some(2));
        assert_eq!(open.notices.try_next(), None);
    });
}
