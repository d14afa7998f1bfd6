//! Open calls: what was asked of others and is not answered yet.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol_core::wire::FrameType;
use tokio::time::Instant;

use crate::cli::client::command::Field;

/// The command that something is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::client) struct Ticket {
    /// Which line it was; 0 is the login at the start.
    pub(in crate::cli::client) line: u64,
    pub(in crate::cli::client) command: &'static str,
}

/// A call that waits for its answer.
#[derive(Debug)]
pub(in crate::cli::client) struct Call {
    pub(in crate::cli::client) ticket: Ticket,
    pub(in crate::cli::client) kind: FrameType,
    pub(in crate::cli::client) name: String,
    /// The peer that was asked; none is the server.
    pub(in crate::cli::client) peer: Option<String>,
    pub(in crate::cli::client) sent: Instant,
    pub(in crate::cli::client) deadline: Instant,
    /// The join that waits for this list, since it names a room that nothing is known of yet.
    pub(in crate::cli::client) join: Option<Vec<Field>>,
}

/// Calls by their ids.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: BTreeMap<String, Call>,
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.open.contains_key(id)
    }

    pub(super) fn open(&mut self, id: String, call: Call) {
        self.open.insert(id, call);
    }

    /// The call that an answer ends, if it is one to an open call, of the right type and from whom
    /// was asked. The server may answer for a peer, with an error only (`PROTOCOL.md` §3).
    pub(super) fn answered(
        &mut self,
        id: &str,
        kind: FrameType,
        from: Option<&str>,
        is_error: bool,
    ) -> Option<Call> {
        let call = self.open.get(id)?;
        let by_whom = call.peer.as_deref() == from || (from.is_none() && is_error);
        if call.kind != kind || !by_whom {
            return None;
        }
        self.open.remove(id)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.open.values().map(|call| call.deadline).min()
    }

    /// Takes out the calls whose time is over.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<Call> {
        let over = self.open.extract_if(.., |_, call| call.deadline <= now);
        over.map(|(_, call)| call).collect()
    }

    /// Takes all of them out, since no answer can come any more.
    pub(super) fn take(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.open).into_values().collect()
    }
}

/// What peers have asked and nobody has answered yet.
#[derive(Debug, Default)]
pub(super) struct Asked {
    open: BTreeMap<u64, Question>,
    last: u64,
}

/// A request of another's.
#[derive(Debug)]
pub(super) struct Question {
    /// Who asks; none is the server.
    pub(super) from: Option<String>,
    pub(super) id: String,
    pub(super) name: String,
    asked: Instant,
}

impl Asked {
    /// More open questions than anybody answers by hand.
    pub(super) const MOST: usize = 64;

    /// After this the relay has told the asker that no answer came (`PROTOCOL.md` §8).
    const LIFE: Duration = Duration::from_mins(2);

    /// Keeps a question, and gives it its number; none where there are too many.
    pub(super) fn ask(
        &mut self,
        from: Option<&str>,
        id: &str,
        name: &str,
        now: Instant,
    ) -> Option<u64> {
        if self.open.len() >= Self::MOST {
            return None;
        }
        self.last += 1;
        let question = Question {
            from: from.map(str::to_owned),
            id: id.to_owned(),
            name: name.to_owned(),
            asked: now,
        };
        self.open.insert(self.last, question);
        Some(self.last)
    }

    pub(super) fn take(&mut self, number: u64) -> Option<Question> {
        self.open.remove(&number)
    }

    /// A question that could not be answered may be answered again.
    pub(super) fn put_back(&mut self, number: u64, question: Question) {
        self.open.insert(number, question);
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let question = self.open.values().next()?;
        Some(question.asked + Self::LIFE)
    }

    /// Takes out the questions that nobody waits for any more.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<(u64, Question)> {
        self.open
            .extract_if(.., |_, question| question.asked + Self::LIFE <= now)
            .collect()
    }

    pub(super) fn clear(&mut self) {
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(kind: FrameType, peer: Option<&str>) -> Call {
        Call {
            ticket: Ticket {
                line: 1,
                command: "request",
            },
            kind,
            name: "x".to_owned(),
            peer: peer.map(str::to_owned),
            sent: Instant::now(),
            deadline: Instant::now() + Duration::from_secs(10),
            join: None,
        }
    }

    #[test]
    fn only_whom_was_asked_answers() {
        let mut calls = Calls::default();
        let request = FrameType::Request;
        calls.open("1".to_owned(), call(request, Some("bob")));
        for (id, kind, from, is_error) in [
            ("2", request, Some("bob"), false),
            ("1", FrameType::ConfirmPass, Some("bob"), false),
            ("1", request, Some("carol"), true),
            ("1", request, None, false),
        ] {
            assert!(calls.answered(id, kind, from, is_error).is_none());
        }
        assert!(calls.answered("1", request, None, true).is_some());
        calls.open("1".to_owned(), call(request, Some("bob")));
        assert!(calls.answered("1", request, Some("bob"), false).is_some());
        assert!(calls.answered("1", request, Some("bob"), false).is_none());
    }

    #[test]
    fn a_call_ends_at_its_deadline_and_not_before() {
        let mut calls = Calls::default();
        calls.open("1".to_owned(), call(FrameType::Request, None));
        let deadline = calls.next_deadline().unwrap();
        assert!(
            calls
                .expired(deadline - Duration::from_millis(1))
                .is_empty()
        );
        assert_eq!(calls.expired(deadline).len(), 1);
        assert!(calls.is_empty());
    }

    #[test]
    fn questions_have_numbers_and_a_bound() {
        let mut asked = Asked::default();
        let now = Instant::now();
        for number in 1..=Asked::MOST as u64 {
            assert_eq!(asked.ask(Some("bob"), "7", "add", now), Some(number));
        }
        assert_eq!(asked.ask(Some("bob"), "8", "add", now), None);
        assert_eq!(asked.take(1).unwrap().id, "7");
        assert!(asked.take(1).is_none(), "it is answered once");
        let next = Asked::MOST as u64 + 1;
        assert_eq!(asked.ask(None, "9", "add", now), Some(next));
        assert!(
            asked
                .expired(now + Asked::LIFE - Duration::from_millis(1))
                .is_empty()
        );
        assert_eq!(asked.expired(now + Asked::LIFE).len(), Asked::MOST);
    }
}
