//! A peer that reads nothing for too long loses its link, and not its session.

use std::time::Duration;

use protocol_core::Limits;
use protocol_core::metrics::{
    LINKS_SILENT, LINKS_STALLED, SESSIONS_EXPIRED, SESSIONS_RESUMED, SESSIONS_SUSPENDED,
};
use protocol_tests::{meter, run_paused};
use serde_json::json;
use tokio::time::advance;

use crate::meeting::{GRACE_MS, open, room_of, settle, wave};

/// The shortest time that timers tell apart.
const TICK: Duration = Duration::from_millis(1);

const STALL: Duration = Duration::from_secs(10);

const ALMOST: Duration = Duration::from_millis(9_999);

#[test]
fn after_10_s_without_a_write_the_session_is_suspended_and_can_be_resumed() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|_| {}).await;
        assert_eq!(Limits::server().write_stall, STALL);
        let mut alice = place.peer("alice").await;
        let (mut carol, token) = place.carol().await;
        let room = room_of(&mut [&mut alice, &mut carol]).await;
        settle(&mut carol).await;
        let received = carol.frames();
        wave(&mut alice, &room, 1).await;
        advance(ALMOST).await;
        assert!(settle(&mut alice).await.is_empty());
        assert_eq!(meter.count(LINKS_STALLED), 0);
        advance(2 * TICK).await;
        let news = settle(&mut alice).await;
        assert_eq!(news[0]["name"], "player_updated", "{news:?}");
        assert_eq!(news[0]["data"]["status"], "reconnecting", "{news:?}");
        assert_eq!(meter.count(LINKS_STALLED), 1);
        assert_eq!(meter.count_of(SESSIONS_SUSPENDED, "server"), 1);
        assert_eq!(place.rendezvous.sessions(), 2);
        // The link is gone, in the middle of what she did not read.
        carol.ends().await;
        let (mut carol, answer) = place.resume(&token, received).await;
        assert_eq!(answer["data"]["resumed"], true, "{answer}");
        assert_eq!(meter.count_of(SESSIONS_RESUMED, "server"), 1);
        let news = settle(&mut alice).await;
        assert_eq!(news[0]["data"]["status"], "online", "{news:?}");
        settle(&mut carol).await;
        let ping = carol.ask("leave_room", json!({"room": room[1..]})).await;
        assert!(ping["error"].is_null(), "{ping}");
    });
}

#[test]
fn one_that_comes_back_too_late_has_left() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|_| {}).await;
        let mut alice = place.peer("alice").await;
        let (mut carol, token) = place.carol().await;
        let room = room_of(&mut [&mut alice, &mut carol]).await;
        settle(&mut carol).await;
        wave(&mut alice, &room, 1).await;
        advance(STALL + TICK).await;
        assert_eq!(settle(&mut alice).await.len(), 1);
        advance(Duration::from_millis(GRACE_MS - 2)).await;
        assert!(settle(&mut alice).await.is_empty());
        assert_eq!(meter.count(SESSIONS_EXPIRED), 0);
        advance(4 * TICK).await;
        let news = settle(&mut alice).await;
        assert_eq!(news[0]["name"], "player_left", "{news:?}");
        assert_eq!(news[0]["data"]["reason"], "grace_expired", "{news:?}");
        assert_eq!(meter.count_of(SESSIONS_EXPIRED, "server"), 1);
        let (_, answer) = place.resume(&token, carol.frames()).await;
        assert_eq!(answer["error"]["code"], "resume_failed", "{answer}");
    });
}

#[test]
fn one_that_reads_in_time_keeps_its_link() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|_| {}).await;
        let mut alice = place.peer("alice").await;
        let (mut carol, _) = place.carol().await;
        for _ in 0..5 {
            wave(&mut alice, "carol", 1).await;
            advance(ALMOST).await;
            assert_eq!(settle(&mut carol).await.len(), 1);
        }
        assert_eq!(meter.count(LINKS_STALLED), 0);
        assert_eq!(meter.count(SESSIONS_SUSPENDED), 0);
    });
}

#[test]
fn one_that_has_pinged_is_gone_after_45_s_of_silence_and_one_that_never_has_is_not() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|_| {}).await;
        let mut alice = place.peer("alice").await;
        let mut bob = place.peer("bob").await;
        settle(&mut alice).await;
        advance(Duration::from_millis(44_999)).await;
        settle(&mut alice).await;
        assert_eq!(meter.count(LINKS_SILENT), 0);
        advance(Duration::from_millis(45_001)).await;
        alice.ends().await;
        assert_eq!(meter.count(LINKS_SILENT), 1);
        assert_eq!(place.rendezvous.sessions(), 1);
        settle(&mut bob).await;
    });
}
