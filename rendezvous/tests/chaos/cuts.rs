//! Links that fail in every way while parcels and questions are under way.

use std::time::Duration;

use libtest_mimic::Trial;
use protocol_tests::Links;

use crate::fleet::{Server, Serves, until};
use crate::laws::May;
use crate::proxy::{Fault, Proxy};
use crate::story::{Story, from_environment};
use crate::trial;

/// Cuts, where nothing else is said.
const CUTS: u64 = 20;

/// What a link carries, each way, until it is cut no more while it is being opened.
const OPENING_BYTES: u64 = 1_000;

/// One cut in so many may hit a link that is being opened.
const EARLY: u32 = 4;

/// All gets through after so many cuts.
const ROUND: u64 = 10;

/// The longest that a link is left alone.
const CALM: Duration = Duration::from_millis(120);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("cuts::plain", || lose_nothing(Links::Plain)),
        trial("cuts::encrypted", || lose_nothing(Links::Encrypted)),
    ]
}

fn lose_nothing(links: Links) {
    let server = Server::start(Serves::Office, links, &[]);
    let proxies = [(); 2].map(|()| Proxy::start(server.address()));
    let reach = [proxies[0].address(), proxies[1].address()];
    let story = Story::begin(format!("cuts of {links}"), server, reach);
    let cuts = from_environment("CHAOS_CUTS", CUTS);
    let may = May {
        asks_fail: &["peer_reconnecting", "expired", "no answer within 10s"],
        ..May::default()
    };
    story.tell(may, |story| {
        for cut in 1..=cuts {
            let proxy = story.random.usize(0..2);
            cut_one(
                story,
                &proxies[proxy],
                &format!("before cut {cut} of {cuts}"),
            );
            if cut % ROUND == 0 {
                story.both_get_through(&format!("after cut {cut} of {cuts}"));
            }
        }
        story.both_get_through("once nothing is cut any more");
        story.saw(format!(
            "{} links",
            proxies.iter().map(Proxy::links).sum::<u64>()
        ));
    });
}

/// Cuts a link off, and whatever else happens to it before.
fn cut_one(story: &mut Story, proxy: &Proxy, when: &str) {
    loop {
        let is_early = story.random.u32(0..EARLY) == 0;
        let bytes = if is_early { 0 } else { OPENING_BYTES };
        until(&format!("a link that can be cut {when}"), || {
            proxy.carries(bytes)
        });
        story.passes(if is_early { CALM / 20 } else { CALM });
        let fault = Fault::any(&mut story.random);
        // It may have ended meanwhile.
        if proxy.strike(fault) {
            story.did(fault.name());
            if fault.cuts() {
                return;
            }
        }
    }
}
