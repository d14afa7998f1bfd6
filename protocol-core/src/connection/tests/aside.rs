//! Reading on while a handler works: answers complete, events wait within limits.

use super::*;

#[test]
fn answers_complete_beside_a_handler_and_events_wait_their_turn() {
    let mut end = End::server();
    let call = end.call(Expects::Response, 1_000);
    let id = end.id_of_call();
    end.feed(pass("1") + &request("2", "b") + &response("\"yes\"", &id) + &pass("3"));
    end.set_aside();
    assert_eq!(call.ends(), ["done \"yes\""]);
    assert_eq!(end.written(), "");
    // What arrives meanwhile comes after what was set aside.
    end.feed(pass("4"));
    assert_eq!(end.events(), ["1", "2", "3", "4"]);
    assert!(end.connection.input.aside.is_empty());
    assert_eq!(end.connection.input.aside_bytes, 0);
}

#[test]
fn a_partial_frame_waits_beside_a_handler() {
    let mut end = End::server();
    let line = pass("1");
    for byte in line.bytes() {
        end.feed([byte]);
        end.set_aside();
    }
    assert_eq!(end.connection.input.aside.len(), 1);
    assert_eq!(end.events(), ["1"]);
}

#[test]
fn events_beyond_the_count_get_busy_and_passes_are_counted() {
    let mut end = End::server_with(|limits| limits.queued_events = 3);
    for n in 0..3 {
        end.feed(pass(&n.to_string()));
    }
    end.set_aside();
    assert_eq!(end.connection.counters().busy, 0);
    end.feed(request("1", "a") + &pass("3"));
    end.feed("{\"type\":\"confirm_pass\",\"name\":\"note\",\"pass_id\":\"c\"}\n");
    end.set_aside();
    let output = end.written();
    let refusals: Vec<_> = output.lines().collect();
    assert_eq!(refusals.len(), 2, "{output}");
    assert!(refusals[0].starts_with(
        "{\"type\":\"response\",\"name\":\"ask\",\"request_id\":\"a\",\"error\":{\"code\":\"busy\""
    ));
    assert!(
        refusals[1].starts_with(
            "{\"type\":\"confirm_pass\",\"pass_id\":\"c\",\"error\":{\"code\":\"busy\""
        )
    );
    assert_eq!(end.connection.counters().busy, 3);
    assert_eq!(end.connection.counters().refused_passes, 1);
    assert_eq!(end.events(), ["0", "1", "2"]);
    // There is room again.
    end.feed(pass("5"));
    end.set_aside();
    assert_eq!(end.events(), ["5"]);
}

#[test]
fn events_beyond_the_bytes_get_busy() {
    let line = pass("1");
    let size = line.trim_end().len();
    for (limit, room) in [
        (2 * size, 2),
        (2 * size + 1, 3),
        (3 * size, 3),
        (1, 1),
        (0, 0),
    ] {
        let mut end = End::server_with(|limits| limits.queued_bytes = limit);
        end.feed(line.repeat(5));
        end.set_aside();
        assert_eq!(end.connection.input.aside.len(), room, "{limit} bytes");
        assert_eq!(end.connection.counters().busy, 5 - room as u64);
    }
}

#[test]
fn a_flood_beside_a_handler_keeps_memory_flat() {
    let mut end = End::server();
    let limits = end.connection.limits().clone();
    let flood = request("1", "a").repeat(500);
    for _ in 0..100 {
        end.feed(&flood);
        end.set_aside();
        let _ = end.written();
        end.set_aside();
        let input = &end.connection.input;
        assert!(input.aside.len() <= limits.queued_events);
        assert!(input.aside_bytes <= limits.queued_bytes + limits.frame_in);
        assert!(input.plain.len() <= 2 * flood.len());
    }
}

#[test]
fn refusals_stop_where_the_output_is_full() {
    let mut end = End::server_with(|limits| {
        limits.queued_events = 0;
        limits.outbound_bytes = 1_000;
    });
    end.feed(request("1", "a").repeat(500));
    let mut refused = 0;
    while refused < 500 {
        end.set_aside();
        assert_eq!(
            end.connection.wants_read(),
            !end.connection.is_output_full()
        );
        assert!(end.connection.output_len() < 1_000 + 500);
        let written = end.written().lines().count();
        assert!(written > 0);
        refused += written;
    }
    assert_eq!(refused, 500);
}

#[test]
fn answers_behind_a_full_queue_of_events_still_complete() {
    let mut end = End::server_with(|limits| limits.queued_events = 0);
    let call = end.call(Expects::Response, 1_000);
    let id = end.id_of_call();
    end.feed(request("1", "a").repeat(100) + &response("1", &id));
    end.set_aside();
    assert_eq!(call.ends(), ["done 1"]);
}

#[test]
fn unknown_types_beside_a_handler_are_counted_and_skipped() {
    let mut end = End::server();
    end.feed("{\"type\":\"later\"}\n".repeat(10) + &pass("1"));
    end.set_aside();
    assert_eq!(end.connection.counters().unknown_types, 10);
    assert_eq!(end.events(), ["1"]);
    assert_eq!(end.written(), "");
}

#[test]
fn the_last_word_of_the_other_end_beside_a_handler_drops_what_waits() {
    let mut end = End::server();
    let call = end.call(Expects::Response, 60_000);
    let _ = end.written();
    end.feed(pass("1"));
    end.feed(
        "{\"type\":\"pass\",\"name\":\"protocol_error\",\"data\":{\"code\":\"x\",\"message\":\"\"}}\n",
    );
    end.set_aside();
    assert_eq!(call.ends().len(), 1);
    assert!(end.next().is_none());
    assert!(end.connection.wants_shutdown());
}
