//! What a disk that is slow keeps waiting.

use std::{env, fs};

use protocol_core::{Protocol, Server};
use protocol_tests::run_paused;
use uuid::Uuid;

use super::*;
use crate::config::Config;
use crate::service::Rendezvous;
use crate::state::{Change, Table};

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = crate::Login, to_client = crate::SessionNews)]
struct House;

const KEY: PublicKey = PublicKey::from_bytes([1; 32]);

fn alice() -> PeerName {
    PeerName::new("alice").unwrap()
}

/// A file in a folder of its own, which goes with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("rendezvous-{}", Uuid::new_v4());
        let folder = Self(env::temp_dir().join(name));
        fs::create_dir(&folder.0).unwrap();
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.join("server.bindings")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bindings for a file to which nothing is written yet.
fn stuck() -> Bindings {
    Bindings {
        shared: Arc::new(Shared::new(State::in_file(Table::default()))),
        writer: None,
    }
}

fn unstick(bindings: &mut Bindings, folder: &Folder) {
    let (journal, _) = Journal::open(&folder.file(), today()).unwrap();
    let shared = Arc::clone(&bindings.shared);
    bindings.writer = Some(thread::spawn(move || shared.write_to(journal)));
}

#[test]
fn a_slow_disk_does_not_hold_a_login_up_for_ever() {
    run_paused(async {
        let mut bindings = stuck();
        // The second finds the id bound and waits as well: nobody is let in who is not in the file.
        for _ in 0..2 {
            let began = tokio::time::Instant::now();
            let claimed = bindings.claim(&alice(), KEY, true, 9).await;
            assert_eq!(claimed, Err(NotWritten));
            assert_eq!(began.elapsed(), WRITE_WAIT);
        }
        let other = PublicKey::from_bytes([2; 32]);
        let taken = bindings.claim(&alice(), other, true, 9).await;
        assert_eq!(taken, Ok(Claim::Taken));
        let folder = Folder::new();
        unstick(&mut bindings, &folder);
        drop(bindings);
        let text = folder.text();
        assert_eq!(text.matches("alice").count(), 1, "{text}");
    });
}

#[test]
fn a_disk_that_hangs_does_not_hold_the_end_up() {
    run_paused(async {
        let mut bindings = stuck();
        let (hang, hangs) = std::sync::mpsc::channel::<()>();
        bindings.writer = Some(thread::spawn(move || assert!(hangs.recv().is_err())));
        let rendezvous = Rendezvous::with_bindings(Config::default(), bindings);
        let bind = rendezvous.attach(Server::<House>::in_memory());
        let server = bind.handle(rendezvous.clone()).await.unwrap();
        let began = tokio::time::Instant::now();
        assert!(!rendezvous.shutdown(&server, WRITE_WAIT).await);
        assert_eq!(began.elapsed(), WRITE_WAIT);
        // Waits no more: the clock that counts here stands still.
        let began = std::time::Instant::now();
        drop((server, rendezvous));
        assert!(began.elapsed() < WRITE_WAIT);
        drop(hang);
    });
}

#[test]
fn the_end_of_a_session_is_a_use() {
    let mut bindings = stuck();
    let yesterday = Day(today().0 - 1);
    let bind = |used| Change::Bind {
        id: alice().key().into(),
        key: KEY,
        used,
    };
    let mut state = bindings.shared.lock();
    state.table.apply(&bind(yesterday)).unwrap();
    let changes = state.table.to_changes();
    bindings.shared.put(&mut state, changes);
    drop(state);
    for key in [None, Some(PublicKey::from_bytes([2; 32]))] {
        drop(bindings.enter(&alice(), key));
        let all = bindings.shared.lock().table.to_changes();
        assert_eq!(all, [bind(yesterday)], "another's link");
    }
    let online = bindings.enter(&alice(), Some(KEY));
    let all = bindings.shared.lock().table.to_changes();
    assert_eq!(all, [bind(yesterday)]);
    drop(online);
    let folder = Folder::new();
    unstick(&mut bindings, &folder);
    drop(bindings);
    let used = format!("use {} alice\n", today().0);
    assert!(folder.text().ends_with(&used), "{}", folder.text());
}

#[test]
fn no_more_wait_for_a_slow_disk_than_may() {
    run_paused(async {
        let mut bindings = stuck();
        let claim = |number: usize| {
            let id = PeerName::new(&format!("alice {number}")).unwrap();
            bindings.claim_now(&id, KEY, true, usize::MAX)
        };
        let mut waiting = Vec::new();
        for number in 0..MOST_WAITING {
            waiting.push(claim(number).unwrap().1);
        }
        assert!(claim(MOST_WAITING).is_err());
        assert_eq!(bindings.len(), MOST_WAITING);
        let folder = Folder::new();
        unstick(&mut bindings, &folder);
        for written in waiting {
            let written = written.unwrap().wait_for(Option::is_some).await.is_ok();
            assert!(written);
        }
        drop(bindings);
        let text = folder.text();
        assert_eq!(text.matches("bind ").count(), MOST_WAITING);
    });
}

#[test]
fn a_claim_that_is_taken_back_is_not_in_the_file() {
    let mut bindings = stuck();
    assert!(bindings.claim_now(&alice(), KEY, true, 9).is_ok());
    bindings.take_back(&alice(), PublicKey::from_bytes([2; 32]));
    assert_eq!(bindings.len(), 1, "somebody else's");
    bindings.take_back(&alice(), KEY);
    assert_eq!(bindings.len(), 0);
    let folder = Folder::new();
    unstick(&mut bindings, &folder);
    drop(bindings);
    assert_eq!(Bindings::open(folder.file()).unwrap().len(), 0);
}
