//! Secret keys in files.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use protocol_core::SecretKey;
use protocol_core::keys::KeyFileError;

use protocol_tests::Folder;

/// Writes a file that nobody else can read.
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    set_mode(path, 0o600);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}

fn problem(path: &Path) -> String {
    match SecretKey::from_file(path) {
        Err(KeyFileError::Malformed { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_made_once_and_kept() {
    let folder = Folder::new();
    let path = folder.path().join("of/mine/key");
    let (key, is_new) = SecretKey::from_file_or_new(&path).unwrap();
    assert!(is_new);
    let (again, is_new) = SecretKey::from_file_or_new(&path).unwrap();
    assert!(!is_new);
    assert_eq!(again.public(), key.public());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(&key.public().to_string()) && text.contains(&key.to_text()));
    // Nothing of its making is left.
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn of_many_that_make_it_at_once_all_have_the_same() {
    let folder = Folder::new();
    let path = folder.path().join("key");
    let start = Barrier::new(8);
    let made = || {
        start.wait();
        SecretKey::from_file_or_new(&path).unwrap()
    };
    let keys: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(made)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(keys.iter().filter(|(_, is_new)| *is_new).count(), 1);
    assert!(
        keys.iter()
            .all(|(key, _)| key.public() == keys[0].0.public())
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn no_file_is_replaced() {
    let folder = Folder::new();
    let path = folder.path().join("key");
    write(&path, "mine");
    let key = SecretKey::generate().unwrap();
    let Err(KeyFileError::Io { error, .. }) = key.to_new_file(&path) else {
        panic!("there is a file");
    };
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn what_is_no_key_is_named_with_its_line() {
    let folder = Folder::new();
    let path = folder.path().join("key");
    let key = SecretKey::generate().unwrap();
    let (secret, public) = (key.to_text(), key.public().to_string());
    for (text, expected) in [
        (String::new(), "it is empty"),
        ("# nothing\n\n".to_owned(), "it is empty"),
        (format!("{secret}\n{secret}\n"), "line 2 follows the key"),
        (format!("\n{public}\n"), "line 2: a secret key starts with"),
        ("secret-0123\n".to_owned(), "has 4 characters"),
        (
            secret.replace("secret-", "secret-x"),
            "character 1 is not one",
        ),
        (format!("{secret}\n{}", "#".repeat(4_096)), "it is too long"),
    ] {
        write(&path, &text);
        let problem = problem(&path);
        assert!(problem.contains(expected), "{problem}, of {expected}");
        assert!(!problem.contains(&secret[10..]), "{problem}");
    }
    write(&path, &format!("# mine\r\n\r\n  {secret}  \r\n"));
    assert_eq!(SecretKey::from_file(&path).unwrap().public(), key.public());
}

#[test]
fn a_folder_is_no_key() {
    let folder = Folder::new();
    assert_eq!(problem(folder.path()), "it is no regular file");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let path = folder.path().join("key");
    SecretKey::from_file_or_new(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for mode in [0o640, 0o604, 0o620, 0o601] {
        set_mode(&path, mode);
        let Err(error @ KeyFileError::Exposed { .. }) = SecretKey::from_file(&path) else {
            panic!("{mode:o}");
        };
        let text = error.to_string();
        assert!(
            text.contains(&format!("{mode:o}")) && text.contains("chmod 600"),
            "{text}"
        );
    }
    set_mode(&path, 0o400);
    SecretKey::from_file(&path).unwrap();
}
