//! A rendezvous server that receives mail itself.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::{RateLimits, SecretKey};
use rendezvous::{Config, Rendezvous};
use tokio::sync::watch;

use super::{Desk, Flags, Stage, reached};
use crate::journal::Journal;
use crate::post::Post;

/// How long clients may take to leave.
const DEADLINE: Duration = Duration::from_secs(2);

pub(super) async fn serve(flags: &Flags, mut stages: watch::Receiver<Stage>) {
    let journal = Arc::new(Journal::open(&flags.journal, flags.incarnation));
    let rendezvous = Rendezvous::new(config());
    let mut bind = rendezvous.bind::<Post>(flags.at);
    if let Some((_, own)) = &flags.keys {
        bind = bind.encrypted(SecretKey::from_file(own).expect("a key of ours"));
    }
    let handlers = (rendezvous.clone(), Desk::new(journal));
    let server = bind.handle(handlers).await.expect("the office opens");
    println!("listening on {}", server.address());
    reached(&mut stages, Stage::Leaving).await;
    rendezvous.shutdown(&server, DEADLINE).await;
}

/// What couriers send is more than a server takes of one client where nothing else is said.
fn config() -> Config {
    let mut config = Config::default();
    let mut rate = RateLimits::default();
    rate.events_per_second = 0;
    rate.bytes_per_second = 0;
    rate.deliveries_per_second = 0;
    config.server.connection.rate_in = Some(rate);
    config
}
