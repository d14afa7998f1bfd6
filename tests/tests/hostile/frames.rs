//! Frames that end the link: one last word with the right code, then the end, for this peer only.

use std::time::{Duration, Instant};

use protocol_tests::run;

use crate::desk::attacked;
use crate::peer::{Peer, SECRET, add, pass};

/// A pass of exactly `size` bytes.
fn note_of(size: usize) -> String {
    let empty = pass("note", "{\"text\":\"\"}").len();
    let line = pass(
        "note",
        &format!("{{\"text\":\"{}\"}}", "x".repeat(size - empty)),
    );
    assert_eq!(line.len(), size);
    line
}

/// Malformed lines, all with the secret inside, and what they are refused with.
fn malformed() -> Vec<(Vec<u8>, &'static str)> {
    let s = SECRET;
    let deep = "[".repeat(65) + "\"" + s + "\"" + &"]".repeat(65);
    let texts = [
        (s.to_owned(), "bad_frame"),
        (format!("[\"{s}\"]"), "bad_frame"),
        (format!("\"{s}\""), "bad_frame"),
        (
            format!("{{\"type\":\"pass\",\"name\":\"note\",\"data\":\"{s}\""),
            "bad_frame",
        ),
        (
            format!("{{\"type\":\"pass\",\"name\":\"note\",\"data\":\"{s}\"}}}}"),
            "bad_frame",
        ),
        (
            format!("{{\"type\":\"pass\",\"name\":\"note\",}}{s}"),
            "bad_frame",
        ),
        (format!("{{'type':'pass','name':'{s}'}}"), "bad_frame"),
        (
            format!("{{\"type\":\"pass\",\"data\":\"{s}\"}}"),
            "bad_frame",
        ),
        (
            format!("{{\"type\":\"pass\",\"name\":[\"{s}\"]}}"),
            "bad_frame",
        ),
        (
            format!("{{\"type\":\"request\",\"name\":\"add\",\"data\":\"{s}\"}}"),
            "bad_frame",
        ),
        (
            format!("{{\"type\":\"request\",\"name\":\"add\",\"request_id\":7,\"data\":\"{s}\"}}"),
            "bad_frame",
        ),
        (
            format!(
                "{{\"type\":\"request\",\"name\":\"add\",\"request_id\":\"\",\"data\":\"{s}\"}}"
            ),
            "bad_frame",
        ),
        (
            format!(
                "{{\"type\":\"request\",\"name\":\"add\",\"request_id\":\"{}\"}}",
                s.repeat(4)
            ),
            "bad_frame",
        ),
        (format!("{{\"data\":\"{s}\"}}"), "bad_type"),
        (format!("{{\"type\":null,\"data\":\"{s}\"}}"), "bad_type"),
        (
            format!("{{\"type\":[\"{s}\"],\"name\":\"note\"}}"),
            "bad_type",
        ),
        (pass("note", &deep), "too_deep"),
        (pass("note", &"[".repeat(10_000)), "too_deep"),
        (pass("note", &format!("\"{s}\\ud800\"")), "bad_frame"),
        (pass("note", &format!("\"{s}\\udc00\\ud800\"")), "bad_frame"),
        (pass("note", &format!("\"{s}\\u00\"")), "bad_frame"),
        (pass("note", &format!("\"{s}\\x\"")), "bad_frame"),
        (pass("note", &format!("\"{s}\t\"")), "bad_frame"),
        (pass("note", &format!("01,\"{s}\":1")), "bad_frame"),
        (pass("note", &format!("NaN,\"{s}\":1")), "bad_frame"),
        (
            format!("{{\"type\":\"pass\",\"name\":\"{s}\",\"name\":\"note\"}}"),
            "bad_frame",
        ),
        (
            format!("{{\"type\":\"pass\",\"t\\u0079pe\":\"pass\",\"name\":\"{s}\"}}"),
            "bad_frame",
        ),
        (
            format!("{{\"type\":\"pass\",\"name\":\"note\",\"data\":1,\"\\u0064ata\":\"{s}\"}}"),
            "bad_frame",
        ),
        (
            format!("\u{feff}{}", pass("note", &format!("\"{s}\""))),
            "bad_frame",
        ),
        (format!("GET /{s} HTTP/1.1\r\nHost: {s}\r\n\r"), "bad_frame"),
    ];
    let mut lines: Vec<_> = texts.map(|(line, code)| (line.into_bytes(), code)).into();
    let good = pass("note", &format!("\"{s}?\""));
    for odd in [0, 0x80, 0xc0, 0xed, 0xf5, 0xff] {
        let mut line = good.clone().into_bytes();
        let at = line.iter().position(|byte| *byte == b'?').unwrap();
        line[at] = odd;
        lines.push((line, "bad_frame"));
    }
    // Overlong, a surrogate and a cut-off character in UTF-8.
    for odd in [&b"\xc0\xaf"[..], b"\xed\xa0\x80", b"\xe2\x82"] {
        let mut line = good.clone().into_bytes();
        let at = line.iter().position(|byte| *byte == b'?').unwrap();
        line.splice(at..=at, odd.iter().copied());
        lines.push((line, "bad_frame"));
    }
    let nul = good.replace('?', "\\u0000");
    lines.push((format!("\0{nul}").into_bytes(), "bad_frame"));
    lines.push((format!("{nul}\0").into_bytes(), "bad_frame"));
    lines
}

#[test]
fn a_malformed_line_gets_one_last_word_and_ends_its_own_link_only() {
    run(async {
        let attacked = attacked(|_| {}).await;
        let mut bystander = Peer::connect(attacked.server.address()).await;
        for (line, code) in malformed() {
            let shown = String::from_utf8_lossy(&line).into_owned();
            for before in ["", "\n", "\r\n"] {
                let mut peer = Peer::connect(attacked.server.address()).await;
                peer.is_served().await;
                peer.write(before).await;
                peer.write(&line).await;
                peer.write("\n").await;
                // What follows is discarded, good or bad.
                let _ = peer.try_write(add(1, 2, "late") + "\nx\n").await;
                assert_eq!(peer.last_word().await, code, "{shown}");
            }
            bystander.is_served().await;
        }
        attacked.serves_others().await;
    });
}

#[test]
fn after_the_last_word_what_arrives_is_discarded_until_the_linger_ends() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.linger = Duration::from_millis(300);
        })
        .await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let start = Instant::now();
        peer.write("x\n").await;
        assert_eq!(peer.last_word().await, "bad_frame");
        // Half-closed: this direction is still taken, nothing comes back, and nobody is reset.
        peer.write("y\n".repeat(100_000)).await;
        assert_eq!(attacked.server.connections(), 1);
        attacked.has_connections(0).await;
        assert!(start.elapsed() >= Duration::from_millis(300));
    });
}

#[test]
fn a_peer_that_closes_after_the_last_word_is_gone_at_once() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.linger = Duration::from_hours(1);
        })
        .await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        peer.write("x\n").await;
        assert_eq!(peer.last_word().await, "bad_frame");
        drop(peer);
        attacked.has_connections(0).await;
    });
}

#[test]
fn the_last_word_reaches_a_peer_that_is_still_writing() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.linger = Duration::from_secs(30);
        })
        .await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        peer.write("x\n").await;
        // Far more than the sockets hold: the server must take it for the peer to get to read.
        peer.write(vec![b'y'; 32 << 20]).await;
        assert_eq!(peer.last_word().await, "bad_frame");
    });
}

#[test]
fn a_frame_at_the_limit_is_handled_and_one_byte_more_is_too_large() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        for line_end in ["\n", "\r\n"] {
            let mut peer = Peer::connect(attacked.server.address()).await;
            peer.write(note_of(65_536) + line_end).await;
            let empty = pass("note", "{\"text\":\"\"}").len();
            let text = attacked.heard.recv().await.unwrap();
            assert_eq!(text.len(), 65_536 - empty);
            peer.is_served().await;
            peer.write(note_of(65_537) + line_end).await;
            assert_eq!(peer.last_word().await, "too_large");
        }
    });
}

#[test]
fn a_line_without_an_end_is_cut_off_at_the_limit() {
    run(async {
        let attacked = attacked(|_| {}).await;
        for byte in [b"x", b"{", b" ", b"\r", b"\""] {
            let mut peer = Peer::connect(attacked.server.address()).await;
            peer.write(byte.repeat(65_538)).await;
            assert_eq!(peer.last_word().await, "too_large", "{byte:?}");
        }
        attacked.serves_others().await;
    });
}

#[test]
fn an_unfinished_frame_is_given_up_after_its_time() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.frame_timeout = Duration::from_millis(200);
        })
        .await;
        let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
        for beginning in [&b"{"[..], b"{\"type\":\"pass\"", b" ", hello] {
            let start = Instant::now();
            let mut peer = Peer::connect(attacked.server.address()).await;
            peer.write(beginning).await;
            assert_eq!(peer.last_word().await, "timeout");
            assert!(start.elapsed() >= Duration::from_millis(200));
        }
        // Who says nothing at all has all the time.
        let mut silent = Peer::connect(attacked.server.address()).await;
        let mut slow = Peer::connect(attacked.server.address()).await;
        slow.write("{").await;
        assert_eq!(slow.last_word().await, "timeout");
        silent.is_served().await;
    });
}

#[test]
fn a_slow_loris_gets_no_more_time_than_others() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.frame_timeout = Duration::from_millis(400);
        })
        .await;
        let start = Instant::now();
        let mut peer = Peer::connect(attacked.server.address()).await;
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        for byte in note_of(60_000).bytes() {
            pace.tick().await;
            if attacked.server.connections() == 0 || !peer.try_write([byte]).await {
                break;
            }
        }
        assert!(start.elapsed() >= Duration::from_millis(400));
        attacked.has_connections(0).await;
        attacked.serves_others().await;
    });
}

#[test]
fn garbage_of_other_protocols_is_refused() {
    run(async {
        let attacked = attacked(|_| {}).await;
        let tls = b"\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03\x0a\x0b\x0c\x0d\x0e\x0f";
        for garbage in [
            &tls[..],
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"*1\r\n$4\r\nPING\r\n",
        ] {
            let mut peer = Peer::connect(attacked.server.address()).await;
            peer.write(garbage).await;
            assert_eq!(peer.last_word().await, "bad_frame", "{garbage:?}");
        }
        let mut peer = Peer::connect(attacked.server.address()).await;
        peer.write(b"\x01").await;
        assert_eq!(peer.last_word().await, "encryption_refused");
    });
}

#[test]
fn frames_that_come_byte_by_byte_are_frames() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let line = pass("note", "{\"text\":\"slowly é😀\"}") + "\r\n" + &add(1, 2, "a") + "\n";
        for byte in line.bytes() {
            peer.write([byte]).await;
            tokio::task::yield_now().await;
        }
        attacked.hears("slowly é😀").await;
        assert_eq!(peer.json().await["data"]["sum"], 3);
    });
}
