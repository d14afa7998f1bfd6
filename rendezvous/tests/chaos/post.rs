//! What couriers carry: numbered parcels and questions, to each other and to the office.

use protocol_core::{Event, EventError, EventSet, Protocol};
use rendezvous::{Login, SessionNews};

/// A numbered pass, to be confirmed.
#[derive(Debug, Event)]
#[event(pass, error = Declined)]
pub(crate) struct Parcel {
    pub(crate) number: u64,
    /// So that some parcels take several reads and writes.
    pub(crate) filling: String,
}

/// A receiver's no, which is an outcome as good as a yes.
#[derive(Debug, PartialEq, Eq, thiserror::Error, EventError)]
pub(crate) enum Declined {
    #[error("the parcel is broken")]
    Broken,
}

/// A numbered request.
#[derive(Debug, Event)]
#[event(request, response = Answer)]
pub(crate) struct Ask {
    pub(crate) number: u64,
}

/// What answers it.
#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Answer {
    pub(crate) text: String,
}

#[derive(Debug, EventSet)]
pub(crate) enum Mail {
    Parcel(Parcel),
    Ask(Ask),
}

/// From courier to courier through any rendezvous server, and to the office, which is one.
#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Login, Mail), to_client = SessionNews, to_peer = Mail)]
pub(crate) struct Post;

impl Parcel {
    /// The parcel with this number.
    pub(crate) fn new(number: u64) -> Self {
        let bytes = usize::try_from(number * 37 % 1_500).expect("few");
        Self {
            number,
            filling: "x".repeat(bytes),
        }
    }

    /// Whether whoever gets it says no.
    pub(crate) fn is_broken(&self) -> bool {
        self.number % 13 == 5
    }
}

impl Ask {
    /// The only right answer.
    pub(crate) fn answer(&self) -> String {
        format!(
            "{0} times {0} is {1}",
            self.number,
            self.number * self.number
        )
    }
}
