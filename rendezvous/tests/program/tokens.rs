//! The file of tokens: who may log in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use protocol_tests::Process;

use crate::process::{Client, new_folder, program, run};

const ALICES: &str = "kR3vVq0cJ7w2mZ9x";
const BOBS: &str = "pT5nLs8yB1d4hG6f";

/// A file of its own with this content, which nobody else can read.
fn file(content: &str) -> PathBuf {
    let folder = new_folder();
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("tokens.toml");
    fs::write(&path, content).unwrap();
    #[cfg(unix)]
    set_mode(&path, 0o600);
    path
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn serve(path: &Path) -> Command {
    let mut command = program(&["serve", "--listen=127.0.0.1:0", "--log=trace"]);
    command.arg("--auth-token-file").arg(path);
    command
}

/// What a server that does not start for the sake of the file says of it.
fn refusal(path: &Path) -> String {
    let ended = run(serve(path));
    let message = ended.stderr;
    assert_eq!((ended.code, ended.stdout.as_str()), (8, ""), "{message}");
    for token in [ALICES, BOBS] {
        assert!(!message.contains(token), "{message}");
    }
    message
}

#[test]
fn who_has_the_token_logs_in_and_nobody_else() {
    let server = Process::start(serve(&file(&format!(
        "alice = \"{ALICES}\"\n\"b.o.b\" = \"{BOBS}\"\n"
    ))));
    let address = server.address();
    for (login, answer) in [
        (format!(r#"{{"id":"alice","token":"{ALICES}"}}"#), "alice"),
        (format!(r#"{{"id":"b.o.b","token":"{BOBS}"}}"#), "b.o.b"),
        (
            format!(r#"{{"id":"alice","token":"{BOBS}"}}"#),
            "auth_failed",
        ),
        (
            format!(r#"{{"id":"carol","token":"{BOBS}"}}"#),
            "auth_failed",
        ),
        (r#"{"id":"carol"}"#.to_owned(), "auth_failed"),
    ] {
        let found = Client::at(address).ask("login", &login);
        let word = found["data"]["id"].as_str();
        let word = word.or(found["error"]["code"].as_str());
        assert_eq!(word, Some(answer), "{login}: {found}");
    }
    #[cfg(unix)]
    {
        let mut server = server;
        server.signal("TERM");
        assert_eq!(server.exit_code(), 0);
        let log = server.stderr.rest();
        assert!(
            log.contains("tokens.toml") && log.contains("ids=2"),
            "{log}"
        );
        assert!(!log.contains(ALICES) && !log.contains(BOBS), "{log}");
    }
}

#[test]
fn all_mistakes_are_named_with_their_lines() {
    let path = file(&format!(
        "# ours\nalice = 'short'\nbob = '{BOBS}'\n\"#carol\" = '{ALICES}'\n"
    ));
    let message = refusal(&path);
    let name = path.display();
    for part in [
        format!("error: {name}:2: the token cannot be used: it has 5 characters"),
        format!("\n{name}:4: the id "),
    ] {
        assert!(message.contains(&part), "{message}");
    }
    for id in ["alice", "bob", "carol"] {
        assert!(!message.contains(id), "{message}");
    }

    let path = file(&format!("alice = {ALICES}\n"));
    let message = refusal(&path);
    let expected = format!("error: {}:1: no TOML (", path.display());
    assert!(message.contains(&expected), "{message}");

    let mut check = program(&["check-config", "--auth-token-file"]);
    check.arg(&path);
    let checked = run(check);
    assert_eq!((checked.code, checked.stdout.as_str()), (2, ""));
    assert!(checked.stderr.starts_with(&expected), "{}", checked.stderr);
}

#[test]
fn a_file_of_another_kind_is_not_told_line_by_line() {
    let lines: Vec<_> = (0..100).map(|id| format!("id{id} = 'short'")).collect();
    let message = refusal(&file(&lines.join("\n")));
    let found = message.lines().filter(|line| line.contains("tokens.toml:"));
    assert_eq!(found.count(), 11, "{message}");
    assert!(message.contains(": 90 more mistakes"), "{message}");
}

#[test]
fn a_file_that_nobody_could_log_in_by_is_refused() {
    let missing = new_folder().join("tokens.toml");
    let folder = file("").parent().unwrap().to_owned();
    for (path, problem) in [
        (missing, "there is no such file: write one"),
        (folder, "is a directory: name a file in it"),
        (file("# nobody yet\n"), "nobody could log in: write a line"),
    ] {
        let message = refusal(&path);
        let expected = format!("{}: {problem}", path.display());
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
#[cfg(unix)]
fn tokens_that_others_can_read_are_refused() {
    let path = file(&format!("alice = '{ALICES}'\n"));
    for mode in [0o640, 0o604] {
        set_mode(&path, mode);
        let message = refusal(&path);
        let expected = format!(
            "{}: others can read the tokens, for its mode is {mode:o}: run `chmod 600`",
            path.display()
        );
        assert!(message.contains(&expected), "{message}");
    }
}
