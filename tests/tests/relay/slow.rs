//! Peers that do not read, or not fast enough: what is refused, and that others do not notice.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use protocol_core::{RequestError, ServerLimits};
use protocol_tests::{
    Raw, Seen,
    both::{run, run_on_one_thread},
    still_waits,
};

use crate::hall::{Hall, Knock, News, hall, peer, soon};
use crate::lines::{LOOK, by, confirm, id_of, is_served_next, pass, reads, request, response};

/// How long nothing may get through before it counts as stuck.
const STILL: Duration = Duration::from_millis(200);

/// A pass to bob of about so many bytes.
fn wave_of(bytes: usize, n: usize) -> String {
    pass("bob", &format!("[{n},\"{}\"]", "x".repeat(bytes)))
}

fn number(line: &str) -> usize {
    let data = line.split("\"data\":[").nth(1).expect("a wave");
    data.split(',').next().unwrap().parse().expect("a number")
}

/// Little for each peer, and all the time for it to read.
fn narrow(limits: &mut ServerLimits) {
    limits.connection.outbound_bytes = 100_000;
    limits.connection.write_stall = Duration::from_hours(1);
}

/// How many waves were refused since this was last asked.
fn refusals(hall: &mut Hall) -> usize {
    let seen = std::iter::from_fn(|| hall.notices.try_next());
    seen.map(|seen| assert_eq!(seen, Seen::refused("wave", "peer_slow")))
        .count()
}

/// Has alice wave at bob, who does not read, until nothing gets through for a while; how many waves
/// were sent and how many of them will arrive.
async fn stuff(hall: &mut Hall, alice: &mut Raw) -> (usize, usize) {
    const BATCH: usize = 20;
    let (mut sent, mut refused) = (0, 0);
    let mut last_through = Instant::now();
    while last_through.elapsed() < STILL {
        for _ in 0..BATCH {
            alice.send(&wave_of(10_000, sent)).await;
            sent += 1;
        }
        is_served_next(alice).await;
        let now = refusals(hall);
        refused += now;
        if now < BATCH {
            last_through = Instant::now();
        }
    }
    (sent, sent - refused)
}

/// Calls bob until that is refused; how many calls got through, since his socket took a bit more.
async fn is_slow(alice: &mut Raw, line: &str, id: &str) -> usize {
    let mut through = 0;
    loop {
        alice.send(line).await;
        alice.send(LOOK).await;
        let answer = soon(alice.json()).await;
        if id_of(&answer) == id {
            assert_eq!(answer["error"]["code"], "peer_slow", "{answer}");
            assert_eq!(id_of(&soon(alice.json()).await), "look");
            return through;
        }
        assert_eq!(id_of(&answer), "look", "{answer}");
        through += 1;
    }
}

/// Reads so many waves, in the order in which they were sent, among so many calls.
async fn reads_waves(bob: &mut Raw, waves: usize, calls: usize) {
    let mut numbers = Vec::new();
    for _ in 0..waves + calls {
        let line = soon(bob.line()).await.expect("the link is up");
        if line.contains("\"pass\"") {
            numbers.push(number(&line));
        }
    }
    assert_eq!(numbers.len(), waves);
    assert!(numbers.is_sorted_by(|earlier, later| earlier < later));
}

#[test]
fn passes_to_a_peer_that_does_not_read_are_refused_and_counted_and_others_are_served() {
    run(|| async {
        let mut hall = hall(narrow).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut carol = hall.enter("carol").await;
        let (sent, mut through) = stuff(&mut hall, &mut alice).await;
        // Her own link and those of others are as good as ever.
        for n in 0..100 {
            alice.send(&wave_of(10_000, sent + n)).await;
            let wave = pass("carol", &n.to_string());
            alice.send(&wave).await;
            reads(&mut carol, &by("alice", &wave)).await;
        }
        through += 100 - refusals(&mut hall);
        let mut calls = is_slow(&mut alice, &confirm("bob", "0", "7"), "7").await;
        calls += is_slow(&mut alice, &request("bob", "0", "8"), "8").await;
        is_served_next(&mut carol).await;
        // All others arrive, however late he reads.
        reads_waves(&mut bob, through, calls).await;
        is_served_next(&mut bob).await;
        let ask = request("bob", "0", "9");
        alice.send(&ask).await;
        reads(&mut bob, &by("alice", &ask)).await;
    });
}

#[test]
fn waves_leave_room_for_answers_and_for_the_servers_own_word() {
    run(|| async {
        let mut hall = hall(narrow).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut carol = hall.enter("carol").await;
        bob.send(&request("carol", "1", "7")).await;
        reads(&mut carol, &by("bob", &request("carol", "1", "7"))).await;
        let (_, through) = stuff(&mut hall, &mut alice).await;
        let answer = response("bob", "\"late\"", "7");
        carol.send(&answer).await;
        is_served_next(&mut carol).await;
        let news = News("late".to_owned());
        let sent = hall.server.to(peer("bob")).send(news).await;
        assert_eq!(sent, Ok(()));
        assert_eq!(hall.notices.try_next(), None);
        reads_waves(&mut bob, through, 0).await;
        reads(&mut bob, &by("carol", &answer)).await;
        reads(&mut bob, r#"{"type":"pass","name":"news","data":"late"}"#).await;
    });
}

/// On one thread all calls are taken in before the peer's link looks at the first.
#[test]
fn a_slow_peer_is_worth_another_try() {
    run_on_one_thread(|| async {
        let hall = hall(|limits| limits.connection.outbound_bytes = 10_000).await;
        let (alice, _bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let bobs = peer("bob");
        let (mut to_do, mut slow) = (8, 0);
        while to_do > 0 {
            let knock = |_| alice.client.to(&bobs).confirm(Knock("x".repeat(3_000)));
            let mut knocks: Vec<_> = (0..to_do).map(knock).collect();
            for knock in &mut knocks {
                assert!(still_waits(knock).await);
            }
            for knock in knocks {
                let Err(error) = soon(knock).await else {
                    to_do -= 1;
                    continue;
                };
                assert!(error.is_retryable(), "{error}");
                assert!(!error.is_unknown() && !error.is_closed(), "{error}");
                let RequestError::Rejected(error) = error else {
                    panic!("{error:?}");
                };
                assert_eq!(error.code, "peer_slow");
                slow += 1;
            }
        }
        assert!(slow > 0);
    });
}

#[test]
fn a_peer_that_has_read_everything_is_no_longer_slow() {
    run_on_one_thread(|| async {
        let mut hall = hall(|limits| limits.connection.outbound_bytes = 10_000).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let waves: Vec<_> = (0..6).map(|n| wave_of(3_000, n)).collect();
        alice.write((waves[..3].join("\n") + "\n").as_bytes()).await;
        let slow = Seen::refused("wave", "peer_slow");
        assert_eq!(hall.notices.next().await, slow);
        for wave in &waves[..2] {
            reads(&mut bob, &by("alice", wave)).await;
        }
        for wave in &waves[3..] {
            alice.send(wave).await;
            is_served_next(&mut alice).await;
            assert_eq!(hall.notices.try_next(), None, "bob has read everything");
            reads(&mut bob, &by("alice", wave)).await;
        }
    });
}

#[test]
fn ten_thousand_waves_to_two_peers_arrive_in_their_order() {
    const WAVES: usize = 10_000;
    run(|| async {
        let mut hall = hall(|limits| limits.connection.outbound_events = 4 * WAVES).await;
        let mut alice = hall.enter("alice").await;
        let (mut bob, mut carol) = (hall.enter("bob").await, hall.enter("carol").await);
        let all: String = (0..WAVES)
            .map(|n| {
                let dest = if n % 3 == 0 { "carol" } else { "bob" };
                pass(dest, &n.to_string()) + "\n"
            })
            .collect();
        alice.write(all.as_bytes()).await;
        for n in 0..WAVES {
            let (raw, dest) = if n % 3 == 0 {
                (&mut carol, "carol")
            } else {
                (&mut bob, "bob")
            };
            reads(raw, &by("alice", &pass(dest, &n.to_string()))).await;
        }
        is_served_next(&mut alice).await;
        assert_eq!(hall.notices.try_next(), None);
    });
}

/// Twice as much as its queue takes of other peers: the reader gets its turn meanwhile.
#[test]
fn a_burst_of_a_thousand_waves_to_a_peer_that_reads_arrives_by_default() {
    const WAVES: usize = 1_000;
    run_on_one_thread(|| async {
        let mut hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let all: String = (0..WAVES).map(|n| wave_of(1, n) + "\n").collect();
        tokio::join!(alice.write(all.as_bytes()), reads_waves(&mut bob, WAVES, 0));
        assert_eq!(hall.notices.try_next(), None);
    });
}

#[test]
fn of_more_waves_than_the_queue_takes_the_rest_is_counted() {
    const WAVES: usize = 10_000;
    run(|| async {
        let mut hall = hall(|limits| limits.connection.outbound_events = 4).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let all: String = (0..WAVES).map(|n| wave_of(1, n) + "\n").collect();
        alice.write(all.as_bytes()).await;
        is_served_next(&mut alice).await;
        let through = WAVES - refusals(&mut hall);
        reads_waves(&mut bob, through, 0).await;
        is_served_next(&mut bob).await;
        // A confirmed pass says whether there is room again.
        alice.send(&confirm("bob", "1", "7")).await;
        let asked = soon(bob.json()).await;
        assert_eq!(id_of(&asked), "7");
    });
}

/// Has alice ask bob so often, reads the calls at bob, and returns what he answers.
async fn answers(alice: &mut Raw, bob: &mut Raw, calls: usize, bytes: usize) -> String {
    let data = format!("\"{}\"", "x".repeat(bytes));
    let mut answers = String::new();
    for n in 0..calls {
        let ask = request("bob", "1", &n.to_string());
        alice.send(&ask).await;
        reads(bob, &by("alice", &ask)).await;
        answers += &(response("alice", &data, &n.to_string()) + "\n");
    }
    answers
}

/// Reads until each of so many calls has ended once, by bob's answer or by the server's word.
async fn all_end(alice: &mut Raw, calls: usize) {
    let mut open: HashSet<_> = (0..calls).map(|n| n.to_string()).collect();
    while !open.is_empty() {
        let answer = tokio::time::timeout(Duration::from_secs(1), alice.json()).await;
        let answer = answer.unwrap_or_else(|_| panic!("no end comes of the calls {open:?}"));
        assert!(open.remove(id_of(&answer)), "{answer}");
        assert!(answer["from"] == "bob" || answer["error"]["code"].is_string());
    }
}

#[test]
fn a_call_ends_though_its_answer_finds_no_room() {
    run_on_one_thread(|| async {
        let hall = hall(|limits| limits.connection.outbound_bytes = 10_000).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let answers = answers(&mut alice, &mut bob, 6, 3_000).await;
        bob.write(answers.as_bytes()).await;
        all_end(&mut alice, 6).await;
    });
}

#[test]
fn many_calls_with_large_answers_all_end_by_default() {
    const CALLS: usize = 200;
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let answers = answers(&mut alice, &mut bob, CALLS, 60_000).await;
        tokio::join!(all_end(&mut alice, CALLS), bob.write(answers.as_bytes()));
    });
}
