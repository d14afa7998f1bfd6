//! A thousand sessions whose links are cut at once and that come back at once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::bare::{Bare, sockets};
use crate::choose;
use crate::figures::{Rounds, p99};
use crate::place::Place;
use crate::ring::{Plan, Ring};

/// The longest until all are back.
const BACK: Duration = Duration::from_secs(10);

/// The longest that others may wait while all come back in the same moment, of 99 in 100.
const WAITED: Duration = Duration::from_secs(5);

/// What a machine that has other things to do may add to anything.
const FLOOR: Duration = Duration::from_millis(25);

const GRACE_MS: u64 = 60_000;

/// Others are measured at the server where it happens, and at the same time at one that has nothing to
/// do with it: so what those who come back take from the machine is on neither's account.
pub(crate) async fn passes() {
    let count = sockets(choose(1_000, 4_000));
    let (mut place, calm) = (Place::start(&[]), Place::start(&[]));
    let plan = Plan {
        members: 4,
        every: Duration::from_millis(20),
        wave_at: None,
    };
    let sessions = plan.members as usize + count;
    let ring = Ring::start(place.address(), plan.clone()).await;
    let control = Ring::start(calm.address(), plan).await;
    let mut away = Vec::new();
    for number in 0..count {
        away.push(Away::open(place.address(), number).await);
    }
    // All in one moment.
    let start = Instant::now();
    away = return_all(away, place.address(), Duration::ZERO).await;
    let back = start.elapsed();
    let (others, elsewhere) = (p99(ring.since(start)), p99(control.since(start)));
    println!(
        "{count} were back after {back:?}; p99 of others {others:?}, and {elsewhere:?} elsewhere"
    );
    assert!(back < BACK, "{count} were back after {back:?}");
    assert!(others < WAITED, "others waited for {others:?}");
    place.until(sessions, BACK).await;
    // As clients do, which wait for a random time.
    let mut rounds = Rounds::new(FLOOR);
    let spread = choose(Duration::from_millis(1_500), Duration::from_secs(5));
    while rounds.go_on() {
        let start = Instant::now();
        away = return_all(away, place.address(), spread).await;
        rounds.add(p99(control.since(start)), p99(ring.since(start)));
        place.until(sessions, BACK).await;
    }
    for ledger in [ring.ends().await, control.ends().await] {
        assert!(ledger.failed.is_empty(), "{ledger:?}");
    }
    rounds.judge("a storm of resumes");
}

/// Cuts all links in one moment; each session comes back within `spread`.
async fn return_all(mut away: Vec<Away>, address: SocketAddr, spread: Duration) -> Vec<Away> {
    away.iter_mut().for_each(Away::cut);
    let mut coming = JoinSet::new();
    for session in away {
        let pause = spread.mul_f64(fastrand::f64());
        coming.spawn(async move {
            tokio::time::sleep(pause).await;
            session.comes_back(address).await
        });
    }
    coming.join_all().await
}

/// A session, with a link or without.
struct Away {
    id: String,
    link: Option<Bare>,
    token: String,
}

impl Away {
    async fn open(address: SocketAddr, number: usize) -> Self {
        let (mut link, id) = (Bare::connect(address).await, format!("carol {number}"));
        let login = json!({"id": id, "inc": format!("inc {number}"), "grace_ms": GRACE_MS});
        let answer = link.log_in(login).await;
        assert_eq!(answer["grace_ms"], GRACE_MS, "{answer}");
        Self {
            token: answer["resume"].as_str().expect("a token").to_owned(),
            link: Some(link),
            id,
        }
    }

    fn cut(&mut self) {
        self.link.take().expect("it was back").cut();
    }

    async fn comes_back(mut self, address: SocketAddr) -> Self {
        let mut link = Bare::connect(address).await;
        let inc = self.id.replace("carol", "inc");
        let login = json!({
            "id": self.id, "inc": inc, "grace_ms": GRACE_MS, "resume": self.token, "received": 1,
        });
        let answer = link.log_in(login).await;
        assert_eq!(answer["resumed"], true, "{answer}");
        answer["resume"]
            .as_str()
            .expect("a token")
            .clone_into(&mut self.token);
        self.link = Some(link);
        self
    }
}
