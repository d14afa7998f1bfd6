//! The server's key: made once, kept for itself, shown by its public half; and `keygen`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use protocol_core::SecretKey;
use protocol_tests::Process;

use crate::process::{Ended, key_in, new_folder, program, public_key, run};

/// `rendezvous` with `args` and the key file at `path`.
fn with_key(args: &[&str], path: &Path) -> Command {
    let mut command = program(args);
    command.arg("--key-file").arg(path);
    command
}

fn serve(path: &Path) -> Command {
    with_key(&["serve", "--listen=127.0.0.1:0"], path)
}

/// A file of its own with this content, which nobody else can read.
fn file(content: &str) -> PathBuf {
    let folder = new_folder();
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("server.key");
    fs::write(&path, content).unwrap();
    set_mode(&path, 0o600);
    path
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A failure for the sake of a file: it names that, and nothing goes to stdout.
fn fails(command: Command, path: &Path) -> String {
    let Ended {
        code,
        stdout,
        stderr,
    } = run(command);
    assert_eq!((code, stdout.as_str()), (8, ""), "{stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    let name = path.display().to_string();
    assert!(stderr.contains(&name), "{name}: {stderr}");
    stderr
}

#[test]
fn a_key_is_made_once_and_kept() {
    let path = new_folder().join("of/mine/server.key");
    let first = Process::start(serve(&path));
    first.address();
    let key = public_key(&first);
    let line = first.stderr.until("encrypted links are taken");
    for part in [&key.to_string(), "is_new=true", "server.key"] {
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(SecretKey::from_file(&path).unwrap().public(), key);
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o600);
    drop(first);

    let second = Process::start(serve(&path));
    second.address();
    assert_eq!(public_key(&second), key);
    let line = second.stderr.until("encrypted links are taken");
    assert!(line.contains("is_new=false"), "{line}");
}

#[test]
fn where_no_file_is_named_the_key_is_among_the_users_own() {
    let folder = new_folder();
    let here = |mut command: Command| {
        command
            .env("XDG_CONFIG_HOME", &folder)
            .env("APPDATA", &folder);
        command
    };
    let path = folder.join("rendezvous/server.key");
    let server = Process::start(here(program(&["serve", "--listen=127.0.0.1:0"])));
    server.address();
    let key = public_key(&server);
    assert_eq!(SecretKey::from_file(&path).unwrap().public(), key);

    let shown = run(here(program(&["keygen", "--show"])));
    let expected = (0, format!("public key {key}\n"), String::new());
    assert_eq!((shown.code, shown.stdout, shown.stderr), expected);
    fails(here(program(&["keygen"])), &path);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let secret = SecretKey::generate().unwrap().to_text();
    let path = file(&secret);
    set_mode(&path, 0o644);
    if cfg!(not(unix)) {
        return;
    }
    for command in [serve(&path), with_key(&["keygen", "--show"], &path)] {
        let message = fails(command, &path);
        assert!(
            message.contains("mode is 644: run `chmod 600`"),
            "{message}"
        );
        assert!(!message.contains(&secret), "{message}");
    }
}

#[test]
fn what_is_no_key_is_refused_with_its_line() {
    let public = SecretKey::generate().unwrap().public().to_string();
    for (content, problem) in [
        ("", "it is empty"),
        ("# mine\nsecret-12", "line 2: a key has 64 hexadecimal"),
        (&public, "line 1: a secret key starts with `secret-`"),
    ] {
        let path = file(content);
        for command in [serve(&path), with_key(&["keygen", "--show"], &path)] {
            let message = fails(command, &path);
            for part in [problem, "name another with --key-file"] {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}

#[test]
fn where_no_key_can_be_made_another_file_is_asked_for() {
    let path = file("no folder").join("server.key");
    for command in [serve(&path), with_key(&["keygen"], &path)] {
        let message = fails(command, path.parent().unwrap());
        assert!(
            message.contains("name another with --key-file"),
            "{message}"
        );
    }
}

#[test]
fn two_servers_do_not_share_what_is_kept_beside_a_key() {
    let path = new_folder().join("server.key");
    let server = Process::start(serve(&path));
    server.address();
    let message = fails(serve(&path), &path);
    for part in ["another server uses ", "with --key-file"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn keygen_makes_a_key_and_replaces_none() {
    let path = new_folder().join("alice.key");
    let made = run(with_key(&["keygen"], &path));
    assert_eq!(made.code, 0, "{}", made.stderr);
    let told = format!("the secret key is in {}: keep it secret\n", path.display());
    assert_eq!(made.stderr, told);
    let key = key_in(&made.stdout);
    let secret = SecretKey::from_file(&path).unwrap();
    assert_eq!(secret.public(), key);
    assert!(!made.stdout.contains(&secret.to_text()));
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o600);

    let content = fs::read_to_string(&path).unwrap();
    let message = fails(with_key(&["keygen"], &path), &path);
    assert!(message.contains("with --show"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), content);

    let shown = run(with_key(&["keygen", "--show"], &path));
    assert_eq!(shown.stdout, format!("public key {key}\n"));
    let server = Process::start(serve(&path));
    server.address();
    assert_eq!(public_key(&server), key);
}

#[test]
fn keygen_shows_no_key_that_is_not_there() {
    let path = new_folder().join("server.key");
    let message = fails(with_key(&["keygen", "--show"], &path), &path);
    assert!(message.contains("`rendezvous keygen`"), "{message}");
    assert!(!path.exists());
}

#[test]
#[cfg(unix)]
fn the_secret_half_is_in_its_file_only() {
    let path = new_folder().join("server.key");
    let mut command = serve(&path);
    command.arg("--log=trace");
    let mut server = Process::start(command);
    server.stderr.until("listening");
    server.signal("TERM");
    assert_eq!(server.exit_code(), 0);
    let secret = SecretKey::from_file(&path).unwrap().to_text();
    let digits = secret.trim_start_matches("secret-");
    for said in [server.stdout.rest(), server.stderr.rest()] {
        assert!(!said.is_empty() && !said.contains(digits), "{said}");
    }
}
