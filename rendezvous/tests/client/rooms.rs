//! Rooms from the keyboard: by name, and with the picture that the news paint.

use crate::process::serve;
use crate::talk::{Talk, talk};

#[test]
fn two_meet_in_a_room() {
    let server = serve(&[]);
    let address = server.address();
    let mut alice = Talk::logged_in(address, "alice");
    alice.type_in("create lobby capacity=4 password=sesame meta={\"level\":3}\n");
    alice.until("lobby (");

    let mut bob = Talk::logged_in(address, "bob");
    bob.type_in("rooms\njoin lobby password=sesame\nwho\n");
    bob.until("lobby  1 of 4, password, host alice");
    bob.until("you are in lobby (");
    let room = bob.until("2 of 4, revision 2, public, password, meta {\"level\":3}");
    assert!(room.starts_with("lobby ("), "{room}");
    bob.until("  alice (online, host)");
    bob.until("  bob (online)");

    alice.until("bob is in lobby (");
    alice.type_in("say hello bob\nhost lobby bob\n");
    alice.until("done: revision 3");
    bob.until(": say \"hello bob\"");
    bob.until("bob is the host of lobby (");
    bob.type_in("kick lobby alice message=\"good night\"\nupdate lobby locked=yes name=den\n");
    let left = alice.until("you are no longer in lobby (");
    assert!(left.ends_with(": kicked by bob (\"good night\")"), "{left}");
    bob.until("alice is no longer in lobby (");
    bob.until("den (");
    bob.type_in("delete den\nwait self_left\nwho\n");
    bob.until("the room was deleted");
    bob.until("you are in no room");
    for talk in [&mut alice, &mut bob] {
        let ended = talk.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    }
}

#[test]
fn a_private_room_is_entered_by_its_invite() {
    let server = serve(&[]);
    let address = server.address();
    let mut alice = Talk::logged_in(address, "alice");
    alice.type_in("create \"my den\" visibility=private\ninvite \"my den\" uses=1\n");
    let line = alice.until("invite ");
    let code = line.strip_prefix("invite ").expect("the code").to_owned();
    let script = format!("join invite={code}\nleave \"my den\"\n");
    let bob = talk(address, "bob", &[], &script);
    assert_eq!((bob.code, bob.stderr.as_str()), (0, ""), "{bob:?}");
    assert!(bob.stdout.contains("bob (online)"), "{}", bob.stdout);

    let carol = talk(address, "carol", &[], &script);
    assert_eq!(carol.code, 1);
    for part in ["line 1: join: room_not_found: ", "try: `rooms` lists"] {
        assert!(carol.stderr.contains(part), "{}", carol.stderr);
    }
    assert!(!carol.stderr.contains(&code), "{}", carol.stderr);
}

#[test]
fn a_long_list_comes_in_parts() {
    let server = serve(&[]);
    let address = server.address();
    let script = "create one\ncreate two\ncreate three\nrooms limit=2\nmore\nrooms thr\n";
    let ended = talk(address, "alice", &[], script);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let listed: Vec<_> = ended
        .stdout
        .lines()
        .filter(|line| line.contains(", host alice") || line.contains("`more` shows"))
        .map(|line| line.split_once("  ").map_or(line, |(_, rest)| rest))
        .collect();
    assert_eq!(
        listed,
        [
            "one  1 of 16, host alice",
            "two  1 of 16, host alice",
            "there are more: `more` shows them",
            "three  1 of 16, host alice",
            "three  1 of 16, host alice",
        ]
    );
}

#[test]
fn of_two_rooms_with_one_name_an_id_is_asked_for() {
    let server = serve(&[]);
    let address = server.address();
    let script = "create lobby\ncreate lobby\nleave lobby\n";
    let ended = talk(address, "alice", &[], script);
    assert_eq!(ended.code, 1);
    let expected = "error: line 3: `lobby` may be 2 rooms: write more of an id, such as ";
    assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
}

#[test]
fn a_room_is_joined_by_a_name_that_was_never_listed() {
    let server = serve(&[]);
    let address = server.address();
    let mut alice = Talk::logged_in(address, "alice");
    alice.type_in("create lobby\n");
    alice.until("lobby (");
    let bob = talk(address, "bob", &[], "join lobby\nwho\njoin cellar\n");
    assert!(bob.stdout.contains("  bob (online)"), "{}", bob.stdout);
    let missing = "line 3: join: room_not_found: ";
    assert!(bob.stderr.contains(missing), "{}", bob.stderr);
    assert_eq!(bob.code, 1);
    alice.end();
}

#[test]
fn a_room_that_is_gone_gives_its_name_free() {
    let server = serve(&[]);
    let address = server.address();
    let mut alice = Talk::logged_in(address, "alice");
    alice.type_in("create lobby\n");
    alice.until("lobby (");
    let mut bob = Talk::logged_in(address, "bob");
    bob.type_in("join lobby\nleave lobby\n");
    bob.until("you are no longer in lobby");
    alice.until("bob is no longer in lobby");
    alice.type_in("delete lobby\ncreate lobby\nping\n");
    alice.until("you are no longer in lobby");
    alice.until("you are in lobby (");
    bob.type_in("rooms\njoin lobby\nwho\n");
    bob.until("  bob (online)");
    for talk in [&mut alice, &mut bob] {
        let ended = talk.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    }
}
