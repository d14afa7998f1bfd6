//! Tokens that prove an id, and that nobody sees.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use protocol_core::Encryption;
use protocol_tests::WATCHDOG;
use rendezvous::{Config, MAX_TOKEN_BYTES, Rendezvous, Tokens};
use serde_json::{Value, json};

use crate::process::{new_folder, program, run};
use crate::sealed::House;
use crate::talk::talk;

const TOKEN: &str = "kR3vVq0cJ7w2mZ9x";

fn house() -> House {
    let mut config = Config::default();
    config.tokens = Some(Tokens::new([("alice", TOKEN)]).unwrap());
    House::with(Rendezvous::new(config), Encryption::Plain)
}

/// A file of a token, of which its owner alone can read.
fn new_file(text: &str) -> PathBuf {
    let folder = new_folder();
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("token");
    fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    path
}

#[test]
fn a_token_proves_an_id_and_is_not_shown() {
    let house = house();
    let address = house.address;
    let file = new_file(&format!("{TOKEN}\n"));
    let in_file = ["--token-file", file.to_str().unwrap()];
    for flags in [&["--token", TOKEN][..], &in_file] {
        let flags = [flags, &["--json"]].concat();
        let ended = talk(
            address,
            "alice",
            &flags,
            "ping\nlogout\nlogin alice\nping\n",
        );
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(!ended.stdout.contains(TOKEN), "{}", ended.stdout);
    }
    let mut command = program(&["client", "--id=alice", &address.to_string()]);
    command.env("RENDEZVOUS_TOKEN", TOKEN);
    assert_eq!(run(command).code, 0);
}

#[test]
fn without_the_right_token_one_is_told_what_to_give() {
    let house = house();
    let wrong = "pT5nLs8yB1d4hG6f";
    for flags in [&[][..], &["--token", wrong]] {
        let ended = talk(house.address, "alice", flags, "ping\n");
        assert_eq!((ended.code, ended.stdout.as_str()), (6, ""), "{ended:?}");
        assert!(ended.stderr.contains("login: auth_failed: "), "{ended:?}");
        let advice = "  try: give the id's token: --token-file, or `login ID token=…`\n";
        assert!(ended.stderr.ends_with(advice), "{}", ended.stderr);
        assert!(!ended.stderr.contains(wrong), "{}", ended.stderr);
    }
}

/// A server that lets anybody in; the logins that it gets.
fn door(logins: usize) -> (SocketAddr, JoinHandle<Vec<Value>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        let mut stream = BufReader::new(stream);
        let mut seen = Vec::new();
        while seen.len() < logins {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let login: Value = serde_json::from_str(&line).unwrap();
            let answer = json!({
                "type": "response", "name": "login", "request_id": login["request_id"],
                "data": {
                    "id": login["data"]["id"], "session": "s", "grace_ms": 0, "resumed": false,
                    "rooms": [],
                },
            });
            let answer = format!("{answer}\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            seen.push(login["data"].clone());
        }
        seen
    });
    (address, server)
}

#[test]
fn the_token_is_for_its_id_alone() {
    let (address, server) = door(3);
    let script = "login bob\nlogin alice token=other\n";
    talk(address, "alice", &["--token", TOKEN], script);
    assert_eq!(
        server.join().unwrap(),
        [
            json!({"id": "alice", "token": TOKEN}),
            json!({"id": "bob"}),
            json!({"id": "alice", "token": "other"}),
        ]
    );
}

#[test]
fn nothing_but_one_line_end_is_taken_off_a_file() {
    let longest = "a".repeat(MAX_TOKEN_BYTES);
    for (text, token) in [
        (format!("{TOKEN}\n"), TOKEN),
        (format!(" {TOKEN} \n"), &format!(" {TOKEN} ")),
        (format!("{longest}\r\n"), &longest),
    ] {
        let (address, server) = door(1);
        let file = new_file(&text);
        talk(
            address,
            "alice",
            &["--token-file", file.to_str().unwrap()],
            "",
        );
        assert_eq!(
            server.join().unwrap(),
            [json!({"id": "alice", "token": token})]
        );
    }
}

#[test]
fn a_file_without_one_token_is_named_with_what_is_wrong() {
    let client = |path: &Path| {
        let mut command = program(&["client", "--id=alice", "--token-file"]);
        command.arg(path);
        run(command)
    };
    let long = "a".repeat(MAX_TOKEN_BYTES + 1);
    let lines = format!("{TOKEN}\n\n");
    for (text, problem) in [
        ("\n", "it is empty"),
        (
            "kR3vVq0cJ7w2mZ9x\npT5nLs8yB1d4hG6f\n",
            "it has several lines",
        ),
        (&lines, "it has several lines"),
        (&long, "it has more than 1024 bytes"),
    ] {
        let path = new_file(text);
        let ended = client(&path);
        assert_eq!((ended.code, ended.stdout.as_str()), (8, ""), "{ended:?}");
        let expected = format!(
            "error: cannot use the token file {}: {problem}",
            path.display()
        );
        assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
        assert!(!ended.stderr.contains(TOKEN), "{}", ended.stderr);
    }
    let ended = client(&new_folder().join("nothing"));
    assert_eq!(ended.code, 8, "{ended:?}");
}

#[test]
#[cfg(unix)]
fn a_file_that_others_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let path = new_file(TOKEN);
    for (mode, refused) in [(0o640, true), (0o604, true), (0o400, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = program(&["client", "--id=alice", "127.0.0.1:1", "--token-file"]);
        command.arg(&path);
        let ended = run(command);
        assert_eq!(ended.code, if refused { 8 } else { 5 }, "{ended:?}");
        assert_eq!(ended.stderr.contains("`chmod 600`"), refused, "{ended:?}");
    }
}

#[test]
fn help_and_complaints_do_not_show_the_token() {
    for args in [
        &["client", "--help"][..],
        &["client", "-h"],
        &["client", "--id=alice", "--token-file=x"],
        &["man"],
    ] {
        let mut command = program(args);
        command.env("RENDEZVOUS_TOKEN", TOKEN);
        let ended = run(command);
        assert!(!ended.stdout.contains(TOKEN), "{}", ended.stdout);
        assert!(!ended.stderr.contains(TOKEN), "{}", ended.stderr);
    }
    let ended = run(program(&["client", "--id=alice", "--token="]));
    assert_eq!(ended.code, 2, "{ended:?}");
}
