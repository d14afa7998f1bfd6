//! The reference: what really happened, and what may be said of it.

use protocol_core::connection::delivery::Ended;

/// What became of everything, as somebody who sees both ends knows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Truth {
    pub(crate) passes: Vec<Fate>,
    /// Runs of handlers in the order in which they began.
    pub(crate) runs: Vec<Run>,
    /// Executions of requests: destination, its life, the request.
    pub(crate) executions: Vec<(usize, u8, u8)>,
    /// What requests were answered with: the place of their execution.
    pub(crate) answers: Vec<(u8, usize)>,
}

/// A pass and its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fate {
    pub(crate) dest: usize,
    pub(crate) bytes: usize,
    pub(crate) ended: Option<Ended>,
    /// Nobody waits for its end any more.
    pub(crate) swept: bool,
}

/// One run of a handler; `result` is none as long as it goes on, or where it was cut short.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) dest: usize,
    pub(crate) life: u8,
    pub(crate) pass: u8,
    pub(crate) result: Option<bool>,
}

impl Truth {
    pub(crate) fn open(&self) -> impl Iterator<Item = &Fate> {
        let is_open = |pass: &&Fate| pass.ended.is_none() && !pass.swept;
        self.passes.iter().filter(is_open)
    }

    /// No life runs a pass or executes a request twice.
    pub(crate) fn never_twice(&self) -> bool {
        let same = |one: &Run, other: &Run| {
            (one.dest, one.life, one.pass) == (other.dest, other.life, other.pass)
        };
        let runs = |(at, run)| !self.runs[..at].iter().any(|earlier| same(earlier, run));
        let requests = |(at, it)| !self.executions[..at].contains(it);
        self.runs.iter().enumerate().all(runs) && self.executions.iter().enumerate().all(requests)
    }

    /// A life runs passes in the order in which they were confirmed, one after the other.
    pub(crate) fn in_order(&self) -> bool {
        self.runs.iter().enumerate().all(|(at, run)| {
            let mut earlier = self.runs[..at].iter();
            earlier.all(|earlier| {
                (earlier.dest, earlier.life) != (run.dest, run.life)
                    || earlier.pass <= run.pass && earlier.result.is_some()
            })
        })
    }

    /// What is confirmed was run to its end by some life, and went well.
    pub(crate) fn confirmed_is_run(&self) -> bool {
        self.passes.iter().enumerate().all(|(pass, fate)| {
            fate.ended != Some(Ended::Confirmed) || self.results(pass).any(|it| it == Some(true))
        })
    }

    /// What is refused was run and ended so, or was never run where the relay refused it.
    pub(crate) fn refused_is_true(&self) -> bool {
        self.passes.iter().enumerate().all(|(pass, fate)| {
            let Some(Ended::Refused(error)) = &fate.ended else {
                return true;
            };
            match error.standard() {
                None => self.results(pass).any(|result| result == Some(false)),
                Some(_) => self.results(pass).count() == 0,
            }
        })
    }

    /// All answers to a request that one execution got are the same.
    pub(crate) fn answers_are_one(&self) -> bool {
        let life = |(request, execution): &(u8, usize)| {
            let (dest, life, executed) = self.executions[*execution];
            (executed == *request).then_some((dest, life, executed))
        };
        self.answers.iter().all(|one| {
            let theirs = life(one);
            let mut others = self.answers.iter();
            theirs.is_some() && others.all(|other| life(other) != theirs || other.1 == one.1)
        })
    }

    fn results(&self, pass: usize) -> impl Iterator<Item = Option<bool>> {
        let runs = self.runs.iter();
        runs.filter(move |run| usize::from(run.pass) == pass)
            .map(|run| run.result)
    }
}
