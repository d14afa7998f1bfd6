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
const BACK: Duration = Duration::from_secs(5);

/// A storm takes all of a machine that also runs those who make it.
const FLOOR: Duration = Duration::from_millis(50);

const GRACE_MS: u64 = 60_000;

pub(crate) async fn passes() {
    let count = sockets(choose(1_000, 4_000));
    let mut place = Place::start(&[]);
    let plan = Plan {
        members: 8,
        every: Duration::from_millis(20),
        wave_at: None,
    };
    let sessions = plan.members as usize + count;
    let ring = Ring::start(place.address(), plan).await;
    let mut away = Vec::new();
    for number in 0..count {
        away.push(Away::open(place.address(), number).await);
    }
    let (mut rounds, mut slowest) = (Rounds::new(FLOOR), Duration::ZERO);
    while rounds.go_on() {
        let peace = p99(ring.works(Duration::from_secs(1)).await);
        let start = Instant::now();
        for session in &mut away {
            session.cut();
        }
        let mut coming = JoinSet::new();
        for session in away.drain(..) {
            coming.spawn(session.comes_back(place.address()));
        }
        away = coming.join_all().await;
        let back = start.elapsed();
        slowest = slowest.max(back);
        rounds.add(peace, p99(ring.since(start)));
        assert!(back < BACK, "{count} were back after {back:?}");
        place.until(sessions, BACK).await;
    }
    println!("{count} were back after {slowest:?} at most");
    let ledger = ring.ends().await;
    assert!(ledger.failed.is_empty(), "{ledger:?}");
    rounds.judge("a storm of resumes");
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
