//! What must hold of every story, judged on its journal (`delivery` in `PROTOCOL.md`).

mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::journal::{Book, Called, End, Handled, Kind, LifeId};

/// How much later than promised a call may end: a few turns of the clock.
const SLACK: Duration = Duration::from_millis(50);

/// All that breaks a law.
pub(crate) fn judge(book: &Book) -> Vec<String> {
    let mut judge = Judge {
        book,
        wrong: book.wrong.clone(),
    };
    let mut handled = judge.sort();
    for call in &book.calls {
        let by = handled.remove(&key_of(call)).unwrap_or_default();
        judge.ends(call);
        judge.is_honest(call, &by);
        judge.not_twice(call, &by);
    }
    for stray in handled.values().flatten() {
        judge.find(format!("nobody sent {}", judge.of_handled(stray)));
    }
    judge.in_order();
    judge.wrong
}

/// A call by its sender, the row that its number is from, and its destination.
type Key = (LifeId, Kind, String, u64);

fn row(kind: Kind) -> Kind {
    match kind {
        Kind::Plain => Kind::Parcel,
        kind => kind,
    }
}

fn key_of(call: &Called) -> Key {
    (call.life, row(call.kind), call.to.clone(), call.number)
}

struct Judge<'a> {
    book: &'a Book,
    wrong: Vec<String>,
}

impl<'a> Judge<'a> {
    fn find(&mut self, what: String) {
        self.wrong.push(what);
    }

    /// What was handled, by the call that it came of.
    fn sort(&mut self) -> BTreeMap<Key, Vec<&'a Handled>> {
        let mut sorted = BTreeMap::<Key, Vec<_>>::new();
        for handled in &self.book.handled {
            let sender = &self.book.lives[handled.label.life];
            if sender.peer() != handled.from {
                let text = format!("{} is not its sender", handled.from);
                self.find(format!("{text}: {}", self.of_handled(handled)));
            }
            let to = match handled.kind {
                Kind::Say { room } => format!("room {room}"),
                _ => self.book.lives[handled.life].peer().to_owned(),
            };
            let (life, number) = (handled.label.life, handled.label.number);
            let key = (life, row(handled.kind), to, number);
            sorted.entry(key).or_default().push(handled);
        }
        sorted
    }

    /// Each call ends exactly once, in its time, while its process lives.
    fn ends(&mut self, call: &Called) {
        let dead = self.book.lives[call.life].died.is_some();
        match &call.ends[..] {
            [] if dead => {}
            [] => self.find(format!("{} never ends", self.of_call(call))),
            [(at, _)] => {
                if *at > call.begun + call.timeout + SLACK {
                    self.find(format!("{} ends late", self.of_call(call)));
                }
            }
            ends => self.find(format!("{} ends {} times", self.of_call(call), ends.len())),
        }
    }

    /// What the caller was told is what happened.
    fn is_honest(&mut self, call: &Called, by: &[&Handled]) {
        let Some((_, end)) = call.ends.first() else {
            return;
        };
        let done: Vec<_> = by.iter().filter(|handled| handled.is_done).collect();
        let holds = match end {
            End::Done | End::Refused => {
                let unwanted = *end == End::Refused;
                by.len() == 1 && done.len() == 1 && done[0].label.unwanted == unwanted
            }
            End::Not(_) => by.is_empty(),
            End::Odd(_) => false,
            End::Unknown(_) | End::GivenUp | End::Sent => true,
        };
        if !holds {
            let times = (by.len(), done.len());
            let text = format!("{} was begun and done {times:?} times", self.of_call(call));
            self.find(format!("{text}, and ended as {end:?}"));
        }
    }

    /// A receiver handles a pass at most once, and a request is executed at most once at all.
    fn not_twice(&mut self, call: &Called, by: &[&Handled]) {
        let mut lives: Vec<_> = by.iter().map(|handled| handled.life).collect();
        let all = lives.len();
        lives.sort_unstable();
        lives.dedup();
        let is_request = matches!(call.kind, Kind::Ask | Kind::Errand);
        if lives.len() < all || (is_request && all > 1) {
            self.find(format!("{} was handled {all} times", self.of_call(call)));
        }
    }

    /// Each receiver handles passes of one sender in the order of their numbers, confirmed ones and
    /// others each for themselves.
    fn in_order(&mut self) {
        let kinds: BTreeMap<Key, Kind> = (self.book.calls.iter())
            .map(|call| (key_of(call), call.kind))
            .collect();
        let mut latest = BTreeMap::<(LifeId, LifeId, Kind), u64>::new();
        for handled in &self.book.handled {
            let to = match handled.kind {
                Kind::Say { room } => format!("room {room}"),
                Kind::Ask | Kind::Errand => continue,
                _ => self.book.lives[handled.life].peer().to_owned(),
            };
            let (life, number) = (handled.label.life, handled.label.number);
            let Some(kind) = kinds.get(&(life, row(handled.kind), to, number)) else {
                continue;
            };
            let before = latest.entry((handled.life, life, *kind)).or_default();
            if *before >= number {
                let text = format!("is handled after {before}");
                self.wrong
                    .push(format!("{} {text}", self.of_handled(handled)));
            }
            *before = number.max(*before);
        }
    }

    fn of_call(&self, call: &Called) -> String {
        let name = &self.book.lives[call.life].name;
        format!("{:?} {} of {name} to {}", call.kind, call.number, call.to)
    }

    fn of_handled(&self, handled: &Handled) -> String {
        let from = &self.book.lives[handled.label.life].name;
        let at = &self.book.lives[handled.life].name;
        format!(
            "{:?} {} of {from} at {at}",
            handled.kind, handled.label.number
        )
    }
}
