//! A courier's calls to one destination: numbered, several open at once, each with one outcome.

use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use protocol_core::{Client, PeerId, RequestError};
use protocol_tests::still_waits;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::flags::{Flags, IN_FLIGHT, OFFICE};
use super::{Stage, reached};
use crate::journal::{Journal, Kind, Reader, Verb};
use crate::post::{Ask, Parcel, Post};

/// One call in so many is a request.
const ASK_EVERY: u64 = 8;

pub(super) struct Rounds {
    destination: String,
    client: Client<Post>,
    journal: Arc<Journal>,
    pace: Duration,
    /// The number of the call that comes next, whatever earlier processes have started included.
    next: u64,
}

type Round = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Rounds {
    pub(super) fn new(
        flags: &Flags,
        destination: String,
        client: Client<Post>,
        journal: Arc<Journal>,
    ) -> Self {
        Self {
            next: first_after(&flags.journal, &destination),
            pace: flags.pace,
            destination,
            client,
            journal,
        }
    }

    /// Makes calls until the process is to stop, and waits for their ends.
    pub(super) async fn make(mut self, mut stages: watch::Receiver<Stage>) {
        let mut ticks = interval(self.pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = pin!(reached(&mut stages, Stage::Stopping));
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(ended) = open.join_next() => ended.expect("a call ends"),
                _ = ticks.tick(), if open.len() < IN_FLIGHT => {
                    let mut round = self.start();
                    // The order of calls is that of their first polls.
                    if still_waits(&mut round).await {
                        open.spawn(round);
                    }
                }
            }
        }
        while let Some(ended) = open.join_next().await {
            ended.expect("a call ends");
        }
    }

    /// The next call.
    fn start(&mut self) -> Round {
        let number = self.next;
        self.next += 1;
        let (client, journal) = (self.client.clone(), Arc::clone(&self.journal));
        let to = self.destination.clone();
        Box::pin(async move {
            if number.is_multiple_of(ASK_EVERY) {
                journal.write(Verb::Started, Kind::Ask, &to, number, "");
                let (verb, reason) = ask(&client, &to, number).await;
                journal.write(verb, Kind::Ask, &to, number, &reason);
            } else {
                journal.write(Verb::Started, Kind::Parcel, &to, number, "");
                let (verb, reason) = confirm(&client, &to, number).await;
                journal.write(verb, Kind::Parcel, &to, number, &reason);
            }
        })
    }
}

/// The first number that no earlier process has used.
fn first_after(journal: &Path, destination: &str) -> u64 {
    let mut journal = Reader::new("", journal);
    journal.read_on();
    let started = journal
        .entries
        .iter()
        .filter(|entry| entry.verb == Verb::Started && entry.peer == destination);
    started.map(|entry| entry.number).max().unwrap_or(0) + 1
}

fn peer(to: &str) -> PeerId {
    to.parse().expect("a peer's name")
}

async fn confirm(client: &Client<Post>, to: &str, number: u64) -> (Verb, String) {
    let parcel = Parcel::new(number);
    let ended = if to == OFFICE {
        client.confirm(parcel).await
    } else {
        client.to(&peer(to)).confirm(parcel).await
    };
    match ended {
        Ok(()) => (Verb::Confirmed, String::new()),
        Err(error) => outcome(&error),
    }
}

async fn ask(client: &Client<Post>, to: &str, number: u64) -> (Verb, String) {
    let ask = Ask { number };
    let expected = ask.answer();
    let ended = if to == OFFICE {
        client.request(ask).await
    } else {
        client.to(&peer(to)).request(ask).await
    };
    match ended {
        Ok(answer) if answer.text == expected => (Verb::Confirmed, String::new()),
        Ok(answer) => (Verb::Wrong, answer.text),
        Err(error) => outcome(&error),
    }
}

fn outcome<E: std::fmt::Display>(error: &RequestError<E>) -> (Verb, String) {
    let verb = match error {
        RequestError::Refused(_) => Verb::Refused,
        RequestError::BadAnswer(_) | RequestError::Other(_) => Verb::Wrong,
        error if error.is_unknown() => Verb::Unknown,
        _ => Verb::Rejected,
    };
    (verb, error.to_string())
}
