//! A file of bindings that cannot be written: nothing is bound that a restart would forget.
#![cfg(unix)]

use std::env;
use std::process::Command;

use protocol_core::PeerId;
use rendezvous::Bindings;
use rendezvous::events::{LogIn, LoginError};

use crate::keyed::{file, keyed_with, lines, secret};
use crate::log::run;

/// Tells the test that its process cannot write long files.
const LIMITED: &str = "RENDEZVOUS_TEST_FILES_ARE_LIMITED";

#[test]
fn what_cannot_be_written_is_not_bound() {
    if env::var_os(LIMITED).is_some() {
        run(on_a_full_disk());
        return;
    }
    // Such a process gets an error in place of the signal that would end it. 8 blocks are 4 or 8 KiB.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact \"$1\"";
    let test = "full_disk::what_cannot_be_written_is_not_bound";
    let limited = Command::new("sh")
        .args(["-c", script])
        .arg(env::current_exe().unwrap())
        .arg(test)
        .env(LIMITED, "")
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success(), "{out}");
    assert!(out.contains("1 passed"), "{out}");
}

async fn on_a_full_disk() {
    let file = file("full-disk");
    let house = keyed_with(Bindings::open(&file).unwrap(), |_| {}).await;
    let key = secret();
    let id = |number: usize| format!("peer {number:03}");
    let mut bound = 0;
    let refused = loop {
        match house.visit(LogIn::new(id(bound)), Some(&key)).await {
            Ok(_) => bound += 1,
            Err(error) => break error,
        }
    };
    assert!((40..120).contains(&bound), "{bound}");
    for _ in 0..3 {
        assert_eq!(refused, LoginError::NotKept);
        assert_eq!(house.key_of(&id(bound)), None);
        assert_eq!(house.rendezvous().sessions(), 0);
        assert_eq!(lines(&file).len(), bound, "no line is half there");
        let again = house.visit(LogIn::new(id(bound)), Some(&key)).await;
        assert_eq!(again.unwrap_err(), refused);
    }
    // Who needs nothing written is let in.
    house.lets_in(&id(0), Some(&key)).await;
    house.keeps_out(&id(0), None).await;
    house.lets_in("alice", None).await;
    // With some room again all goes on.
    for number in 0..2 {
        let id = PeerId::new(id(number)).unwrap();
        assert!(house.rendezvous().forget_key(&id).await.unwrap());
    }
    house.lets_in(&id(bound), Some(&key)).await;
    house.stop().await;
    let house = keyed_with(Bindings::open(&file).unwrap(), |_| {}).await;
    for number in 0..=bound {
        let owner = (number > 1).then(|| key.public());
        assert_eq!(house.key_of(&id(number)), owner, "{number}");
    }
}
