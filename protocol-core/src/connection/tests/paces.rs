//! Peers that are faster than they may be: how much goes through at once, and what then waits for
//! how long.

use super::*;
use crate::connection::RateLimits;

fn paced(events_per_second: u32, bytes_per_second: u32) -> End {
    End::server_with(|limits| {
        limits.rate_in = Some(RateLimits {
            events_per_second,
            bytes_per_second,
            deliveries_per_second: 0,
        });
    })
}

impl End {
    /// Takes all that may be taken now, and says how much that was.
    fn taken(&mut self) -> usize {
        self.events().len()
    }

    /// Lets the next pause end, and says when that was, in microseconds since the start.
    fn resumes(&mut self) -> u128 {
        assert!(self.connection.is_paused());
        let due = self.connection.next_deadline().expect("a pause has an end");
        let before = due.checked_sub(Duration::from_nanos(1)).expect("a time");
        self.connection.handle_timeout(before);
        assert!(self.connection.is_paused(), "it ends no earlier");
        self.now = due;
        self.connection.handle_timeout(due);
        assert!(!self.connection.is_paused());
        (due - self.start).as_micros()
    }
}

#[test]
fn a_burst_of_two_seconds_goes_through_and_then_one_at_a_time() {
    let mut end = paced(500, 0);
    end.feed(pass("1").repeat(1_010));
    // The first beyond the burst is taken too, and its time is waited for behind it.
    assert_eq!(end.taken(), 1_001);
    for n in 1..10 {
        assert!(!end.connection.wants_read());
        assert_eq!(end.taken(), 0);
        assert_eq!(end.resumes(), n * 2_000);
        assert!(end.connection.wants_read());
        // What has arrived is there without a further byte.
        assert_eq!(end.taken(), 1);
    }
    assert!(end.connection.is_paused());
    assert_eq!(end.resumes(), 20_000);
    assert_eq!(end.taken(), 0);
    assert_eq!(end.connection.next_deadline(), None);
    assert_eq!(end.written(), "", "nobody is refused");
}

#[test]
fn exactly_the_burst_is_no_pause() {
    let mut end = paced(500, 0);
    end.feed(pass("1").repeat(1_000));
    assert_eq!(end.taken(), 1_000);
    assert!(!end.connection.is_paused());
    assert_eq!(end.connection.next_deadline(), None);
    end.feed(pass("1"));
    assert_eq!(end.taken(), 1);
    assert!(end.connection.is_paused());
}

#[test]
fn what_is_not_used_is_kept_for_two_seconds_and_no_longer() {
    let mut end = paced(100, 0);
    end.feed(pass("1").repeat(10_000));
    assert_eq!(end.taken(), 201);
    for (later, kept) in [(1_000, 100), (2_000, 200), (60_000, 201), (3_600_000, 201)] {
        // Until the pause is over and so much longer.
        let _ = end.resumes();
        end.now += Duration::from_millis(later);
        end.connection.handle_timeout(end.now);
        assert!(end.taken().abs_diff(kept) <= 1, "after {later} ms");
    }
}

#[test]
fn over_a_long_time_it_is_the_rate_and_the_burst() {
    for rate in [1, 3, 7, 500, 999, 10_000] {
        let mut end = paced(rate, 0);
        let mut taken = 0;
        let wanted = usize::try_from(rate).unwrap() * 12;
        end.feed(pass("1").repeat(wanted + 1));
        while taken < wanted {
            taken += end.taken();
            if taken < wanted {
                let _ = end.resumes();
            }
        }
        let took = (end.now - end.start).as_secs_f64();
        assert!(
            (took - 10.0).abs() <= 0.02 + 1.0 / f64::from(rate),
            "{rate}: {took}"
        );
    }
}

#[test]
fn bytes_have_a_rate_of_their_own_with_their_line_ends() {
    let line = pass("1").replace('\n', "\r\n");
    let rate = u32::try_from(line.len()).unwrap();
    let mut end = paced(0, rate);
    end.feed(line.repeat(10));
    assert_eq!(end.taken(), 3, "two seconds' worth, and the one beyond");
    let paused = end.resumes();
    assert!(paused.abs_diff(1_000_000) < 10, "{paused}");
    assert_eq!(end.taken(), 1);
}

#[test]
fn the_slower_of_both_rates_counts() {
    let line = pass("1");
    let bytes = u32::try_from(line.len()).unwrap();
    for (events, bytes, taken) in [(1, 100 * bytes, 3), (100, bytes, 3), (2, bytes, 3)] {
        let mut end = paced(events, bytes);
        end.feed(line.repeat(10));
        assert_eq!(end.taken(), taken);
        assert!(end.connection.is_paused());
    }
}

#[test]
fn a_rate_of_zero_or_none_is_no_bound() {
    for mut end in [paced(0, 0), End::server()] {
        end.feed(pass("1").repeat(10_000));
        assert_eq!(end.taken(), 10_000);
        assert_eq!(end.connection.next_deadline(), None);
    }
}

#[test]
fn frames_of_all_kinds_count_and_are_paced() {
    let mut end = paced(1, 0);
    end.feed("{\"type\":\"later\"}\n");
    end.feed(response("1", "nobody's"));
    end.feed("{\"type\":\"pass\",\"dest\":\"bob\",\"name\":\"wave\"}\n");
    end.feed(pass("1"));
    assert_eq!(end.taken(), 1, "the one to a peer");
    assert!(end.connection.is_paused());
    let _ = end.resumes();
    assert_eq!(end.taken(), 1);
}

#[test]
fn the_time_of_a_begun_frame_stands_still_in_a_pause() {
    let mut end = paced(1, 0);
    end.feed(pass("1").repeat(13) + "{\"type\"");
    assert_eq!(end.taken(), 3);
    for _ in 0..10 {
        let _ = end.resumes();
        assert_eq!(end.taken(), 1);
    }
    assert_eq!(end.written(), "");
    assert_eq!(end.resumes(), 11_000_000);
    assert_eq!(end.taken(), 0);
    // From here on the frame has its ten seconds.
    assert_eq!(end.connection.next_deadline(), Some(end.at(21_000)));
    end.pass_time(20_999);
    assert_eq!(end.written(), "");
    end.pass_time(21_000);
    assert_eq!(last_word(&end.written()), "timeout");
}

#[test]
fn answers_to_calls_of_this_end_are_paced_and_counted_once() {
    let mut end = paced(1, 0);
    let call = end.call(Expects::Response, 60_000);
    let id = end.id_of_call();
    // Beside a handler: events wait aside, the answer completes its call.
    end.feed(pass("1").repeat(3) + &response("1", &id));
    end.set_aside();
    assert!(end.connection.is_paused());
    assert!(call.ends().is_empty());
    assert_eq!(end.resumes(), 1_000_000);
    end.set_aside();
    assert_eq!(call.ends(), ["done 1"]);
    assert_eq!(end.resumes(), 2_000_000);
    // What waited aside was counted when it came.
    assert_eq!(end.taken(), 3);
    assert!(!end.connection.is_paused());
}

#[test]
fn deadlines_of_calls_are_kept_in_a_pause() {
    let mut end = paced(1, 0);
    let call = end.call(Expects::Response, 500);
    let _ = end.written();
    end.feed(pass("1").repeat(10));
    assert_eq!(end.taken(), 3);
    end.pass_time(500);
    assert_eq!(call.ends(), ["timed out"]);
    assert!(end.connection.is_paused());
    assert_eq!(end.taken(), 0);
}

#[test]
fn the_end_of_a_link_is_not_paced() {
    let mut end = paced(1, 0);
    end.feed(pass("1").repeat(10));
    assert_eq!(end.taken(), 3);
    end.connection.close();
    assert!(end.connection.wants_read());
    end.shut();
    assert!(end.next().is_none());
    end.connection.input_ended();
    assert!(end.connection.is_closed());
}

#[test]
fn what_arrived_before_a_link_broke_is_handled_at_its_pace() {
    let mut end = paced(1, 0);
    end.feed(pass("1").repeat(5));
    assert_eq!(end.taken(), 3);
    end.connection.input_ended();
    for _ in 0..2 {
        let _ = end.resumes();
        assert_eq!(end.taken(), 1);
    }
    let _ = end.resumes();
    assert_eq!(end.taken(), 0);
    assert!(end.connection.wants_shutdown());
}

#[test]
fn a_drain_is_not_held_up() {
    let mut end = paced(500, 0);
    end.feed(pass("1").repeat(2_000));
    assert_eq!(end.taken(), 1_001);
    assert!(!end.connection.wants_read());
    end.connection.drain();
    assert!(!end.connection.is_paused() && end.connection.wants_read());
    assert_eq!(end.taken(), 999, "all that had arrived");
    assert!(end.connection.input_is_drained());
    assert_eq!(end.taken(), 0);
    assert!(end.connection.wants_shutdown());
}
