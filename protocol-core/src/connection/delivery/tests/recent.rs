//! Confirmed passes without numbers.

use super::super::{Recent, Seen};
use super::*;
use crate::connection::incoming::ShortText;

fn judge(recent: &mut Recent, now: Instant, id: usize) -> &'static str {
    match recent.judge(now, None, ShortText::new(&id.to_string())) {
        Seen::New => "new",
        Seen::Running => "running",
        Seen::Ended(Ok(())) => "ok",
        Seen::Ended(Err(_)) => "refused",
    }
}

fn end(recent: &mut Recent, id: usize, result: Result<(), &WireError>) {
    recent.ended(None, ShortText::new(&id.to_string()), result);
}

#[test]
fn a_pass_that_comes_again_is_not_run_again() {
    let (mut recent, now) = (Recent::new(&DeliveryLimits::default()), Instant::now());
    assert_eq!(judge(&mut recent, now, 1), "new");
    assert_eq!(judge(&mut recent, now, 1), "running");
    end(&mut recent, 1, Ok(()));
    assert_eq!(judge(&mut recent, now, 1), "ok");
    assert_eq!(judge(&mut recent, now, 2), "new");
    end(&mut recent, 2, Err(&unwanted()));
    assert_eq!(judge(&mut recent, now, 2), "refused");
    let theirs = recent.judge(now, Some(&peer("bob")), ShortText::new("1"));
    assert!(matches!(theirs, Seen::New), "another's ids are others");
}

#[test]
fn the_last_1024_are_remembered_however_often_they_come() {
    let (mut recent, now) = (Recent::new(&DeliveryLimits::default()), Instant::now());
    for id in 0..1_024 {
        assert_eq!(judge(&mut recent, now, id), "new");
    }
    for id in 0..1_024 {
        assert_eq!(judge(&mut recent, now, id), "running");
    }
    assert_eq!(judge(&mut recent, now, 1_024), "new");
    assert_eq!(judge(&mut recent, now, 1), "running");
    assert_eq!(judge(&mut recent, now, 0), "new");
}

#[test]
fn they_are_remembered_for_2_minutes() {
    let (mut recent, now) = (Recent::new(&DeliveryLimits::default()), Instant::now());
    let minutes = Duration::from_mins(2);
    assert_eq!(judge(&mut recent, now, 1), "new");
    assert_eq!(judge(&mut recent, now + just_before(minutes), 1), "running");
    assert_eq!(judge(&mut recent, now + minutes, 1), "new");
}

#[test]
fn what_was_put_back_is_new_for_as_long_as_any_other() {
    let limits = DeliveryLimits {
        recent_ids: 2,
        ..DeliveryLimits::default()
    };
    let (mut recent, now) = (Recent::new(&limits), Instant::now());
    judge(&mut recent, now, 1);
    judge(&mut recent, now, 2);
    recent.put_back(None, ShortText::new("1"));
    assert_eq!(judge(&mut recent, now, 1), "new");
    assert_eq!(judge(&mut recent, now, 3), "new");
    assert_eq!(judge(&mut recent, now, 1), "running");
    let limits = DeliveryLimits {
        recent_ids: 0,
        ..limits
    };
    let mut recent = Recent::new(&limits);
    judge(&mut recent, now, 1);
    assert_eq!(judge(&mut recent, now, 1), "new", "nothing is remembered");
}
