//! What can happen next in a session.

use tokio::time::{Instant, sleep_until};

use super::Session;
use crate::cli::client::input::{Input, Inputs};
use crate::cli::client::link::{Link, LinkError};

/// What happens.
pub(super) enum Happening {
    /// Somebody typed, or will not any more.
    Input(Option<Input>),
    /// A frame came, or the link's end.
    Frame(Result<Option<Vec<u8>>, LinkError>),
    /// The time of something is over.
    Deadline,
    /// A signal came, of this name.
    Signal(&'static str),
}

impl Session {
    /// The next that happens. Only what may be cancelled is waited for.
    pub(super) async fn happening(&mut self, inputs: Option<&mut Inputs>) -> Happening {
        let deadline = [
            self.calls.next_deadline(),
            self.waits.next_deadline(),
            self.asked.next_deadline(),
        ];
        let deadline = deadline.into_iter().flatten().min();
        tokio::select! {
            input = next_input(inputs) => Happening::Input(input),
            frame = next_frame(self.link.as_mut()) => Happening::Frame(frame),
            () = at(deadline) => Happening::Deadline,
            signal = self.signals.next() => Happening::Signal(signal),
        }
    }
}

async fn next_input(inputs: Option<&mut Inputs>) -> Option<Input> {
    match inputs {
        Some(inputs) => inputs.next().await,
        None => std::future::pending().await,
    }
}

async fn next_frame(link: Option<&mut Link>) -> Result<Option<Vec<u8>>, LinkError> {
    match link {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
