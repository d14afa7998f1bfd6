//! Where mail arrives: it is in the journal before its handler returns.

use std::sync::Arc;

use protocol_core::{AtPeer, AtServer, Context};

use super::flags::OFFICE;
use crate::journal::{Journal, Kind, Verb};
use crate::post::{Answer, Ask, Declined, MailHandler, Parcel, Post};

/// The handler of [`Mail`](crate::post::Mail) at a courier and at the office.
#[derive(Debug)]
pub(super) struct Desk(Arc<Journal>);

impl Desk {
    pub(super) fn new(journal: Arc<Journal>) -> Self {
        Self(journal)
    }

    fn take(&self, from: &str, parcel: &Parcel) -> Result<(), Declined> {
        let (verb, taken) = if parcel.is_broken() {
            (Verb::Declined, Err(Declined::Broken))
        } else {
            (Verb::Processed, Ok(()))
        };
        self.0.write(verb, Kind::Parcel, from, parcel.number, "");
        taken
    }

    fn answer(&self, from: &str, ask: &Ask) -> Answer {
        self.0
            .write(Verb::Processed, Kind::Ask, from, ask.number, "");
        Answer { text: ask.answer() }
    }
}

impl MailHandler<Post, AtPeer> for Desk {
    async fn on_parcel(&self, cx: &Context<Post, AtPeer>, parcel: Parcel) -> Result<(), Declined> {
        self.take(cx.from().as_str(), &parcel)
    }

    async fn on_ask(&self, cx: &Context<Post, AtPeer>, ask: Ask) -> Answer {
        self.answer(cx.from().as_str(), &ask)
    }
}

impl MailHandler<Post, AtServer> for Desk {
    async fn on_parcel(&self, cx: &Context<Post>, parcel: Parcel) -> Result<(), Declined> {
        self.take(sender(cx), &parcel)
    }

    async fn on_ask(&self, cx: &Context<Post>, ask: Ask) -> Answer {
        self.answer(sender(cx), &ask)
    }
}

fn sender(cx: &Context<Post>) -> &str {
    // The gate lets nobody else through; the office sends nothing to itself.
    cx.peer().map_or(OFFICE, |peer| peer.as_str())
}
