//! The queue from handles to the driver: room, order, deadlines and its end.

use std::sync::Arc;

use std::sync::atomic::AtomicUsize;
use std::task::{Poll, Wake, Waker};

use super::*;
use crate::connection::{Backlog, Closing, Outbox, Outgoing, Pushed, Share, Tried};
use crate::error::CloseReason;

/// A queue, its driver's side, and a clock.
struct Desk {
    outbox: Outbox,
    backlog: Backlog,
    start: Instant,
    until: Option<Instant>,
}

impl Desk {
    fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            outbox: Outbox::new(&limits(max_events, max_bytes)),
            backlog: Backlog::default(),
            start: Instant::now(),
            until: None,
        }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// Pushes a frame that says `text`; the waiter is told only if it was parked.
    fn push(&self, text: &str, timeout_ms: u64) -> (&'static str, Arc<Probe>) {
        let waiter = Probe::new();
        let kept = Arc::clone(&waiter);
        let timeout = Duration::from_millis(timeout_ms);
        let pushed = self
            .outbox
            .push(Outgoing::Frame(text.into()), timeout, move || kept);
        (name(&pushed), waiter)
    }

    fn push_call(&self, timeout_ms: u64) -> (&'static str, Arc<Probe>) {
        let waiter = Probe::new();
        let kept = Arc::clone(&waiter);
        let call = call(&waiter, Expects::Response, timeout_ms);
        let timeout = call.timeout;
        let pushed = self
            .outbox
            .push(Outgoing::Call(call), timeout, move || kept);
        (name(&pushed), waiter)
    }

    fn try_push(&self, frame: &'static [u8]) -> Tried {
        let shared = Outgoing::Shared(frame.into());
        self.outbox.try_push(shared, Share::Whole)
    }

    /// The driver's visit, `ms` after the start, while `sending` bytes wait to be written.
    fn visit(&mut self, ms: u64, sending: usize) {
        let now = self.at(ms);
        let visit = self.outbox.visit(&mut self.backlog, sending, now);
        self.until = visit.waiting_until;
    }

    /// Visits and sends until nothing is left that has room; what was sent, in its order.
    fn drain(&mut self, ms: u64) -> Vec<String> {
        let mut sent = Vec::new();
        loop {
            self.visit(ms, 0);
            if self.backlog.is_empty() {
                return sent;
            }
            while let Some(outgoing) = self.backlog.pop(true) {
                sent.push(text(outgoing));
            }
        }
    }
}

fn name(pushed: &Pushed) -> &'static str {
    match pushed {
        Pushed::Queued => "queued",
        Pushed::Parked(_) => "parked",
        Pushed::Closed(_) => "closed",
    }
}

fn text(outgoing: Outgoing) -> String {
    match outgoing {
        Outgoing::Frame(frame) | Outgoing::Answer(frame) => String::from_utf8(frame).unwrap(),
        Outgoing::Shared(frame) | Outgoing::Held(frame) => {
            String::from_utf8(frame.to_vec()).unwrap()
        }
        Outgoing::Call(_) => "call".to_owned(),
        Outgoing::Relayed(_) | Outgoing::PeerGone(_) => "of a relay".to_owned(),
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Woken {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn the_queue_has_room_for_so_many_events() {
    let desk = Desk::new(3, 1_000);
    for _ in 0..3 {
        assert_eq!(desk.push("x", 1_000).0, "queued");
    }
    assert_eq!(desk.push("x", 1_000).0, "parked");
    assert_ne!(desk.try_push(b"x"), Tried::Queued);
}

#[test]
fn the_queue_has_room_for_so_many_bytes() {
    for (first, then) in [("123456789", "queued"), ("1234567890", "parked")] {
        let desk = Desk::new(100, 10);
        assert_eq!(desk.push(first, 1_000).0, "queued");
        assert_eq!(desk.push("x", 1_000).0, then);
    }
}

#[test]
fn what_the_driver_took_and_what_waits_to_be_written_counts() {
    let mut desk = Desk::new(2, 100);
    desk.push("a", 1_000);
    desk.push("b", 1_000);
    desk.visit(0, 0);
    assert_eq!(desk.push("c", 1_000).0, "parked");
    assert_ne!(desk.try_push(b"x"), Tried::Queued);

    let mut desk = Desk::new(2, 100);
    desk.visit(0, 99);
    assert_eq!(desk.push("a", 1_000).0, "queued");
    let mut desk = Desk::new(2, 100);
    desk.visit(0, 100);
    assert_eq!(desk.push("a", 1_000).0, "parked");
    desk.visit(0, 99);
    assert_eq!(desk.drain(0), ["a"]);
}

#[test]
fn everything_leaves_in_the_order_of_its_push() {
    let mut desk = Desk::new(2, 1_000);
    let pushed: Vec<_> = (0..7).map(|n| desk.push(&n.to_string(), 1_000)).collect();
    assert_eq!(pushed.iter().filter(|(how, _)| *how == "queued").count(), 2);
    assert_eq!(desk.drain(0), ["0", "1", "2", "3", "4", "5", "6"]);
    for (how, waiter) in pushed {
        let ends: &[&str] = if how == "parked" { &["done null"] } else { &[] };
        assert_eq!(waiter.ends(), ends);
    }
}

#[test]
fn a_late_push_does_not_overtake_a_parked_one() {
    let mut desk = Desk::new(2, 1_000);
    for n in 0..3 {
        desk.push(&n.to_string(), 1_000);
    }
    desk.visit(0, 0);
    let _ = desk.backlog.pop(true);
    let _ = desk.backlog.pop(true);
    // There is room now, and yet "2" was first.
    assert_eq!(desk.push("3", 1_000).0, "parked");
    assert_ne!(desk.try_push(b"4"), Tried::Queued);
    assert_eq!(desk.drain(0), ["2", "3"]);
}

#[test]
fn a_parked_command_gives_up_at_its_deadline_and_not_a_millisecond_before() {
    let mut desk = Desk::new(1, 1_000);
    desk.push("a", 1_000);
    desk.visit(0, 0);
    let (_, frame) = desk.push("b", 100);
    let (_, call) = desk.push_call(200);
    desk.visit(0, 0);
    assert_eq!(desk.until, Some(desk.at(100)));
    desk.visit(99, 0);
    assert!(frame.ends().is_empty());
    desk.visit(100, 0);
    assert_eq!(frame.ends(), ["not sent in time"]);
    assert_eq!(desk.until, Some(desk.at(200)));
    desk.visit(199, 0);
    assert!(call.ends().is_empty());
    desk.visit(200, 0);
    assert_eq!(call.ends(), ["not sent in time"]);
    assert_eq!(desk.until, None);
    assert_eq!(desk.backlog.pop(true).map(text).as_deref(), Some("a"));
    assert_eq!(desk.drain(200), [""; 0]);
    assert_eq!((frame.ends().len(), call.ends().len()), (1, 1));
}

#[test]
fn a_call_that_was_parked_keeps_its_deadline() {
    let mut desk = Desk::new(1, 1_000);
    desk.push("a", 1_000);
    desk.visit(0, 0);
    let (_, waiter) = desk.push_call(100);
    desk.visit(10, 0);
    let _ = desk.backlog.pop(true);
    desk.visit(60, 0);
    let Some(Outgoing::Call(call)) = desk.backlog.pop(true) else {
        panic!("the call has room")
    };
    assert_eq!(call.deadline, Some(desk.at(110)));
    let mut end = End::client();
    end.start = desk.start;
    end.clock(60);
    end.connection.send_call(end.now, call);
    end.pass_time(109);
    assert!(waiter.ends().is_empty());
    end.pass_time(110);
    assert_eq!(waiter.ends(), ["timed out"]);
}

#[test]
fn a_parked_command_that_is_dropped_leaves_the_queue() {
    let mut desk = Desk::new(1, 1_000);
    desk.push("a", 1_000);
    let dropped = Probe::new();
    let waiter = Arc::clone(&dropped);
    let timeout = Duration::from_secs(1);
    let pushed = desk
        .outbox
        .push(Outgoing::Frame("b".into()), timeout, move || waiter);
    let Pushed::Parked(ticket) = pushed else {
        panic!("there is room for one")
    };
    let (_, kept) = desk.push("c", 1_000);
    desk.outbox.abandon(Some(ticket));
    assert_eq!(desk.drain(0), ["a", "c"]);
    assert!(dropped.ends().is_empty());
    assert!(
        !desk
            .outbox
            .visit(&mut desk.backlog, 0, desk.start)
            .abandoned
    );
    assert_eq!(kept.ends(), ["done null"]);
}

#[test]
fn calls_without_a_place_let_frames_pass_and_keep_their_order() {
    let mut desk = Desk::new(10, 1_000);
    let (_, first) = desk.push_call(1_000);
    desk.push("a", 1_000);
    let (_, second) = desk.push_call(500);
    desk.push("b", 1_000);
    desk.visit(0, 0);
    desk.backlog.push_answer(b"answer".to_vec());
    assert_eq!(desk.backlog.answer_bytes(), 6);
    let sent: Vec<_> = std::iter::from_fn(|| desk.backlog.pop(false).map(text)).collect();
    assert_eq!(sent, ["a", "b", "answer"]);
    assert_eq!(desk.backlog.answer_bytes(), 0);
    assert!(!desk.backlog.has_frames());
    desk.visit(500, 0);
    assert_eq!(second.ends(), ["not sent in time"]);
    assert!(matches!(desk.backlog.pop(true), Some(Outgoing::Call(_))));
    assert!(desk.backlog.is_empty());
    assert!(first.ends().is_empty());
}

#[test]
fn a_dropped_call_in_flight_is_told_to_the_driver_once() {
    let mut desk = Desk::new(1, 1_000);
    desk.outbox.abandon(None);
    let now = desk.start;
    assert!(desk.outbox.visit(&mut desk.backlog, 0, now).abandoned);
    assert!(!desk.outbox.visit(&mut desk.backlog, 0, now).abandoned);
}

#[test]
fn the_end_fails_everything_in_the_queue_and_everything_after() {
    let mut desk = Desk::new(2, 1_000);
    let (_, taken) = desk.push_call(1_000);
    desk.visit(0, 0);
    let (_, ready) = desk.push_call(1_000);
    let (_, parked) = desk.push_call(1_000);
    let (_, parked_frame) = desk.push("x", 1_000);
    let backlog = std::mem::take(&mut desk.backlog);
    desk.outbox.end(&CloseReason::PeerClosed, backlog);
    for waiter in [taken, ready, parked, parked_frame] {
        assert_eq!(waiter.ends(), ["not sent: closed by the other end"]);
    }
    desk.outbox.end(&CloseReason::Closed, Backlog::default());
    assert_eq!(desk.outbox.close_reason(), Some(CloseReason::PeerClosed));
    let waiter = Probe::new();
    let kept = Arc::clone(&waiter);
    let pushed = desk
        .outbox
        .push(Outgoing::Frame(vec![]), Duration::MAX, move || kept);
    assert!(matches!(pushed, Pushed::Closed(CloseReason::PeerClosed)));
    assert_ne!(desk.try_push(b""), Tried::Queued);
}

#[test]
fn nothing_new_enters_a_queue_that_closes_and_what_is_in_it_leaves() {
    let mut desk = Desk::new(1, 1_000);
    desk.push("a", 1_000);
    let (_, parked) = desk.push("b", 1_000);
    desk.outbox.close(Closing::Flush);
    assert_eq!(desk.push("c", 1_000).0, "closed");
    assert_ne!(desk.try_push(b""), Tried::Queued);
    assert_eq!(desk.drain(0), ["a", "b"]);
    assert_eq!(parked.ends(), ["done null"]);
}

#[test]
fn the_strictest_wish_to_close_wins() {
    let mut desk = Desk::new(1, 1_000);
    let now = desk.start;
    for (wish, wins) in [
        (Closing::Drain, Closing::Drain),
        (Closing::Flush, Closing::Flush),
        (Closing::Drain, Closing::Flush),
    ] {
        desk.outbox.close(wish);
        let visit = desk.outbox.visit(&mut desk.backlog, 0, now);
        assert_eq!(visit.closing, Some(wins));
    }
}

#[test]
fn the_driver_is_woken_once_for_all_that_is_pushed_while_it_waits() {
    let mut desk = Desk::new(10, 1_000);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    desk.visit(0, 0);
    assert!(desk.outbox.wait(&waker));
    for _ in 0..5 {
        desk.push("x", 1_000);
    }
    assert_eq!(woken.count(), 1);
    assert_eq!(desk.drain(0).len(), 5);
    assert!(desk.outbox.wait(&waker));
    desk.outbox.close(Closing::Flush);
    assert_eq!(woken.count(), 2);
}

#[test]
fn the_driver_does_not_wait_where_something_came_since_its_visit() {
    let waker = Waker::noop();
    let came: [fn(&Desk); 4] = [
        |desk| drop(desk.push("x", 1_000)),
        |desk| drop(desk.push_call(1_000)),
        |desk| desk.outbox.close(Closing::Flush),
        |desk| desk.outbox.abandon(None),
    ];
    for (number, come) in came.into_iter().enumerate() {
        let mut desk = Desk::new(10, 1_000);
        desk.visit(0, 0);
        come(&desk);
        assert!(!desk.outbox.wait(waker), "{number}");
    }
}

/// Else nobody would set its deadline, or notice that its room is there already.
#[test]
fn the_driver_does_not_wait_where_a_command_was_parked_since_its_visit() {
    let waker = Waker::noop();
    // What waits to be written at the visit is written after it.
    let mut desk = Desk::new(10, 100);
    desk.visit(0, 100);
    let (how, waiter) = desk.push("x", 1_000);
    assert_eq!(how, "parked");
    assert!(!desk.outbox.wait(waker));
    assert_eq!(desk.drain(0), ["x"]);
    assert_eq!(waiter.ends(), ["done null"]);
    // The driver holds all that there is room for, and cannot send it.
    let mut desk = Desk::new(1, 100);
    desk.push("a", 1_000);
    desk.visit(0, 0);
    let (how, waiter) = desk.push("b", 100);
    assert_eq!(how, "parked");
    assert!(!desk.outbox.wait(waker));
    desk.visit(0, 0);
    assert_eq!(desk.until, Some(desk.at(100)));
    assert!(desk.outbox.wait(waker));
    desk.visit(100, 0);
    assert_eq!(waiter.ends(), ["not sent in time"]);
}

#[test]
fn all_who_watch_for_the_end_are_woken() {
    let desk = Desk::new(1, 1_000);
    let watchers: Vec<_> = (0..3).map(|_| Arc::new(Woken::default())).collect();
    let mut closed: Vec<_> = watchers
        .iter()
        .map(|_| Box::pin(desk.outbox.closed()))
        .collect();
    for (watcher, closed) in watchers.iter().zip(&mut closed) {
        let waker = Waker::from(Arc::clone(watcher));
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(closed.as_mut().poll(&mut cx).is_pending());
    }
    desk.outbox.end(&CloseReason::Closed, Backlog::default());
    assert!(watchers.iter().all(|watcher| watcher.count() == 1));
    let mut late = Box::pin(desk.outbox.closed());
    let mut cx = std::task::Context::from_waker(Waker::noop());
    assert_eq!(
        late.as_mut().poll(&mut cx),
        Poll::Ready(CloseReason::Closed)
    );
}

/// A program may watch beside each of its calls, for as long as the link lives.
#[test]
fn who_no_longer_watches_is_forgotten() {
    let desk = Desk::new(1, 1_000);
    let woken = Arc::new(Woken::default());
    for _ in 0..1_000 {
        let waker = Waker::from(Arc::new(Woken::default()));
        let mut closed = Box::pin(desk.outbox.closed());
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(closed.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(desk.outbox.watchers(), 0);
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = std::task::Context::from_waker(&waker);
    let mut closed = Box::pin(desk.outbox.closed());
    for _ in 0..3 {
        assert!(closed.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(desk.outbox.watchers(), 1);
    desk.outbox.end(&CloseReason::Closed, Backlog::default());
    assert_eq!(woken.count(), 1);
    assert!(closed.as_mut().poll(&mut cx).is_ready());
}
