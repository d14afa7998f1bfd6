//! Connections without a name: little, not for long, and nobody is reached.

use std::time::Duration;

use protocol_core::{ServerLimits, StrangerLimits};
use protocol_tests::{Links, RECORD_OVERHEAD, Raw, Seen, both::run};

use crate::hall::{hall, soon};
use crate::lines::{by, confirm, is_served_next, pass, reads, refused, request, response};

/// With the bounds for strangers as they are by default.
fn wary(limits: &mut ServerLimits) {
    limits.connection.stranger = Some(StrangerLimits::default());
}

/// A note to the server that takes so many bytes without its line end.
fn note(bytes: usize) -> String {
    let empty = r#"{"type":"pass","name":"note","data":""}"#;
    let text = "x".repeat(bytes - empty.len());
    empty.replace("\"\"", &format!("\"{text}\""))
}

async fn is_cut_off(raw: &mut Raw, code: &str) {
    let word = soon(raw.json()).await;
    assert_eq!(word["name"], "protocol_error", "{word}");
    assert_eq!(word["data"]["code"], code, "{word}");
    assert_eq!(soon(raw.line()).await, None);
}

#[test]
fn a_strangers_frame_has_at_most_four_kibibytes() {
    run(|| async {
        let hall = hall(wary).await;
        let mut stranger = hall.stranger().await;
        stranger.send(&note(4_096)).await;
        is_served_next(&mut stranger).await;
        let mut stranger = hall.stranger().await;
        stranger.send(&note(4_097)).await;
        is_cut_off(&mut stranger, "too_large").await;
    });
}

#[test]
fn a_strangers_frame_is_refused_before_its_end() {
    run(|| async {
        let hall = hall(wary).await;
        let mut stranger = hall.stranger().await;
        stranger.write(&note(5_000).as_bytes()[..4_097]).await;
        is_cut_off(&mut stranger, "too_large").await;
    });
}

#[test]
fn a_stranger_sends_at_most_eight_kibibytes_in_all() {
    run(|| async {
        let hall = hall(wary).await;
        // 8,192 bytes with their line ends, the last of them an event that is answered. What two
        // records take counts too.
        let look = crate::lines::LOOK;
        let records = Links::of_this_test().choose(0, 2 * RECORD_OVERHEAD);
        for (last, taken) in [(0, true), (1, false)] {
            let mut stranger = hall.stranger().await;
            let rest = 8_192 - records - 4_097 - (look.len() + 1);
            let all = format!("{}\n{}\n", note(4_096), note(rest - 1 + last));
            stranger.write(all.as_bytes()).await;
            stranger.send(look).await;
            // What records take is counted once nothing whole is left to be handled.
            if taken || Links::of_this_test() == Links::Encrypted {
                assert_eq!(soon(stranger.json()).await["data"], true);
            }
            if taken {
                stranger.send("").await;
                stranger.send(look).await;
            }
            is_cut_off(&mut stranger, "too_large").await;
        }
    });
}

#[test]
fn a_stranger_that_sends_nothing_but_empty_lines_is_cut_off_too() {
    run(|| async {
        let hall = hall(wary).await;
        let mut stranger = hall.stranger().await;
        stranger.write("\n".repeat(8_193).as_bytes()).await;
        let word = tokio::time::timeout(Duration::from_secs(2), stranger.json()).await;
        let word = word.expect("well before its time is over");
        assert_eq!(word["data"]["code"], "too_large", "{word}");
    });
}

#[test]
fn who_enters_may_send_large_frames_in_the_same_write() {
    run(|| async {
        let hall = hall(wary).await;
        let mut bob = hall.enter("bob").await;
        let enter = r#"{"type":"request","name":"enter","data":{"name":"alice"},"request_id":"1"}"#;
        let large = pass("bob", &format!("\"{}\"", "x".repeat(60_000)));
        let lines = [
            enter,
            &large,
            &note(65_536),
            &large,
            &request("bob", "1", "7"),
        ];
        for ends_in_a_frame in [false, true] {
            let mut alice = hall.stranger().await;
            let mut all = lines.join("\n") + "\n";
            if ends_in_a_frame {
                all.push_str(&large[..50_000]);
            }
            alice.write(all.as_bytes()).await;
            assert_eq!(soon(alice.json()).await["data"], true);
            for line in [&large, &large, lines[4]] {
                reads(&mut bob, &by("alice", line)).await;
            }
            bob.send(&response("alice", "2", "7")).await;
            reads(&mut alice, &by("bob", &response("alice", "2", "7"))).await;
            if ends_in_a_frame {
                alice.send(&large[50_000..]).await;
                reads(&mut bob, &by("alice", &large)).await;
            }
            is_served_next(&mut alice).await;
            drop(alice);
            hall.has_connections(1).await;
        }
    });
}

/// A frame that was begun as a stranger may become as long as any.
#[test]
fn a_frame_may_grow_once_its_sender_has_entered() {
    run(|| async {
        let hall = hall(wary).await;
        let mut bob = hall.enter("bob").await;
        let mut alice = hall.stranger().await;
        let enter = r#"{"type":"request","name":"enter","data":{"name":"alice"},"request_id":"1"}"#;
        let large = pass("bob", &format!("\"{}\"", "x".repeat(60_000)));
        alice
            .write(format!("{enter}\n{}", &large[..4_096]).as_bytes())
            .await;
        assert_eq!(soon(alice.json()).await["data"], true);
        alice.send(&large[4_096..]).await;
        reads(&mut bob, &by("alice", &large)).await;
    });
}

#[test]
fn a_stranger_is_cut_off_when_its_time_is_over_and_those_with_a_name_stay() {
    run(|| async {
        let hall = hall(|limits| {
            let mut strangers = StrangerLimits::default();
            strangers.timeout = Duration::from_millis(200);
            limits.connection.stranger = Some(strangers);
        })
        .await;
        let mut alice = hall.enter("alice").await;
        let (mut silent, mut busy) = (hall.stranger().await, hall.stranger().await);
        let mut in_a_frame = hall.stranger().await;
        in_a_frame.write(b"{").await;
        busy.send(r#"{"type":"request","name":"rest","request_id":"1"}"#)
            .await;
        for stranger in [&mut silent, &mut busy, &mut in_a_frame] {
            is_cut_off(stranger, "timeout").await;
        }
        is_served_next(&mut alice).await;
        hall.go.add_permits(1);
    });
}

#[test]
fn strangers_reach_nobody() {
    run(|| async {
        let mut hall = hall(wary).await;
        let (mut stranger, mut bob) = (hall.stranger().await, hall.enter("bob").await);
        stranger.send(&request("bob", "1", "7")).await;
        refused(&mut stranger, "7", "not_logged_in").await;
        stranger.send(&confirm("nobody", "1", "8")).await;
        refused(&mut stranger, "8", "not_logged_in").await;
        stranger.send(&pass("bob", "1")).await;
        let not_logged_in = Seen::refused("wave", "not_logged_in");
        assert_eq!(soon(hall.notices.next()).await, not_logged_in);
        stranger.send(&response("bob", "1", "7")).await;
        assert_eq!(soon(hall.notices.next()).await, Seen::AnswerIgnored);
        is_served_next(&mut stranger).await;
        is_served_next(&mut bob).await;
    });
}
