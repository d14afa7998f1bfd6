//! What must hold of streams: after each step, and once the network is whole.

use std::time::Duration;

use protocol_core::connection::delivery::Ended;

use super::end::{Result, UNWANTED};
use super::{State, World};

/// Everything settles within this time once the network is whole.
const SETTLED_WITHIN: Duration = Duration::from_mins(10);

/// Longer than anything waits before it is sent again.
const LONGEST_WAIT: Duration = Duration::from_secs(61);

impl World {
    /// What must hold after each step.
    pub(super) fn check(&mut self) {
        for (pass, how) in std::mem::take(&mut self.ended) {
            let (to, state) = &mut self.passes[pass as usize];
            assert_eq!(*state, State::Open, "{pass} ends twice: {how:?}");
            *state = State::Ended;
            self.confirmed += usize::from(how == Ended::Confirmed);
            let ran = self.ends[*to].ran.get(&pass);
            if !self.is_honest {
                continue;
            }
            match how {
                Ended::Confirmed => assert_eq!(ran, Some(&Some(Result::Done)), "{pass}"),
                Ended::Refused(error) if error.code == UNWANTED => {
                    assert_eq!(ran, Some(&Some(Result::Refused)), "{pass}");
                }
                Ended::Refused(_) | Ended::NotSentInTime => assert_eq!(ran, None, "{pass}"),
                Ended::TimedOut => {
                    let longest = self.whole_since.map(|since| since + LONGEST_WAIT);
                    let deadline = self.deadlines[pass as usize];
                    assert!(
                        longest.is_none_or(|longest| deadline <= longest),
                        "nothing was in the way of {pass}"
                    );
                }
                Ended::Unknown(_) => {}
            }
        }
        let open = self
            .passes
            .iter()
            .filter(|(_, state)| *state == State::Open);
        assert_eq!(self.sender.open(), open.count());
        if self.sender.open() == 0 && self.sender.in_flight() == 0 {
            assert_eq!(self.sender.bytes(), 0);
        }
    }

    /// The network is whole from now on: everything ends, and nothing is kept.
    pub(super) fn settle(&mut self) {
        let until = self.now + SETTLED_WITHIN;
        self.whole_since = Some(self.now);
        self.cut();
        loop {
            self.transmit(usize::MAX);
            for frame in std::mem::take(&mut self.frames) {
                self.deliver(&frame);
            }
            for end in 0..3 {
                while self.ends[end].is_running() {
                    self.process(end, Result::Done);
                }
            }
            for answer in std::mem::take(&mut self.answers) {
                self.answered(answer);
            }
            self.check();
            if self.sender.open() == 0 && self.sender.in_flight() == 0 {
                return;
            }
            if !self.sender.is_ready() {
                let due = self.sender.next_deadline().expect("something is due");
                self.pass_time(due.saturating_duration_since(self.now));
                assert!(self.now <= until, "not all is settled");
            }
        }
    }
}
