//! Sessions that go on after their link is lost: who proves what by which token.

use std::sync::{Arc, Mutex};

use protocol_core::{
    Client, ConnectionId, Context, Event, EventSet, Inbox, Protocol, Received, RoomId, Server,
    inbox,
};
use protocol_tests::run;
use rendezvous::events::{
    CreateRoom, JoinRoom, LeaveReason, PlayerStatus, RoomNews, Secret, UpdateRoom,
};
use rendezvous::state::rooms::{Create, Created, Join, Joined, Update};
use rendezvous::state::{
    Directory, InMemory, Line, OpenError, PeerName, ResumeError, ResumeToken, Session,
};

use crate::house::place_of;

#[derive(Debug, Event)]
#[event(pass)]
struct Hello;

#[derive(Debug, EventSet)]
enum ToServer {
    Hello(Hello),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToServer, to_client = RoomNews)]
struct Greet;

#[derive(Default)]
struct Seen(Mutex<Vec<Line>>);

impl ToServerHandler<Greet> for Seen {
    async fn on_hello(&self, cx: &Context<Greet>, _: Hello) {
        self.0.lock().unwrap().push(cx.outlet());
    }
}

/// A link of a server, of which lines and ids can only be had from one.
struct Link {
    line: Line,
    news: Inbox<RoomNews>,
    _ends: (Client<Greet>, Server<Greet>),
}

impl Link {
    async fn open() -> Self {
        let seen = Arc::new(Seen::default());
        let server = Server::in_memory().handle(Arc::clone(&seen)).await.unwrap();
        let (on_news, news) = inbox(64);
        let client = Client::connect_in_memory(&server).handle(on_news);
        let client = client.await.unwrap();
        client.confirm(Hello).await.unwrap();
        let line = seen.0.lock().unwrap()[0].clone();
        Self {
            line,
            news,
            _ends: (client, server),
        }
    }

    fn id(&self) -> ConnectionId {
        self.line.connection()
    }

    async fn next(&mut self) -> RoomNews {
        let received: Option<Received<_>> = self.news.next().await;
        received.expect("the link is up").event
    }
}

fn name(id: &str) -> PeerName {
    PeerName::new(id).unwrap()
}

fn token(text: &str) -> ResumeToken {
    ResumeToken::of(&Secret::new(text))
}

fn session(peer: &str, link: &Link, resume: Option<&str>) -> Session {
    Session {
        id: format!("of {peer}"),
        peer: name(peer),
        connection: link.id(),
        resume: resume.map(token),
    }
}

fn empty() -> InMemory {
    InMemory::new(10, 10, 8)
}

/// Nobody else is here, and alice's session has the token `first`.
async fn alone() -> (InMemory, Link) {
    let (directory, link) = (empty(), Link::open().await);
    let opened = directory.open(session("alice", &link, Some("first"))).await;
    opened.unwrap();
    (directory, link)
}

async fn resume(directory: &InMemory, by: &str, next: &str) -> Result<Session, ResumeError> {
    resume_as("alice", directory, by, next).await
}

async fn resume_as(
    peer: &str,
    directory: &InMemory,
    by: &str,
    next: &str,
) -> Result<Session, ResumeError> {
    let (peer, by) = (name(peer), token(by));
    directory.resume(&peer, &by, token(next)).await
}

#[test]
fn a_session_goes_on_as_it_was_with_a_new_token() {
    run(async {
        let (directory, link) = alone().await;
        let resumed = resume(&directory, "first", "second").await;
        let expected = session("alice", &link, Some("second"));
        assert_eq!(resumed, Ok(expected.clone()));
        assert_eq!(directory.session_of(&name("alice")), Some(expected));
        assert_eq!(directory.sessions(), 1);
        // Names that look the same are one.
        let twin = resume_as("ALICE", &directory, "second", "third").await;
        assert_eq!(twin, Ok(session("alice", &link, Some("third"))));
    });
}

#[test]
fn a_session_is_resumed_by_its_own_token_only() {
    run(async {
        let (directory, link) = alone().await;
        let [bobs, carols] = [Link::open().await, Link::open().await];
        let bob = session("bob", &bobs, Some("of bob"));
        directory.open(bob.clone()).await.unwrap();
        // This one ends with its link.
        let carol = session("carol", &carols, None);
        directory.open(carol.clone()).await.unwrap();
        for (peer, by) in [
            ("alice", ""),
            ("alice", "First"),
            ("alice", "first "),
            ("alice", "of bob"),
            ("bob", "first"),
            ("carol", ""),
            ("carol", "first"),
            ("nobody", "first"),
        ] {
            let refused = resume_as(peer, &directory, by, "mine").await;
            assert_eq!(refused, Err(ResumeError::Unknown), "{peer} {by:?}");
        }
        let alice = session("alice", &link, Some("first"));
        for session in [alice, bob, carol] {
            assert_eq!(directory.session_of(&session.peer), Some(session));
        }
        resume(&directory, "first", "second").await.unwrap();
    });
}

/// The answer that held the new token may have been lost.
#[test]
fn a_token_holds_until_the_next_has_arrived() {
    run(async {
        let (directory, link) = alone().await;
        resume(&directory, "first", "second").await.unwrap();
        resume(&directory, "first", "third").await.unwrap();
        // Nobody has been given it but a link that is replaced.
        let replaced = resume(&directory, "second", "mine").await;
        assert_eq!(replaced, Err(ResumeError::Unknown));
        directory.settle(link.id(), &token("third"));
        let late = resume(&directory, "first", "mine").await;
        assert_eq!(late, Err(ResumeError::Unknown));
        resume(&directory, "third", "fourth").await.unwrap();
    });
}

#[test]
fn whoever_has_the_new_token_needs_the_old_no_more() {
    run(async {
        let (directory, _link) = alone().await;
        resume(&directory, "first", "second").await.unwrap();
        resume(&directory, "second", "third").await.unwrap();
        let old = resume(&directory, "first", "mine").await;
        assert_eq!(old, Err(ResumeError::Unknown));
        resume(&directory, "second", "fourth").await.unwrap();
    });
}

/// What a replaced link has still to say comes too late.
#[test]
fn only_the_newest_link_settles() {
    run(async {
        let (directory, link) = alone().await;
        let another = Link::open().await;
        resume(&directory, "first", "second").await.unwrap();
        resume(&directory, "first", "third").await.unwrap();
        directory.settle(link.id(), &token("second"));
        directory.settle(link.id(), &token("first"));
        directory.settle(another.id(), &token("third"));
        resume(&directory, "first", "fourth").await.unwrap();
        directory.settle(link.id(), &token("fourth"));
        directory.settle(link.id(), &token("fourth"));
        let old = resume(&directory, "first", "mine").await;
        assert_eq!(old, Err(ResumeError::Unknown));
    });
}

#[test]
fn a_token_ends_with_its_session() {
    run(async {
        let (directory, link) = alone().await;
        resume(&directory, "first", "second").await.unwrap();
        let reason = LeaveReason::GraceExpired;
        let closed = directory.close(link.id(), reason);
        assert_eq!(closed, Some(session("alice", &link, Some("second"))));
        let next = Link::open().await;
        let opened = directory.open(session("alice", &next, Some("new")));
        opened.await.unwrap();
        for old in ["first", "second"] {
            let refused = resume(&directory, old, "mine").await;
            assert_eq!(refused, Err(ResumeError::Unknown));
        }
        directory.settle(link.id(), &token("new"));
        assert_eq!(directory.close(link.id(), reason), None);
        resume(&directory, "new", "newer").await.unwrap();
    });
}

/// What a login needs that takes the place of another.
#[test]
fn the_session_of_a_name_is_found_and_replaced() {
    run(async {
        let (directory, link) = alone().await;
        let next = Link::open().await;
        assert_eq!(directory.session_of(&name("bob")), None);
        let taken = directory.open(session("ALICE", &next, None)).await;
        assert_eq!(taken, Err(OpenError::Taken));
        let held = directory.session_of(&name("ALICE")).unwrap();
        assert_eq!((&*held.id, held.connection), ("of alice", link.id()));
        assert!(
            directory
                .close(held.connection, LeaveReason::GraceExpired)
                .is_some()
        );
        assert_eq!(directory.session_of(&name("alice")), None);
        directory.open(session("ALICE", &next, None)).await.unwrap();
    });
}

#[test]
fn tokens_are_all_of_their_random_bits_and_are_not_shown() {
    let (secret, token) = ResumeToken::issue([0; 16]);
    assert_eq!(secret.expose(), "0".repeat(32));
    let mut texts = vec![secret.expose().to_owned()];
    for bit in 0..128 {
        let mut random = [0; 16];
        random[bit / 8] = 1 << (bit % 8);
        let (secret, other) = ResumeToken::issue(random);
        assert_ne!(other, token);
        assert_eq!(other, ResumeToken::of(&secret));
        texts.push(secret.expose().to_owned());
    }
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 129);
    assert!(texts.iter().all(|text| text.len() == 32));
    assert_eq!(format!("{token:?}"), "[redacted]");
}

async fn create(directory: &InMemory, link: &Link) -> RoomId {
    let create = Create {
        id: RoomId::new("lobby").unwrap(),
        request: CreateRoom::new("lobby"),
        password: None,
    };
    let now = std::time::Instant::now();
    let created = directory.apply(create, &link.line, now).await;
    let Ok(Created::Is(room)) = created.result else {
        panic!("{created:?}");
    };
    room.id
}

async fn join(directory: &InMemory, link: &Link, room: &RoomId) {
    let join = Join {
        request: JoinRoom::new(room.clone()),
        proof: None,
    };
    let now = std::time::Instant::now();
    let joined = directory.apply(join, &link.line, now).await;
    assert!(matches!(joined.result, Ok(Joined::In(_))), "{joined:?}");
}

async fn rename(directory: &InMemory, link: &Link, room: &RoomId) {
    let update = Update {
        request: UpdateRoom {
            name: Some("den".to_owned()),
            ..UpdateRoom::new(room.clone())
        },
        password: None,
    };
    let now = std::time::Instant::now();
    directory
        .apply(update, &link.line, now)
        .await
        .result
        .unwrap();
}

async fn kinds<const N: usize>(link: &mut Link) -> [(&'static str, u64); N] {
    let mut kinds = [("", 0); N];
    for kind in &mut kinds {
        let news = link.next().await;
        let name = match &news {
            RoomNews::SelfJoined(_) => "self_joined",
            RoomNews::SelfLeft(_) => "self_left",
            RoomNews::PlayerJoined(_) => "player_joined",
            RoomNews::PlayerLeft(_) => "player_left",
            RoomNews::PlayerUpdated(_) => "player_updated",
            RoomNews::HostChanged(_) => "host_changed",
            RoomNews::RoomUpdated(_) => "room_updated",
        };
        *kind = (name, place_of(&news).1);
    }
    kinds
}

#[test]
fn rooms_show_how_the_link_of_a_session_is() {
    run(async {
        let (directory, mut alice) = alone().await;
        let mut bob = Link::open().await;
        let opened = directory.open(session("bob", &bob, None)).await;
        opened.unwrap();
        let lobby = create(&directory, &alice).await;
        join(&directory, &bob, &lobby).await;
        directory.set_status(alice.id(), PlayerStatus::Reconnecting);
        rename(&directory, &alice, &lobby).await;
        directory.set_status(alice.id(), PlayerStatus::Online);
        directory.set_status(alice.id(), PlayerStatus::Online);
        directory.set_status(alice.id(), PlayerStatus::Reconnecting);
        directory.close(alice.id(), LeaveReason::GraceExpired);
        // There is no such session any more.
        directory.set_status(alice.id(), PlayerStatus::Online);
        let of_bob = [
            ("self_joined", 2),
            ("player_updated", 3),
            ("room_updated", 4),
            ("player_updated", 5),
            ("player_updated", 6),
            ("player_left", 7),
            ("host_changed", 7),
        ];
        assert_eq!(kinds(&mut bob).await, of_bob);
        let of_alice = [
            ("self_joined", 1),
            ("player_joined", 2),
            ("room_updated", 4),
            ("self_joined", 5),
            ("self_left", 7),
        ];
        assert_eq!(kinds(&mut alice).await, of_alice);
        assert_eq!(directory.room(&lobby).unwrap().rev, 7);
    });
}
