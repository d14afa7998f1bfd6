//! Far more of everything than anybody may send.

use std::time::{Duration, Instant};

use protocol_tests::run;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::attacked::Attacked;
use crate::peer::Peer;

/// How long a pass may take before it counts as lost: longer than any pace here.
const MISSING: Duration = Duration::from_secs(3);

fn wave(dest: &str, data: &Value) -> String {
    let frame = json!({"type": "pass", "name": "wave", "dest": dest, "data": data});
    format!("{frame}\n")
}

/// Has carol send all these waves at once to another, who reads them; how long it took until they
/// were there.
async fn arrives_whole(attacked: &Attacked, waves: &[Value]) -> Duration {
    let mut carol = Peer::log_in(attacked.address(), "carol").await;
    let mut other = Peer::log_in(attacked.address(), "carol 2").await;
    let flood: String = waves.iter().map(|data| wave("carol 2", data)).collect();
    let start = Instant::now();
    let send = async {
        carol.write(flood).await;
        assert!(carol.request("ping", Value::Null).await["error"].is_null());
    };
    let receive = async {
        for data in waves {
            let wave = timeout(MISSING, other.json()).await;
            let wave = wave.unwrap_or_else(|_| panic!("{data} and what follows it are lost"));
            assert_eq!(wave["data"], *data, "what is before it is lost");
            assert_eq!(wave["from"], "carol");
        }
    };
    tokio::join!(send, receive);
    start.elapsed()
}

fn numbers(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!(number)).collect()
}

#[test]
fn passes_far_over_the_rate_are_paced_and_none_is_lost() {
    run(async {
        let attacked = Attacked::start(&["--events-per-second=200"]);
        let taken = arrives_whole(&attacked, &numbers(800)).await;
        // 400 may come at once, then 200 a second.
        let times = Duration::from_millis(1_800)..Duration::from_secs(6);
        assert!(times.contains(&taken), "after {taken:?}");
        attacked.withstood(8_192);
    });
}

#[test]
fn bytes_far_over_the_rate_are_paced_and_none_is_lost() {
    run(async {
        let attacked = Attacked::start(&["--bytes-per-second=200000"]);
        let waves = vec![json!("x".repeat(50_000)); 16];
        let taken = arrives_whole(&attacked, &waves).await;
        // 400,000 may come at once, then 200,000 a second.
        let times = Duration::from_millis(1_800)..Duration::from_secs(6);
        assert!(times.contains(&taken), "after {taken:?}");
        attacked.withstood(8_192);
    });
}

#[test]
fn a_burst_within_the_rate_to_one_who_reads_arrives_whole() {
    run(async {
        let attacked = Attacked::start(&[]);
        let taken = arrives_whole(&attacked, &numbers(900)).await;
        assert!(taken < Duration::from_secs(2), "after {taken:?}");
        attacked.withstood(8_192);
    });
}

#[test]
fn many_who_flood_at_once_leave_time_for_others() {
    run(async {
        let attacked = Attacked::start(&[]);
        let start = Instant::now();
        let mut floods = Vec::new();
        for number in 0..20 {
            let carol = Peer::log_in(attacked.address(), &format!("carol {number}")).await;
            floods.push(tokio::spawn(async move {
                // To nobody, so that only the server works.
                let flood = wave("nobody", &Value::Null);
                while start.elapsed() < Duration::from_secs(2) {
                    // It takes no more than it may.
                    if carol.stream.try_write(flood.as_bytes()).is_err() {
                        tokio::task::yield_now().await;
                    }
                }
            }));
        }
        for flood in floods {
            flood.await.unwrap();
        }
        // At most 512 KiB each, for what was read and waits for its time.
        attacked.withstood(10_240);
    });
}

#[test]
fn a_flood_of_logins_leaves_nothing_behind() {
    run(async {
        let attacked = Attacked::start(&["--max-sessions=4"]);
        for number in 0..2_000 {
            let id = format!("carol {number}");
            let mut carol = Peer::log_in(attacked.address(), &id).await;
            carol.request("logout", Value::Null).await;
        }
        attacked.withstood(4_096);
    });
}

#[test]
fn a_flood_of_failing_logins_leaves_nothing_behind() {
    run(async {
        let attacked = Attacked::start(&[]);
        for round in 0..400 {
            let mut carol = Peer::connect(attacked.address()).await;
            let control = format!("carol {round}\u{7}");
            for id in ["alice", "BOB", "", &control, &"x".repeat(2_000)] {
                let answer = carol.request("login", json!({"id": id})).await;
                assert!(answer["error"].is_object(), "{answer}");
            }
            assert_eq!(carol.line().await, None);
        }
        attacked.withstood(4_096);
    });
}
