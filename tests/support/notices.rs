//! What a connection drops without an answer, as a channel that tests await.

use protocol_core::connection::Notice;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A [`Notice`] that owns its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A pass was not handled: its wire name and the code.
    PassRefused(String, String),
    /// A frame's `type` is unknown.
    TypeUnknown,
    /// An answer came that nobody awaits.
    AnswerIgnored,
    /// A handler panicked, for the event of this wire name.
    HandlerPanicked(String),
    /// A handler took too long, for the event of this wire name.
    HandlerTooSlow(String),
    /// A notice that the tests do not know.
    Other(String),
}

impl Seen {
    /// The notice of a pass called `name` that was refused with `code`.
    pub fn refused(name: &str, code: &str) -> Self {
        Self::PassRefused(name.into(), code.into())
    }
}

impl From<&Notice<'_>> for Seen {
    fn from(notice: &Notice<'_>) -> Self {
        match notice {
            Notice::PassRefused { name, error } => Self::refused(name, &error.code),
            Notice::TypeUnknown => Self::TypeUnknown,
            Notice::AnswerIgnored => Self::AnswerIgnored,
            Notice::HandlerPanicked { name } => Self::HandlerPanicked((*name).into()),
            Notice::HandlerTooSlow { name } => Self::HandlerTooSlow((*name).into()),
            other => Self::Other(format!("{other:?}")),
        }
    }
}

/// The notices of the connections that an observer watches.
#[derive(Debug)]
pub struct Notices(UnboundedReceiver<Seen>);

impl Notices {
    /// Waits for the next notice.
    ///
    /// # Panics
    ///
    /// Where all watched connections are gone.
    pub async fn next(&mut self) -> Seen {
        self.0.recv().await.expect("the observer is alive")
    }

    /// The next notice, if there is one already.
    pub fn try_next(&mut self) -> Option<Seen> {
        self.0.try_recv().ok()
    }
}

/// An observer, and what it is told.
pub fn notices() -> (impl Fn(&Notice<'_>) + Send + Sync + 'static, Notices) {
    let (tell, told) = unbounded_channel();
    let observer = move |notice: &Notice<'_>| {
        // A test that no longer looks has seen enough.
        let _ = tell.send(Seen::from(notice));
    };
    (observer, Notices(told))
}
