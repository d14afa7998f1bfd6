//! What a link takes that says nothing for a while.

use std::thread;
use std::time::{Duration, Instant};

use rendezvous::Rendezvous;
use serde_json::json;

use crate::peer::Peer;
use crate::rooms;

/// Links at once; few enough for the usual limit of open files.
const LINKS: usize = 200;

/// Requests that each sends at once.
const BURST: usize = 256;

/// What an idle link may take that is logged in, in bytes: a little more than it takes.
const ALLOWED: i64 = 4_352;

/// How long a link may keep what it was busy with, and as long again.
const AT_MOST: Duration = Duration::from_secs(20);

#[test]
fn an_idle_link_gives_back_what_a_burst_took() {
    let running = rooms::start(Rendezvous::new(rooms::config()));
    // Whatever the server makes once is there, and the tables have places for all.
    let enter = |number| Peer::enter(running.address, "login", &format!("peer-{number}"));
    drop((0..LINKS).map(enter).collect::<Vec<_>>());
    let mut first = enter(LINKS);
    let before = running.meter.held();
    let mut peers: Vec<_> = (0..LINKS).map(enter).collect();
    let ping = format!(
        "{}\n",
        json!({"type": "request", "name": "ping", "data": {}, "request_id": "1"})
    );
    for peer in &mut peers {
        peer.write(&ping.repeat(BURST));
    }
    for peer in &mut peers {
        for _ in 0..BURST {
            peer.expect(&[r#""type":"response""#]);
        }
    }
    let begun = Instant::now();
    let links = i64::try_from(LINKS).expect("a small number");
    loop {
        // The server's thread is at rest when it has answered.
        first.ask("ping", &json!({}));
        let each = (running.meter.held() - before) / links;
        if each <= ALLOWED {
            println!("{each} bytes for each, after {:?}", begun.elapsed());
            return;
        }
        assert!(
            begun.elapsed() < AT_MOST,
            "each idle link takes {each} bytes, {ALLOWED} are allowed"
        );
        thread::park_timeout(Duration::from_millis(50));
    }
}
