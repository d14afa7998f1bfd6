//! Frames that are alone in the queue: taken and written in a short visit, within the same limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::*;
use crate::connection::{Backlog, Closing, Outbox, Outgoing, Pushed, Share, Tried};
use crate::ids::ConnectionId;

const ENOUGH: usize = 1_000;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn outbox(max_events: usize) -> Outbox {
    Outbox::new(&limits(max_events, ENOUGH))
}

fn push(outbox: &Outbox, outgoing: Outgoing) -> Pushed {
    outbox.push(outgoing, Duration::from_secs(1), || Probe::new())
}

fn share(outbox: &Outbox, frame: &'static str) -> Tried {
    let shared = Outgoing::Shared(frame.as_bytes().into());
    outbox.try_push(shared, Share::Whole)
}

/// What a short visit takes; none where there has to be a whole one.
fn taken(outbox: &Outbox) -> Option<Vec<String>> {
    let frames = outbox.take_frames(ENOUGH)?;
    let text = |frame: &[u8]| String::from_utf8(frame.to_vec()).unwrap();
    Some(frames.iter().map(|frame| text(frame)).collect())
}

/// How many commands a whole visit takes.
fn visit(outbox: &Outbox) -> usize {
    let mut backlog = Backlog::default();
    outbox.visit(&mut backlog, 0, Instant::now());
    std::iter::from_fn(|| backlog.pop(true)).count()
}

#[test]
fn frames_alone_are_taken_in_their_order() {
    let outbox = outbox(10);
    assert_eq!(taken(&outbox), Some(vec![]));
    share(&outbox, "a");
    push(&outbox, Outgoing::Frame("b".into()));
    share(&outbox, "c");
    assert_eq!(
        taken(&outbox),
        Some(vec!["a".into(), "b".into(), "c".into()])
    );
    assert_eq!(taken(&outbox), Some(vec![]));
}

#[test]
fn with_anything_else_nothing_is_taken_and_the_order_stays() {
    let others = || {
        [
            Outgoing::Held(b"held".as_slice().into()),
            Outgoing::Call(call(&Probe::new(), Expects::Response, 1_000)),
            Outgoing::PeerGone(ConnectionId(7)),
        ]
    };
    for other in others() {
        let outbox = outbox(10);
        share(&outbox, "a");
        push(&outbox, other);
        share(&outbox, "b");
        assert_eq!(taken(&outbox), None);
        let mut backlog = Backlog::default();
        outbox.visit(&mut backlog, 0, Instant::now());
        let is_frame = |outgoing| matches!(outgoing, Outgoing::Shared(_));
        let order: Vec<_> = std::iter::from_fn(|| backlog.pop(true))
            .map(is_frame)
            .collect();
        assert_eq!(order, [true, false, true]);
        share(&outbox, "c");
        assert_eq!(taken(&outbox), Some(vec!["c".into()]));
    }
}

#[test]
fn what_is_asked_of_the_driver_takes_a_whole_visit() {
    let asks: [fn(&Outbox); 4] = [
        Outbox::call,
        |outbox| outbox.abandon(None),
        |outbox| outbox.close(Closing::Drain),
        |outbox| assert_eq!(share(outbox, "no room"), Tried::Full),
    ];
    for ask in asks {
        let outbox = outbox(1);
        share(&outbox, "a");
        ask(&outbox);
        assert_eq!(taken(&outbox), None);
        assert_eq!(visit(&outbox), 1);
        assert_eq!(taken(&outbox), Some(vec![]));
    }
    let outbox = outbox(1);
    share(&outbox, "a");
    let parked = push(&outbox, Outgoing::Frame("b".into()));
    assert!(matches!(parked, Pushed::Parked(_)));
    assert_eq!(taken(&outbox), None);
}

#[test]
fn frames_of_more_bytes_than_may_be_sent_take_a_whole_visit() {
    let outbox = outbox(10);
    share(&outbox, "abc");
    assert!(outbox.take_frames(2).is_none());
    assert_eq!(outbox.take_frames(3).map(|frames| frames.len()), Some(1));
}

#[test]
fn bytes_that_were_taken_count_until_they_are_written() {
    let outbox = Outbox::new(&limits(10, 4));
    share(&outbox, "abcd");
    let frames = outbox.take_frames(ENOUGH).unwrap();
    assert_eq!(share(&outbox, "e"), Tried::Full);
    assert!(outbox.wait_after(frames, Waker::noop()));
    assert_eq!(share(&outbox, "e"), Tried::Queued);
    // The driver may have to tell that something was dropped.
    assert_eq!(taken(&outbox), None);
    assert_eq!(visit(&outbox), 1);
}

#[test]
fn what_comes_during_a_short_visit_keeps_the_driver_from_resting() {
    let outbox = outbox(10);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    share(&outbox, "a");
    let frames = outbox.take_frames(ENOUGH).unwrap();
    share(&outbox, "b");
    assert!(!outbox.wait_after(frames, &waker));
    let frames = outbox.take_frames(ENOUGH).unwrap();
    assert_eq!(frames.len(), 1);
    assert!(outbox.wait_after(frames, &waker));
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    share(&outbox, "c");
    share(&outbox, "d");
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
}

#[test]
fn lines_are_sent_and_counted_as_frames_are() {
    let mut end = End::server();
    let frames = [pass("1"), pass("2")];
    let lines = || frames.iter().map(String::as_bytes);
    end.connection.send_lines(lines());
    assert_eq!(end.connection.core.sent_frames(), 2);
    assert_eq!(end.written(), frames.concat());
    // Behind others they keep their place.
    end.connection.send_frame(pass("0").as_bytes());
    end.connection.send_lines(lines());
    assert_eq!(end.connection.core.sent_frames(), 5);
    assert_eq!(end.written(), [pass("0"), frames.concat()].concat());
}
