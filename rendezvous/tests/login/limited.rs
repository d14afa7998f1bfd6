//! What one address may do, at the limit and one beyond it, and what is counted of that. On addresses
//! that are not loopback, for which nothing is limited.

use std::time::Duration;

use protocol_core::metrics::{CONNECTIONS_OPEN, CONNECTIONS_REFUSED};
use protocol_core::{Encryption, Server};
use protocol_tests::{Meter, meter, run_on_one_thread};
use rendezvous::metrics::LOGINS_LIMITED;
use rendezvous::{Config, Rendezvous};
use serde_json::json;

use crate::house::{House, Porter};
use crate::peer::Peer;
use crate::refusals::outer_address;

/// Runs a test with a server on an address of this machine that others could reach.
fn outside<T: Future<Output = ()> + Send + 'static>(
    config: Config,
    test: impl FnOnce(Server<House>, Meter) -> T + Send + 'static,
) {
    run_on_one_thread(async {
        let Some(address) = outer_address() else {
            println!("skipped: this machine has no address but loopback");
            return;
        };
        let meter = meter();
        let rendezvous = Rendezvous::new(config);
        let bind = rendezvous.bind::<House>((address, 0));
        let bind = bind.encryption(Encryption::Plain);
        let server = bind.handle((Porter, rendezvous.clone())).await.unwrap();
        test(server, meter).await;
    });
}

#[test]
fn one_address_logs_in_as_often_as_its_burst_allows() {
    let mut config = Config::default();
    config.login_interval = Duration::from_hours(1);
    config.login_burst = 3;
    outside(config, |server, mut meter| async move {
        for id in ["alice", "bob", "carol"] {
            Peer::log_in(server.address(), id).await;
            assert_eq!(meter.count(LOGINS_LIMITED), 0);
        }
        let mut fourth = Peer::connect(server.address()).await;
        let refused = fourth.request("login", json!({"id": "alice 2"})).await;
        assert_eq!(refused["error"]["code"], "rate_limited", "{refused}");
        assert_eq!(meter.count(LOGINS_LIMITED), 1);
    });
}

#[test]
fn one_address_has_so_many_connections() {
    let mut config = Config::default();
    assert_eq!(config.server.connections_an_address, Some(64));
    config.server.connections_an_address = Some(2);
    outside(config, |server, mut meter| async move {
        let alice = Peer::log_in(server.address(), "alice").await;
        let mut bob = Peer::log_in(server.address(), "bob").await;
        assert_eq!(meter.count(CONNECTIONS_REFUSED), 0);
        let mut carol = Peer::connect(server.address()).await;
        assert_eq!(carol.last_word().await, "unavailable");
        assert_eq!(meter.count_of(CONNECTIONS_REFUSED, "address"), 1);
        assert_eq!(meter.gauge(CONNECTIONS_OPEN), 2);
        drop(alice);
        while server.connections() > 1 {
            tokio::task::yield_now().await;
        }
        Peer::log_in(server.address(), "carol").await;
        assert!(bob.request("ping", json!({})).await["error"].is_null());
        assert_eq!(meter.count(CONNECTIONS_REFUSED), 1);
    });
}
