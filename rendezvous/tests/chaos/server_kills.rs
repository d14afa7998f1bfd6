//! A server that is killed and comes back with nothing but its port and its key.

use std::time::Duration;

use libtest_mimic::Trial;
use protocol_tests::Links;

use crate::courier::IN_FLIGHT;
use crate::fleet::{Server, Serves};
use crate::laws::May;
use crate::story::{Story, from_environment};
use crate::trial;

/// Kills, where nothing else is said.
const KILLS: u64 = 8;

/// The longest that it runs after all got through.
const AT_WORK: Duration = Duration::from_millis(150);

/// The longest that it is gone.
const AWAY: Duration = Duration::from_millis(300);

pub(crate) fn trials() -> Vec<Trial> {
    let cases = [
        ("server_kills::plain", Serves::Program, Links::Plain),
        ("server_kills::encrypted", Serves::Program, Links::Encrypted),
        ("server_kills::office", Serves::Office, Links::Plain),
    ];
    let trials = cases.map(|(name, kind, links)| trial(name, move || lose_nothing(kind, links)));
    trials.into()
}

fn lose_nothing(kind: Serves, links: Links) {
    let server = Server::start(kind, links, &[]);
    let reach = [server.address(); 2];
    let name = format!("kills of a server, {kind:?}, {links}");
    let story = Story::begin(name, server, reach);
    let kills = from_environment("CHAOS_KILLS", KILLS);
    // What is under way from alice and bob to the office itself dies with it.
    let each = if kind == Serves::Office {
        2 * IN_FLIGHT
    } else {
        0
    };
    let unknown = usize::try_from(kills).expect("few") * each;
    let may = May {
        parcels_be_unknown: unknown,
        asks_fail: &["peer_not_found"],
        office_asks_fail: &["stale_dest"],
        ..May::default()
    };
    story.tell(may, |story| {
        for kill in 1..=kills {
            story.passes(AT_WORK);
            story.server.kill();
            story.did("kill");
            story.passes(AWAY);
            story.server.restart();
            story.both_get_through(&format!("after kill {kill} of {kills}"));
        }
    });
}
