//! The file of known servers.

use std::fs;
use std::sync::Barrier;
use std::thread;

use protocol_core::keys::{KeyFileError, KnownHosts};
use protocol_core::{PublicKey, SecretKey};

use protocol_tests::Folder;

fn key(n: u8) -> PublicKey {
    SecretKey::from_bytes([n; 32]).public()
}

/// The key that is pinned, and its line.
fn find(hosts: &KnownHosts, name: &str) -> Option<(PublicKey, usize)> {
    let pinned = hosts.find(name).unwrap();
    pinned.map(|pinned| (pinned.key, pinned.line))
}

fn hosts(folder: &Folder, text: &str) -> KnownHosts {
    let path = folder.path().join("known_hosts");
    fs::write(&path, text).unwrap();
    KnownHosts::at(path)
}

#[test]
fn the_first_key_of_a_server_counts() {
    let folder = Folder::new();
    let hosts = KnownHosts::at(folder.path().join("new/known_hosts"));
    assert_eq!(find(&hosts, "a:1"), None);
    assert_eq!(hosts.pin("a:1", key(1)).unwrap().line, 1);
    assert_eq!(hosts.pin("b:1", key(2)).unwrap().line, 2);
    // Whoever comes second is told what counts.
    let pinned = hosts.pin("a:1", key(3)).unwrap();
    assert_eq!((pinned.key, pinned.line), (key(1), 1));
    assert_eq!(find(&hosts, "a:1"), Some((key(1), 1)));
    assert_eq!(find(&hosts, "b:1"), Some((key(2), 2)));
    assert_eq!(find(&hosts, "a:11"), None);
}

#[test]
fn a_last_line_without_its_end_is_not_lost() {
    let folder = Folder::new();
    let hosts = hosts(&folder, &format!("# mine\na:1 {}", key(1)));
    assert_eq!(hosts.pin("b:1", key(2)).unwrap().line, 3);
    assert_eq!(find(&hosts, "a:1"), Some((key(1), 2)));
    assert_eq!(find(&hosts, "b:1"), Some((key(2), 3)));
}

#[test]
fn an_address_is_found_however_it_is_written() {
    let folder = Folder::new();
    let text = format!(
        "\u{feff}Example.ORG:7766\t{}\r\n[0::1]:7766   {}\r\n",
        key(1),
        key(2)
    );
    let hosts = hosts(&folder, &text);
    for name in ["example.org:7766", "EXAMPLE.org:7766"] {
        assert_eq!(find(&hosts, name), Some((key(1), 1)), "{name}");
    }
    for name in ["[::1]:7766", "[0:0::1]:7766"] {
        assert_eq!(find(&hosts, name), Some((key(2), 2)), "{name}");
    }
}

#[test]
fn a_name_makes_no_lines_of_its_own() {
    let folder = Folder::new();
    let hosts = hosts(&folder, "");
    for name in ["", "#a:1", "a:1 ", "6.6.6.6:1 x\nbank:1", "a\u{0}:1"] {
        let Err(KeyFileError::Io { error, .. }) = hosts.pin(name, key(1)) else {
            panic!("{name:?}");
        };
        assert!(error.to_string().contains("is no address"), "{error}");
    }
    assert_eq!(fs::read_to_string(hosts.path()).unwrap(), "");
}

#[test]
fn a_broken_line_is_named() {
    let folder = Folder::new();
    for (text, expected) in [
        ("a:1\n".to_owned(), "line 1: a line has"),
        (format!("\na:1 {}x\n", key(1)), "line 2: a key has"),
        (format!("a:1 {}\n", "0".repeat(63)), "has 63 characters"),
    ] {
        let hosts = hosts(&folder, &text);
        let error = hosts.find("a:1").unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("known_hosts"),
            "{error}"
        );
    }
    let folder = Folder::new();
    let error = KnownHosts::at(folder.path()).find("a:1").unwrap_err();
    assert!(error.to_string().contains("no regular file"), "{error}");
}

#[test]
fn of_many_that_pin_at_once_one_counts_for_all() {
    let folder = Folder::new();
    let hosts = KnownHosts::at(folder.path().join("known_hosts"));
    let start = Barrier::new(8);
    let pin = |n| {
        start.wait();
        hosts.pin("a:1", key(n)).unwrap()
    };
    let pin = &pin;
    let pinned: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || pin(n))).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(pinned.iter().all(|it| *it == pinned[0]), "{pinned:?}");
    assert_eq!(fs::read_to_string(hosts.path()).unwrap().lines().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let hosts = KnownHosts::at(folder.path().join("known_hosts"));
    hosts.pin("a:1", key(1)).unwrap();
    let metadata = fs::metadata(hosts.path()).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    fs::set_permissions(hosts.path(), fs::Permissions::from_mode(0o660)).unwrap();
    for refused in [
        hosts.find("a:1").map(drop),
        hosts.pin("b:1", key(2)).map(drop),
    ] {
        assert!(matches!(
            refused,
            Err(KeyFileError::Exposed { mode: 0o660, .. })
        ));
    }
    fs::set_permissions(hosts.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(hosts.find("a:1").unwrap().is_some());
}
