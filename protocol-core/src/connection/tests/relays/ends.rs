//! Links that end while answers of other peers are due.

use super::*;

#[test]
fn an_end_that_says_no_more_gets_its_answers_before_the_end() {
    let ends: [fn(&mut End); 3] = [
        |end| {
            let answered = end
                .connection
                .relay_answer(&answer(BOB, &response("1", "7")));
            assert!(answered);
        },
        |end| end.connection.peer_gone(BOB),
        |end| end.pass_time(LINGER),
    ];
    for finish in ends {
        let mut end = End::server();
        end.asks("bob", "7");
        end.connection.input_ended();
        assert!(end.relay().is_empty());
        assert!(!end.connection.wants_shutdown());
        let forged = answer(CAROL, &response("1", "7"));
        assert!(!end.connection.relay_answer(&forged));
        assert!(end.relay().is_empty());
        end.pass_time(LINGER - 1);
        assert!(end.relay().is_empty());
        assert_eq!(end.written(), "");
        assert!(!end.connection.wants_shutdown());
        finish(&mut end);
        assert!(end.relay().is_empty());
        assert_eq!(end.written().lines().count(), 1);
        assert!(end.connection.wants_shutdown());
    }
}

#[test]
fn behind_the_end_of_its_half_all_calls_of_an_end_are_given_up_together() {
    let mut end = End::server();
    for n in 0..10 {
        end.clock(n * 1_000);
        end.asks(
            ["bob", "carol"][usize::try_from(n).unwrap() % 2],
            &n.to_string(),
        );
    }
    end.connection.input_ended();
    assert!(end.relay().is_empty());
    let due = 9_000 + LINGER;
    assert_eq!(end.connection.next_deadline(), Some(end.at(due)));
    // That it is looked at again does not prolong it.
    end.pass_time(due - 1);
    assert!(end.relay().is_empty());
    assert_eq!(end.connection.next_deadline(), Some(end.at(due)));
    end.pass_time(due);
    let given_up: Vec<_> = (0..10)
        .map(|n| (n.to_string(), "timeout".to_owned()))
        .collect();
    assert_eq!(end.refusals(), given_up);
    assert!(end.relay().is_empty());
    assert!(end.connection.wants_shutdown());
}

#[test]
fn the_time_behind_the_end_of_a_half_begins_when_all_is_handled() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.connection.set_handling(1);
    end.connection.input_ended();
    assert!(end.relay().is_empty());
    assert_eq!(end.connection.next_deadline(), Some(end.at(RELAY_TIMEOUT)));
    end.clock(30_000);
    end.connection.set_handling(0);
    assert!(end.relay().is_empty());
    assert_eq!(
        end.connection.next_deadline(),
        Some(end.at(30_000 + LINGER))
    );
}

#[test]
fn a_server_that_stops_ends_the_calls_to_peers_once_all_is_read() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.connection.drain();
    assert!(end.relay().is_empty());
    assert_eq!(end.open(), 1);
    let other = answer(BOB, &response("1", "7"));
    end.knocks_late();
    assert!(end.connection.input_is_drained());
    assert!(end.relay().is_empty());
    assert_eq!(
        end.refusals(),
        pairs(&[("8", "shutting_down"), ("7", "peer_gone")])
    );
    assert!(end.connection.wants_shutdown());
    assert!(!end.connection.relay_answer(&other));
}

#[test]
fn a_link_that_is_lost_or_broken_off_waits_for_no_answer() {
    let lost: [fn(&mut End); 3] = [
        |end| end.connection.broken(CloseReason::PeerClosed),
        |end| end.feed("no frame\n"),
        |end| end.connection.abort(),
    ];
    for lose in lost {
        let mut end = End::server();
        end.asks("bob", "7");
        lose(&mut end);
        assert!(end.relay().is_empty());
        let _ = end.written();
        assert_eq!(end.open(), 0);
        end.connection
            .relay_answer(&answer(BOB, &response("1", "7")));
        end.connection.peer_gone(BOB);
        end.pass_time(RELAY_TIMEOUT);
        assert_eq!(end.written(), "");
    }
}

#[test]
fn an_end_that_closes_by_itself_does_not_wait_for_answers_to_others() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.connection.close();
    assert!(end.relay().is_empty());
    assert!(end.connection.wants_shutdown());
    end.shut();
    // Nothing more can be said.
    end.connection
        .relay_answer(&answer(BOB, &response("1", "7")));
    end.connection.peer_gone(BOB);
    assert_eq!(end.written(), "");
}

#[test]
fn near_its_end_a_link_begins_no_calls_to_peers_and_passes_answers_on() {
    let mut end = End::server();
    end.asks("bob", "7");
    end.connection.drain();
    end.feed(ask("bob", "8") + &knock("bob", "9"));
    end.feed("{\"type\":\"pass\",\"dest\":\"bob\",\"name\":\"wave\"}\n");
    end.feed(response("1", "x").replacen('{', "{\"dest\":\"bob\",", 1));
    assert_eq!(end.relay(), ["Reply x"]);
    let refused = pairs(&[("8", "shutting_down"), ("9", "shutting_down")]);
    assert_eq!(end.refusals(), refused);
    assert_eq!(end.connection.counters().refused_passes, 1);
}

#[test]
fn beside_a_handler_answers_are_passed_on_near_the_end_too() {
    let mut end = End::server();
    let _call = end.call(Expects::Response, 60_000);
    let _ = end.written();
    end.connection.drain();
    end.feed(response("1", "x").replacen('{', "{\"dest\":\"bob\",", 1));
    assert_eq!(end.passed_on(), ["x"]);
}
