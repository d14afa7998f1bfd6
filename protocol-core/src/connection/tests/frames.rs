//! Frames that arrive: how long they may be, how long they may take, and when nothing is taken.

use super::*;
use crate::error::CloseReason;

const FRAME_TIMEOUT: u64 = 10_000;

/// A pass of exactly `size` bytes.
fn pass_of(size: usize) -> String {
    let empty = pass("\"\"").len() - 1;
    let line = pass(&format!("\"{}\"", "x".repeat(size - empty)));
    assert_eq!(line.len(), size + 1);
    line.trim_end().to_owned()
}

#[test]
fn a_frame_at_the_limit_is_taken_and_one_byte_more_ends_the_link() {
    for (role, limits) in [
        (Role::Server, Limits::server()),
        (Role::Client, Limits::client()),
    ] {
        for line_end in ["\n", "\r\n"] {
            let limit = limits.frame_in;
            let mut end = End::new(role, limits.clone());
            end.feed(pass_of(limit) + line_end);
            assert!(end.next().is_some(), "{limit} and {line_end:?}");
            end.feed(pass_of(limit + 1) + line_end);
            assert!(end.next().is_none());
            assert_eq!(last_word(&end.written()), "too_large");
            assert!(end.connection.wants_shutdown());
        }
    }
}

#[test]
fn a_frame_over_the_limit_is_refused_before_its_line_end_arrives() {
    let mut end = End::server_with(|limits| limits.frame_in = 100);
    end.feed(&pass_of(200)[..101]);
    assert!(end.next().is_none());
    assert_eq!(last_word(&end.written()), "too_large");

    let mut end = End::server_with(|limits| limits.frame_in = 100);
    let line = pass_of(100);
    for byte in line.as_bytes() {
        end.feed([*byte]);
        assert!(end.next().is_none());
    }
    // It may still be the first half of the line end.
    end.feed("\r");
    assert!(end.next().is_none());
    assert_eq!(end.written(), "");
    end.feed("\n");
    assert!(end.next().is_some());
}

#[test]
fn a_frame_over_the_limit_is_refused_while_a_handler_works_too() {
    let mut end = End::server_with(|limits| limits.frame_in = 100);
    let _call = end.call(Expects::Response, 1_000);
    end.feed(&pass_of(200)[..101]);
    end.set_aside();
    assert_eq!(last_word(&end.written()), "too_large");
    assert!(end.connection.wants_shutdown());
}

#[test]
fn empty_lines_are_no_frames_and_fill_no_memory() {
    let mut end = End::server();
    for _ in 0..100 {
        end.feed("\n\r\n".repeat(10_000));
        assert!(end.next().is_none());
        assert!(end.connection.input.plain.is_empty());
    }
    assert_eq!(end.connection.next_deadline(), None);
    end.feed(pass("1"));
    assert_eq!(end.events(), ["1"]);
    assert_eq!(end.written(), "");
}

#[test]
fn an_unfinished_frame_ends_the_link_at_its_deadline() {
    for beginning in ["{", "\r", " ", "x"] {
        let mut end = End::server();
        end.clock(5);
        end.feed(beginning);
        assert!(end.next().is_none());
        let due = 5 + FRAME_TIMEOUT;
        assert_eq!(end.connection.next_deadline(), Some(end.at(due)));
        end.pass_time(due - 1);
        assert_eq!(end.written(), "");
        end.pass_time(due);
        assert_eq!(last_word(&end.written()), "timeout", "{beginning:?}");
        assert!(end.connection.wants_shutdown());
    }
}

#[test]
fn bytes_that_trickle_in_do_not_move_the_deadline_of_a_frame() {
    let mut end = End::server();
    let line = pass("1");
    for (at, byte) in (0..FRAME_TIMEOUT).step_by(1_000).zip(line.bytes()) {
        end.pass_time(at);
        end.feed([byte]);
        assert!(end.next().is_none());
    }
    end.pass_time(FRAME_TIMEOUT - 1);
    assert_eq!(end.written(), "");
    end.pass_time(FRAME_TIMEOUT);
    assert_eq!(last_word(&end.written()), "timeout");
}

#[test]
fn the_frame_deadline_stops_where_the_frame_ends() {
    let mut end = End::server();
    let line = pass("1");
    let (left, right) = line.split_at(9);
    end.feed(left);
    assert!(end.next().is_none());
    end.pass_time(FRAME_TIMEOUT - 1);
    end.feed(right);
    assert_eq!(end.events(), ["1"]);
    assert_eq!(end.connection.next_deadline(), None);
    end.pass_time(10 * FRAME_TIMEOUT);
    assert_eq!(end.written(), "");
}

/// A busy link may never be without a frame that has begun: each of them has its own time.
#[test]
fn each_frame_has_its_own_time_whatever_it_says() {
    let streams: [fn(&str) -> String; 5] = [
        |_| pass("1"),
        |id| response("1", id),
        |_| request("1", "7").replace("ask", "nothing"),
        |_| "{\"type\":\"later\",\"of\":\"another version\"}\n".to_owned(),
        |_| acknowledgement("nobody asked"),
    ];
    for (number, stream) in streams.into_iter().enumerate() {
        for handling in [false, true] {
            let mut end = End::server();
            let mut line = String::new();
            for round in 0..6 {
                // The rest of one frame and the beginning of the next one arrive together.
                end.clock(round * 5_000);
                let _call = end.call(Expects::Response, 60_000);
                let id = ids(&end.written()).remove(0);
                let next = stream(&id);
                let rest = line.split_off(line.len().min(12));
                end.feed(rest + &next[..12]);
                if handling {
                    end.set_aside();
                } else {
                    let _ = end.events();
                }
                let _ = end.written();
                end.connection.handle_timeout(end.now);
                assert_eq!(end.written(), "", "stream {number}, round {round}");
                line = next;
            }
        }
    }
}

#[test]
fn the_frame_deadline_rests_while_a_handler_works() {
    let mut end = End::server();
    end.feed(request("1", "7") + "{");
    let seen = end.next().unwrap();
    // The rest may wait in the socket: nothing is read until the handler is done.
    end.pass_time(10 * FRAME_TIMEOUT);
    assert_eq!(end.written(), "");
    end.answer(&seen, "2");
    assert!(end.next().is_none());
    let due = 11 * FRAME_TIMEOUT;
    assert_eq!(end.connection.next_deadline(), Some(end.at(due)));
    end.pass_time(due - 1);
    assert_eq!(end.written(), response("2", "7"));
    end.pass_time(due);
    assert_eq!(last_word(&end.written()), "timeout");
}

#[test]
fn the_frame_deadline_rests_while_nothing_is_read_since_the_output_is_full() {
    let mut end = End::server_with(|limits| limits.outbound_bytes = 100);
    let line = request("1", "7");
    end.feed(line.clone() + &line + &line[..9]);
    let seen = end.next().unwrap();
    end.answer(&seen, &"2".repeat(100));
    assert!(end.next().is_none());
    assert!(!end.connection.wants_read());
    end.pass_time(FRAME_TIMEOUT + 1);
    let _ = end.written();
    assert!(end.connection.wants_read());
    assert!(end.next().is_some());
    assert!(end.next().is_none());
    end.pass_time(2 * FRAME_TIMEOUT);
    assert_eq!(end.written(), "");
    end.feed(&line[9..]);
    assert!(end.next().is_some());
}

#[test]
fn a_frame_that_waits_for_room_in_the_output_is_not_late() {
    let mut end = End::server_with(|limits| limits.outbound_bytes = 100);
    let line = request("1", "7");
    end.feed(&line[..9]);
    assert!(end.next().is_none());
    end.connection.send_frame(&[b'x'; 100]);
    assert!(end.next().is_none());
    assert!(!end.connection.wants_read());
    end.pass_time(FRAME_TIMEOUT);
    assert!(!end.connection.wants_shutdown(), "its rest was not read");
    assert!(!end.written().contains("protocol_error"));
}

#[test]
fn an_unfinished_frame_at_the_end_of_input_is_no_late_one() {
    let mut end = End::server();
    end.feed(request("1", "7"));
    let seen = end.next().unwrap();
    end.connection.set_handling(1);
    end.feed("{");
    assert!(end.next().is_none());
    end.connection.input_ended();
    assert!(end.next().is_none());
    end.pass_time(FRAME_TIMEOUT);
    end.answer(&seen, "2");
    assert_eq!(end.written(), response("2", "7"));
    end.connection.set_handling(0);
    assert!(end.next().is_none());
    end.shut();
    assert!(end.connection.is_closed());
}

#[test]
fn a_write_that_gets_nowhere_ends_the_link_at_its_deadline() {
    let mut end = End::server();
    let call = end.call(Expects::Response, 60_000);
    end.connection.blocked(end.now);
    end.clock(5_000);
    end.connection.blocked(end.now);
    assert_eq!(end.connection.next_deadline(), Some(end.at(10_000)));
    end.pass_time(9_999);
    assert!(call.ends().is_empty());
    end.pass_time(10_000);
    assert_eq!(call.ends(), ["lost: the other end took nothing for 10s"]);
    assert_eq!(end.connection.next_deadline(), None);
    assert!(matches!(
        end.connection.close_reason(),
        Some(CloseReason::Stalled { .. })
    ));
    assert_eq!(end.written(), "");
    assert!(end.next().is_none());
    assert!(end.connection.is_closed());
}

#[test]
fn a_write_that_gets_one_byte_through_has_its_time_again() {
    let mut end = End::server();
    let call = end.call(Expects::Response, 60_000);
    for round in 1..5 {
        end.connection.blocked(end.now);
        end.pass_time(round * 9_999);
        assert!(!end.connection.output().is_empty());
        end.connection.written(1);
        assert!(call.ends().is_empty());
    }
    end.connection.blocked(end.now);
    end.pass_time(4 * 9_999 + 10_000);
    assert_eq!(call.ends().len(), 1);
}

#[test]
fn a_full_output_stops_events_and_room_resumes_them() {
    let mut end = End::server_with(|limits| limits.outbound_bytes = 200);
    end.feed(
        (0..9)
            .map(|n| request(&n.to_string(), "7"))
            .collect::<String>(),
    );
    let answer = "2".repeat(10);
    let size = response(&answer, "7").len();
    let fit = 200_usize.div_ceil(size);
    let mut handled = 0;
    for round in 1..=3 {
        while let Some(seen) = end.next() {
            assert_eq!(seen.data, handled.to_string());
            handled += 1;
            end.answer(&seen, &answer);
        }
        assert_eq!(handled, (round * fit).min(9));
        assert_eq!(
            end.connection.is_output_full(),
            end.connection.output_len() >= 200
        );
        assert_eq!(
            end.connection.wants_read(),
            !end.connection.is_output_full()
        );
        let _ = end.written();
        assert!(end.connection.wants_read());
    }
    assert_eq!(handled, 9);
}

#[test]
fn the_output_is_full_at_its_limit_and_not_one_byte_below() {
    let mut end = End::server_with(|limits| limits.outbound_bytes = 100);
    end.feed(pass("1") + &pass("2"));
    end.connection.send_frame(&[b'x'; 99]);
    assert!(!end.connection.is_output_full());
    assert!(end.next().is_some());
    end.connection.send_frame(b"x");
    assert!(end.connection.is_output_full());
    assert!(end.next().is_none());
    assert_eq!(end.connection.output().len(), 100);
    end.connection.written(1);
    assert!(!end.connection.is_output_full());
    assert!(end.next().is_some());
}

#[test]
fn answers_and_refusals_never_exceed_what_the_other_end_reads() {
    let limit = 1_000;
    for size in [0, 500, 999, 5_000] {
        let mut limits = Limits::client();
        limits.frame_out = limit;
        let mut end = End::new(Role::Client, limits);
        let big = "x".repeat(size);
        end.feed(request("1", "7"));
        let seen = end.next().unwrap();
        end.answer(&seen, &format!("\"{big}\""));
        let error = WireError {
            code: "full".into(),
            message: big.clone(),
            data: Some(wire::Json::from_value(&big).unwrap()),
        };
        end.connection.answer(&seen.exchange, Err(&error));
        end.feed("{\"type\":\"confirm_pass\",\"name\":\"note\",\"pass_id\":\"7\"}\n");
        let seen = end.next().unwrap();
        end.connection.answer(&seen.exchange, Err(&error));
        // A name that no event can have, long enough that its echo and the error exceed the limit.
        end.feed(request("1", "7").replace("ask", &big));
        assert!(end.next().is_none());
        let output = end.written();
        assert_eq!(output.lines().count(), 4, "each is answered");
        for line in output.lines() {
            assert!(line.len() <= limit, "{} bytes", line.len());
            assert!(wire::Frame::parse(line.as_bytes()).is_ok());
        }
    }
}
