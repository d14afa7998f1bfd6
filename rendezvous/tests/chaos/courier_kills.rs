//! Senders and receivers that are killed, each of them both, and come back as somebody who remembers
//! nothing but the numbers.

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

/// The longest that a courier works after all got through.
const AT_WORK: Duration = Duration::from_millis(150);

/// The longest that it is gone.
const AWAY: Duration = Duration::from_millis(300);

/// Who is killed: whether it is alice, each.
const WHO: [(&[bool], &str); 3] = [
    (&[true], "kill of alice"),
    (&[false], "kill of bob"),
    (&[true, false], "kill of both"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let cases = [
        ("courier_kills::plain", Links::Plain),
        ("courier_kills::encrypted", Links::Encrypted),
    ];
    let trials = cases.map(|(name, links)| trial(name, move || lose_nothing(links)));
    trials.into()
}

/// On plain links ids are proved by tokens, so that who comes back need not wait until the session of
/// who was killed is over.
fn lose_nothing(links: Links) {
    let tokens: &[_] = links.choose(&["alice", "bob"], &[]);
    let server = Server::start(Serves::Program, links, tokens);
    let reach = [server.address(); 2];
    let story = Story::begin(format!("kills of couriers, {links}"), server, reach);
    let kills = from_environment("CHAOS_KILLS", KILLS);
    // What is under way to whoever is killed, which may be both.
    let unknown = usize::try_from(kills).expect("few") * 2 * IN_FLIGHT;
    let may = May {
        parcels_be_unknown: unknown,
        // Nothing was ever sent to somebody who is not there yet.
        parcels_be_rejected: &["peer_not_found"],
        asks_fail: &[
            "peer_reconnecting",
            "peer_not_found",
            "peer_gone",
            "stale_dest",
        ],
        ..May::default()
    };
    story.tell(may, |story| {
        for kill in 1..=kills {
            story.passes(AT_WORK);
            let (killed, what) = WHO[story.random.usize(0..WHO.len())];
            story.did(what);
            for is_alice in killed {
                story.courier(*is_alice).kill();
            }
            story.passes(AWAY);
            for is_alice in killed {
                let courier = story.courier(*is_alice);
                courier.restart();
                courier.works();
            }
            for is_alice in killed {
                story.courier(*is_alice).arrives();
            }
            story.both_get_through(&format!("after kill {kill} of {kills}"));
        }
    });
}
