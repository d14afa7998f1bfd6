//! Handlers that call back while their own caller waits.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::wire::ErrorCode;
use protocol_core::{
    AtClient, Client, Context, Event, EventSet, Limits, Protocol, RequestError, Server,
    ServerLimits,
};
use protocol_tests::{PlainOrEncrypted, Seen, both::run, notices, still_waits};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Steps that are still to go, taken by both ends in turn.
#[derive(Debug, Event)]
#[event(request, response = Height, concurrent)]
struct Climb {
    left: u32,
}

#[derive(Debug, Event)]
#[event(request, response = Height, concurrent)]
struct ClimbOn {
    left: u32,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Height(u32);

/// Like `Climb`, but handled in order: the third step waits for the first.
#[derive(Debug, Event)]
#[event(request, response = Outcome)]
struct Lean {
    left: u32,
}

#[derive(Debug, Event)]
#[event(request, response = Outcome)]
struct LeanOn {
    left: u32,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Outcome(String);

/// The server asks the client for its vote before it answers.
#[derive(Debug, Event)]
#[event(request, response = Counted)]
struct Poll;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Counted(bool);

#[derive(Debug, Event)]
#[event(request, response = Ballot)]
struct Vote;

#[derive(Debug, Event)]
#[event(response)]
struct Ballot(bool);

#[derive(Debug, Event)]
#[event(pass)]
struct Remark(u32);

#[derive(Debug, Event)]
#[event(pass)]
struct Told(u32);

#[derive(Debug, EventSet)]
enum ToHall {
    Climb(Climb),
    Lean(Lean),
    Poll(Poll),
    Remark(Remark),
}

#[derive(Debug, EventSet)]
enum FromHall {
    ClimbOn(ClimbOn),
    LeanOn(LeanOn),
    Vote(Vote),
    Told(Told),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToHall, to_client = FromHall)]
struct Assembly;

/// What one handler of two that lean on each other waits at most.
const PATIENCE: Duration = Duration::from_millis(100);

struct Hall {
    remarks: UnboundedSender<u32>,
}

impl ToHallHandler<Assembly> for Hall {
    async fn on_climb(&self, cx: &Context<Assembly>, event: Climb) -> Height {
        let Some(left) = event.left.checked_sub(1) else {
            return Height(0);
        };
        let height = cx.request(ClimbOn { left }).await.unwrap();
        Height(height.0 + 1)
    }

    async fn on_lean(&self, cx: &Context<Assembly>, event: Lean) -> Outcome {
        let Some(left) = event.left.checked_sub(1) else {
            return Outcome("stands".into());
        };
        let leans = cx.request(LeanOn { left }).await;
        leans.unwrap_or_else(|error| Outcome(error.to_string()))
    }

    async fn on_poll(&self, cx: &Context<Assembly>, _event: Poll) -> Counted {
        cx.send(Told(1)).await.unwrap();
        let ballot = cx.request(Vote).await.unwrap();
        cx.confirm(Told(2)).await.unwrap();
        Counted(ballot.0)
    }

    async fn on_remark(&self, _cx: &Context<Assembly>, event: Remark) {
        self.remarks.send(event.0).unwrap();
    }
}

struct Member {
    told: UnboundedSender<u32>,
    votes: Arc<Semaphore>,
}

impl FromHallHandler<Assembly, AtClient> for Member {
    async fn on_climb_on(&self, cx: &Context<Assembly, AtClient>, event: ClimbOn) -> Height {
        let Some(left) = event.left.checked_sub(1) else {
            return Height(0);
        };
        let height = cx.request(Climb { left }).await.unwrap();
        Height(height.0 + 1)
    }

    async fn on_lean_on(&self, cx: &Context<Assembly, AtClient>, event: LeanOn) -> Outcome {
        let Some(left) = event.left.checked_sub(1) else {
            return Outcome("stands".into());
        };
        let leans = cx.request(Lean { left }).timeout(PATIENCE).await;
        leans.unwrap_or_else(|error| Outcome(error.to_string()))
    }

    async fn on_vote(&self, _cx: &Context<Assembly, AtClient>, _event: Vote) -> Ballot {
        // Says that the hall now waits for this vote.
        self.told.send(0).unwrap();
        self.votes.acquire().await.unwrap().forget();
        Ballot(true)
    }

    async fn on_told(&self, _cx: &Context<Assembly, AtClient>, event: Told) {
        self.told.send(event.0).unwrap();
    }
}

struct Open {
    _server: Server<Assembly>,
    client: Client<Assembly>,
    remarks: UnboundedReceiver<u32>,
    told: UnboundedReceiver<u32>,
    votes: Arc<Semaphore>,
    at_server: protocol_tests::Notices,
    at_client: protocol_tests::Notices,
}

async fn open(change: impl FnOnce(&mut Limits)) -> Open {
    let mut limits = ServerLimits::default();
    change(&mut limits.connection);
    let (hall, remarks) = unbounded_channel();
    let (observer, at_server) = notices();
    let server = Server::<Assembly>::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .limits(limits)
        .observe(observer)
        .handle(Hall { remarks: hall })
        .await
        .unwrap();
    let (tell, told) = unbounded_channel();
    let votes = Arc::new(Semaphore::new(0));
    let member = Member {
        told: tell,
        votes: Arc::clone(&votes),
    };
    let (observer, at_client) = notices();
    let client = Client::<Assembly>::connect(server.address())
        .plain_or_encrypted()
        .observe(observer)
        .handle(member)
        .await
        .unwrap();
    Open {
        _server: server,
        client,
        remarks,
        told,
        votes,
        at_server,
        at_client,
    }
}

#[test]
fn a_handler_asks_the_caller_that_waits_for_it() {
    run(|| async {
        let mut open = open(|_| {}).await;
        open.votes.add_permits(1);
        assert_eq!(open.client.request(Poll).await, Ok(Counted(true)));
        // What the handler sent stands before its answer, in order.
        assert_eq!(open.told.try_recv(), Ok(1));
        assert_eq!(open.told.try_recv(), Ok(0));
        assert_eq!(open.told.try_recv(), Ok(2));
    });
}

#[test]
fn calls_back_and_forth_nest() {
    run(|| async {
        let open = open(|_| {}).await;
        for left in [1, 2, 3, 40] {
            let height = open.client.request(Climb { left }).await;
            assert_eq!(height, Ok(Height(left)));
        }
    });
}

#[test]
fn two_handlers_that_wait_for_each_other_end_by_their_deadline() {
    run(|| async {
        let mut open = open(|_| {}).await;
        let lean = |left| open.client.request(Lean { left });
        assert_eq!(lean(1).await, Ok(Outcome("stands".into())));
        // The second step at the server waits for the first, which waits for it.
        let waited = format!("no answer within {PATIENCE:?}");
        assert_eq!(lean(2).await, Ok(Outcome(waited)));
        // It runs once the first has ended; nobody awaits it any more.
        assert_eq!(open.at_client.next().await, Seen::AnswerIgnored);
        assert_eq!(lean(1).await, Ok(Outcome("stands".into())));
    });
}

#[test]
fn events_wait_aside_while_a_handler_awaits_its_peer() {
    run(|| async {
        let mut open = open(|_| {}).await;
        let client = open.client.clone();
        let mut poll = client.request(Poll);
        assert!(still_waits(&mut poll).await);
        assert_eq!(open.told.recv().await, Some(1));
        assert_eq!(open.told.recv().await, Some(0));
        for n in 0..256 {
            client.send(Remark(n)).await.unwrap();
        }
        assert!(still_waits(&mut poll).await);
        assert!(open.remarks.try_recv().is_err(), "the handler is at work");
        open.votes.add_permits(1);
        assert_eq!(poll.await, Ok(Counted(true)));
        for n in 0..256 {
            assert_eq!(open.remarks.recv().await, Some(n));
        }
        assert_eq!(open.at_server.try_next(), None);
    });
}

#[test]
fn more_events_than_may_wait_aside_are_refused_as_busy() {
    run(|| async {
        let mut open = open(|limits| limits.queued_events = 3).await;
        let client = open.client.clone();
        let mut poll = client.request(Poll);
        assert!(still_waits(&mut poll).await);
        assert_eq!(open.told.recv().await, Some(1));
        assert_eq!(open.told.recv().await, Some(0));

        client.send(Remark(1)).await.unwrap();
        client.send(Remark(2)).await.unwrap();
        let mut third = client.request(Climb { left: 0 });
        assert!(still_waits(&mut third).await);

        let busy = client.request(Climb { left: 0 }).await.unwrap_err();
        assert!(busy.is_retryable(), "it was certainly not executed");
        assert!(!busy.is_unknown());
        let RequestError::Rejected(busy) = busy else {
            panic!("{busy:?}");
        };
        assert_eq!(busy.standard(), Some(ErrorCode::Busy));
        let busy = client.confirm(Remark(3)).await.unwrap_err();
        assert!(busy.is_retryable());
        client.send(Remark(4)).await.unwrap();
        let refused = Seen::refused("remark", "busy");
        assert_eq!(open.at_server.next().await, refused);
        assert!(still_waits(&mut third).await);

        open.votes.add_permits(1);
        assert_eq!(poll.await, Ok(Counted(true)));
        assert_eq!(third.await, Ok(Height(0)));
        assert_eq!(open.remarks.try_recv(), Ok(1));
        assert_eq!(open.remarks.try_recv(), Ok(2));
        client.confirm(Remark(5)).await.unwrap();
        assert_eq!(open.remarks.try_recv(), Ok(5));
    });
}

#[test]
fn bytes_of_events_that_wait_aside_are_bounded_too() {
    run(|| async {
        let mut open = open(|limits| limits.queued_bytes = 1).await;
        let client = open.client.clone();
        let mut poll = client.request(Poll);
        assert!(still_waits(&mut poll).await);
        assert_eq!(open.told.recv().await, Some(1));
        assert_eq!(open.told.recv().await, Some(0));
        client.send(Remark(1)).await.unwrap();
        assert!(client.confirm(Remark(2)).await.unwrap_err().is_retryable());
        open.votes.add_permits(1);
        assert_eq!(poll.await, Ok(Counted(true)));
        assert_eq!(open.remarks.recv().await, Some(1));
    });
}

#[test]
fn concurrent_handlers_at_their_limit_still_get_their_answers() {
    run(|| async {
        let open = open(|limits| limits.concurrent_handlers = 1).await;
        let heights = tokio::join!(
            open.client.request(Climb { left: 1 }),
            open.client.request(Climb { left: 1 }),
            open.client.request(Climb { left: 1 }),
        );
        assert_eq!(heights, (Ok(Height(1)), Ok(Height(1)), Ok(Height(1))));
    });
}
