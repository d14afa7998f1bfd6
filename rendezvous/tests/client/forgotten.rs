//! Ids whose client has lost its key, and how their server forgets it.

use std::fs;
use std::path::Path;

use protocol_core::SecretKey;

use crate::encrypted::{ENCRYPTED, Keys};
use crate::process::{Ended, new_folder, program, run, serve};

fn forget(id: &str, key_file: &Path) -> Ended {
    let mut command = program(&["forget-key", id, "--key-file"]);
    command.arg(key_file);
    run(command)
}

#[test]
fn a_key_that_is_lost_is_forgotten_while_the_server_is_stopped() {
    let path = new_folder().join("server.key");
    let flag = format!("--key-file={}", path.display());
    let before = Keys::new();
    let mut server = serve(&[&flag]);
    let login = before.talk(server.address(), &[ENCRYPTED], "");
    assert_eq!(login.code, 0, "{login:?}");

    let running = forget("alice", &path);
    assert_eq!((running.code, running.stdout.as_str()), (8, ""));
    let fix = "stop it first, and start it again afterwards";
    assert!(running.stderr.contains(fix), "{}", running.stderr);
    server.signal("TERM");
    assert_eq!(server.exit_code(), 0);

    let other = forget("bob", &path);
    assert_eq!((other.code, other.stdout.as_str()), (1, ""));
    let problem = "error: bob belongs to no key, by ";
    assert!(other.stderr.starts_with(problem), "{}", other.stderr);
    let key = SecretKey::from_file(before.own()).unwrap().public();
    let done = forget("Alice", &path);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{done:?}");
    let expected = format!("Alice belongs to no key now; it was {key}\n");
    assert_eq!(done.stdout, expected);
    assert_eq!(forget("alice", &path).code, 1, "it is forgotten already");

    let server = serve(&[&flag]);
    let address = server.address();
    for (keys, code) in [(Keys::new(), 0), (before, 6)] {
        let login = keys.talk(address, &[ENCRYPTED], "");
        assert_eq!(login.code, code, "{login:?}");
    }
}

#[test]
fn nothing_is_made_where_a_server_never_was() {
    let folder = new_folder();
    fs::create_dir_all(&folder).unwrap();
    let ended = forget("alice", &folder.join("server.key"));
    assert_eq!((ended.code, ended.stdout.as_str()), (8, ""));
    let fix = "there is none: name the server's key with --key-file";
    assert!(ended.stderr.contains(fix), "{}", ended.stderr);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let ended = forget("#alice", &folder.join("server.key"));
    assert_eq!(ended.code, 2, "{ended:?}");
}
