//! Every breach of a law is found, so that a story without one means something.

use std::time::Duration;

use protocol_core::PeerId;
use protocol_tests::run_paused;
use tokio::time::sleep;

use super::judge;
use crate::journal::{End, Journal, Kind, LifeId};
use crate::post::Label;

const LONG: Duration = Duration::from_secs(30);

/// Two lives, and what they do.
struct Scene {
    journal: Journal,
    alice: LifeId,
    bob: LifeId,
}

fn scene() -> Scene {
    let journal = Journal::new(0);
    let (alice, bob) = (journal.born("alice"), journal.born("bob"));
    Scene {
        journal,
        alice,
        bob,
    }
}

impl Scene {
    /// Alice calls bob; which call it is, and what arrives.
    fn call(&self, kind: Kind) -> (usize, Label) {
        let (call, number) = self.journal.calls(self.alice, kind, "bob", LONG);
        let label = Label {
            life: self.alice,
            number,
            work_ms: 0,
            unwanted: false,
        };
        (call, label)
    }

    /// Some life handles it from its start to its end.
    fn handle(&self, life: LifeId, kind: Kind, label: Label) {
        let alice = PeerId::new("alice").unwrap();
        let entry = self.journal.handling(life, kind, &alice, label);
        self.journal.handled(entry.expect("it lives"));
    }

    fn wrong(&self) -> Vec<String> {
        judge(&self.journal.book())
    }

    fn is_found(&self, what: &str) {
        let wrong = self.wrong();
        assert!(wrong.iter().any(|line| line.contains(what)), "{wrong:?}");
    }
}

#[test]
fn what_is_as_it_should_be_is_not_found() {
    run_paused(async {
        let scene = scene();
        for kind in [Kind::Parcel, Kind::Ask, Kind::Errand, Kind::Plain] {
            let (call, label) = scene.call(kind);
            scene.handle(scene.bob, kind, label);
            scene.journal.ended(call, End::Done);
        }
        let (call, _) = scene.call(Kind::Parcel);
        scene.journal.ended(call, End::Not("rejected".to_owned()));
        // Whoever is dead hears of no end.
        scene.call(Kind::Parcel);
        scene.journal.dies(scene.alice, "crashes");
        assert_eq!(scene.wrong(), [""; 0]);
    });
}

#[test]
fn what_is_confirmed_and_was_not_handled_is_found() {
    run_paused(async {
        let scene = scene();
        let (call, label) = scene.call(Kind::Parcel);
        scene.journal.ended(call, End::Done);
        scene.is_found("begun and done (0, 0) times");
        // Nor is it enough that its handler began.
        let alice = PeerId::new("alice").unwrap();
        scene
            .journal
            .handling(scene.bob, Kind::Parcel, &alice, label);
        scene.is_found("begun and done (1, 0) times");
    });
}

#[test]
fn what_is_handled_twice_is_found() {
    run_paused(async {
        for end in [End::Done, End::Unknown("lost".to_owned())] {
            let scene = scene();
            let (call, label) = scene.call(Kind::Parcel);
            scene.handle(scene.bob, Kind::Parcel, label);
            scene.handle(scene.bob, Kind::Parcel, label);
            scene.journal.ended(call, end);
            scene.is_found("handled 2 times");
        }
    });
}

#[test]
fn a_request_that_two_lives_execute_is_found() {
    run_paused(async {
        let scene = scene();
        let (call, label) = scene.call(Kind::Ask);
        scene.handle(scene.bob, Kind::Ask, label);
        scene.journal.dies(scene.bob, "crashes");
        scene.handle(scene.journal.born("bob"), Kind::Ask, label);
        scene.journal.ended(call, End::Unknown("lost".to_owned()));
        scene.is_found("handled 2 times");
    });
}

#[test]
fn what_is_handled_out_of_order_is_found() {
    run_paused(async {
        let scene = scene();
        let [(one, first), (two, second)] = [scene.call(Kind::Parcel), scene.call(Kind::Parcel)];
        scene.handle(scene.bob, Kind::Parcel, second);
        scene.handle(scene.bob, Kind::Parcel, first);
        scene.journal.ended(one, End::Done);
        scene.journal.ended(two, End::Done);
        scene.is_found("is handled after 2");
    });
}

#[test]
fn an_end_that_is_not_true_is_found() {
    run_paused(async {
        for end in [
            End::Not("not sent".to_owned()),
            End::Refused,
            End::Odd("another".to_owned()),
        ] {
            let scene = scene();
            let (call, label) = scene.call(Kind::Ask);
            scene.handle(scene.bob, Kind::Ask, label);
            scene.journal.ended(call, end.clone());
            scene.is_found(&format!("ended as {end:?}"));
        }
    });
}

#[test]
fn a_call_that_ends_never_or_twice_or_late_is_found() {
    run_paused(async {
        let scene = scene();
        let (call, label) = scene.call(Kind::Ask);
        scene.is_found("never ends");
        sleep(LONG + Duration::from_secs(1)).await;
        scene.handle(scene.bob, Kind::Ask, label);
        scene.journal.ended(call, End::Done);
        scene.is_found("ends late");
        scene.journal.ended(call, End::Done);
        scene.is_found("ends 2 times");
    });
}

#[test]
fn what_nobody_sent_or_somebody_else_is_found() {
    run_paused(async {
        let scene = scene();
        let (call, label) = scene.call(Kind::Parcel);
        scene.journal.ended(call, End::GivenUp);
        let carol = PeerId::new("carol").unwrap();
        scene
            .journal
            .handling(scene.bob, Kind::Parcel, &carol, label);
        scene.is_found("carol is not its sender");
        let never = Label { number: 7, ..label };
        scene.handle(scene.bob, Kind::Parcel, never);
        scene.is_found("nobody sent");
        // Nor may it come to somebody else.
        scene.handle(scene.journal.born("carol"), Kind::Parcel, label);
        scene.is_found("at carol#1");
    });
}
