//! Bindings in a file: what is in it, over restarts, and who can have it.

use std::fs;
use std::path::Path;

use protocol_core::PeerId;
use rendezvous::{Bindings, BindingsError};

use crate::keyed::{HEADER, Keyed, file, keyed_with, lines, secret, today};
use crate::log::{self, run, run_logged};

async fn with_file(file: &Path) -> Keyed {
    keyed_with(Bindings::open(file).unwrap(), |_| {}).await
}

#[test]
fn bindings_outlive_the_server() {
    run(async {
        let file = file("restart");
        let (alice, bob) = (secret(), secret());
        let house = with_file(&file).await;
        house.lets_in("Alice", Some(&alice)).await;
        house.lets_in("carol", Some(&alice)).await;
        let carol = PeerId::new("carol").unwrap();
        assert!(house.rendezvous().forget_key(&carol).await.unwrap());
        house.stop().await;
        for _ in 0..2 {
            let house = with_file(&file).await;
            assert_eq!(house.key_of("alice"), Some(alice.public()));
            house.keeps_out("alice", Some(&bob)).await;
            house.keeps_out("alice", None).await;
            house.lets_in("alice", Some(&alice)).await;
            house.lets_in("carol", None).await;
            house.stop().await;
        }
        assert_eq!(Bindings::open(&file).unwrap().len(), 1);
    });
}

#[test]
fn a_binding_is_in_the_file_before_its_login_is_answered() {
    run(async {
        let file = file("written");
        let house = with_file(&file).await;
        let mut expected = Vec::new();
        for id in ["alice", "B ob", "´carol"] {
            let key = secret();
            house.lets_in(id, Some(&key)).await;
            let id = id.replace("B ob", "b ob").replace('´', " \u{301}");
            expected.push(format!("bind {} {} {id}", today(), key.public()));
            assert_eq!(lines(&file), expected);
        }
        let carol = PeerId::new("´carol").unwrap();
        assert!(house.rendezvous().forget_key(&carol).await.unwrap());
        expected.push("unbind  \u{301}carol".to_owned());
        assert_eq!(lines(&file), expected);
    });
}

#[test]
fn the_day_of_the_last_use_is_written_once_a_day() {
    run(async {
        let file = file("use");
        let (key, yesterday) = (secret(), today() - 1);
        let bound = format!("bind {yesterday} {} alice", key.public());
        fs::write(&file, format!("{HEADER}\n{bound}\n")).unwrap();
        let house = with_file(&file).await;
        house.keeps_out("alice", Some(&secret())).await;
        for _ in 0..3 {
            house.lets_in("alice", Some(&key)).await;
        }
        house.stop().await;
        assert_eq!(lines(&file), [bound, format!("use {} alice", today())]);
        drop(Bindings::open(&file).unwrap());
        let again = format!("bind {} {} alice", today(), key.public());
        assert_eq!(lines(&file), [again]);
    });
}

#[test]
fn what_was_unused_for_30_days_leaves_a_full_file() {
    run(async {
        let file = file("full");
        let (old, young, new) = (secret(), secret(), secret());
        let text = format!(
            "{HEADER}\nbind {} {} alice\nbind {} {} bob\n",
            // Some days off the limit, in case it turns midnight now.
            today() - 28,
            young.public(),
            today() - 32,
            old.public(),
        );
        fs::write(&file, text).unwrap();
        let bindings = Bindings::open(&file).unwrap();
        let house = keyed_with(bindings, |config| config.bindings = 2).await;
        house.lets_in("carol", Some(&new)).await;
        assert_eq!(house.key_of("carol"), Some(new.public()));
        assert_eq!(house.key_of("bob"), None);
        house.lets_in("bob", Some(&old)).await;
        assert_eq!(house.key_of("bob"), None, "nobody else may leave");
        house.keeps_out("alice", Some(&old)).await;
        house.stop().await;
        let house = with_file(&file).await;
        assert_eq!(house.key_of("alice"), Some(young.public()));
        assert_eq!(house.key_of("bob"), None);
        assert_eq!(house.key_of("carol"), Some(new.public()));
    });
}

#[test]
fn a_last_line_that_was_cut_off_is_dropped() {
    run_logged(async {
        let file = file("cut");
        let key = secret().public();
        let whole = format!("{HEADER}\nbind 20000 {key} alice\nuse 20001 alice\n");
        let last = format!("bind 20002 {key} bob");
        for cut in 0..=last.len() {
            fs::write(&file, format!("{whole}{}", &last[..cut])).unwrap();
            let bindings = Bindings::open(&file).unwrap();
            assert_eq!(bindings.len(), 1);
            assert_eq!(lines(&file), [format!("bind 20001 {key} alice")]);
            drop(bindings);
            let warned = log::text().matches("cut off").count();
            assert_eq!(warned, cut, "{}", log::text());
        }
        assert!(log::text().contains("WARN"));
        assert!(log::text().contains("line=4"));
        fs::write(&file, format!("{whole}{last}\n")).unwrap();
        assert_eq!(Bindings::open(&file).unwrap().len(), 2);
    });
}

#[test]
fn an_end_that_was_torn_is_dropped_whatever_it_holds() {
    run_logged(async {
        let file = file("torn");
        let key = secret().public();
        let whole = format!("{HEADER}\nbind 20000 {key} alice\n");
        let zeros = [0; 10_000];
        let cut_in_zeros = [b"bind 20", &zeros[..512]].concat();
        let ends: [&[u8]; 8] = [
            &zeros[..1],
            &zeros,
            &cut_in_zeros,
            b"\xFF\xFE\n\n",
            b"\n",
            b"garbage\nbind\nuse 20001 al",
            &[&zeros[..], b"\n"].concat(),
            // What follows a line that is too long is part of it.
            &[&zeros[..4_096], b"unbind alice\n"].concat(),
        ];
        for end in ends {
            fs::write(&file, [whole.as_bytes(), end].concat()).unwrap();
            let bindings = Bindings::open(&file).unwrap();
            assert_eq!(bindings.len(), 1);
            drop(bindings);
            assert_eq!(lines(&file), [format!("bind 20000 {key} alice")]);
            let warning = format!("line=3 bytes={}", end.len());
            let log = log::text();
            let last = log.lines().last().unwrap();
            assert!(last.contains("WARN") && last.contains(&warning), "{log}");
            // With a good line behind it, it is not the end.
            let text = [whole.as_bytes(), end, b"\nunbind alice\n"].concat();
            fs::write(&file, &text).unwrap();
            let error = Bindings::open(&file).unwrap_err();
            assert!(
                matches!(error, BindingsError::Malformed { line: 3, .. }),
                "{error}"
            );
            assert_eq!(fs::read(&file).unwrap(), text, "it is as it was");
        }
    });
}

#[test]
fn a_day_in_the_future_counts_as_today() {
    let file = file("future");
    let key = secret().public();
    let text = format!(
        "{HEADER}\nbind {} {key} alice\nbind 20000 {key} bob\nuse 4294967295 bob\n",
        today() + 10_000
    );
    fs::write(&file, text).unwrap();
    drop(Bindings::open(&file).unwrap());
    let bound = |id: &str| format!("bind {} {key} {id}", today());
    assert_eq!(lines(&file), [bound("alice"), bound("bob")]);
}

#[test]
fn any_other_line_must_be_one_that_a_server_writes() {
    let file = file("malformed");
    let key = secret().public();
    let bound = format!("bind 20000 {key} alice");
    for (line, problem) in [
        ("", "a line starts with `bind`, `use` or `unbind`"),
        ("# alice", "a line starts with `bind`, `use` or `unbind`"),
        (&bound.replace("bind", "Bind"), "a line starts with"),
        ("bind", "an id is missing"),
        ("use 20000", "an id is missing"),
        (&format!("bind 20000 {key}"), "an id is missing"),
        ("unbind", "\"\" is no id"),
        ("unbind ", "\"\" is no id"),
        (&format!("bind +1 {key} bob"), "\"+1\" is no day"),
        (&format!("bind -1 {key} bob"), "\"-1\" is no day"),
        (&format!("bind 4294967296 {key} bob"), "is no day"),
        ("use today alice", "\"today\" is no day"),
        ("bind 20000 abc bob", "a key has 64 hexadecimal digits"),
        (
            &format!("bind 20000 {key} Bob"),
            "\"Bob\" is no id in its case-folded form",
        ),
        (&format!("bind 20000 {key} #bob"), "\"#bob\" is no id"),
        (&format!("bind 20000 {key} bob\r"), "\"bob\\r\" is no id"),
        ("unbind bob", "its id is not bound by a line above"),
        ("use 20001 bob", "its id is not bound by a line above"),
        (&"x".repeat(5_000), "it is too long"),
        ("bind\u{0}", "a line starts with"),
    ] {
        let text = format!("{HEADER}\n{bound}\n{line}\nunbind alice\n");
        fs::write(&file, &text).unwrap();
        let error = Bindings::open(&file).unwrap_err();
        let BindingsError::Malformed { path, line: 3, .. } = &error else {
            panic!("{line:?}: {error:?}");
        };
        assert_eq!(path, &fs::canonicalize(&file).unwrap());
        let message = error.to_string();
        assert!(message.contains("server.bindings\", line 3: "), "{message}");
        assert!(message.contains(problem), "{message}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "it is as it was");
    }
    // Whatever was meant with the last line, such as one of bytes that are no text.
    let broken = [HEADER.as_bytes(), b"\nunbind \xFF\nunbind bob\n"].concat();
    fs::write(&file, broken).unwrap();
    let error = Bindings::open(&file).unwrap_err().to_string();
    assert!(error.ends_with("line 2: it is not UTF-8"), "{error}");
}

#[test]
fn no_other_file_is_written_over() {
    let file = file("other");
    for text in [
        "my diary",
        "my diary\n",
        "\n",
        "rendezvous bindings 2\n",
        HEADER,
    ] {
        fs::write(&file, text).unwrap();
        let error = Bindings::open(&file).unwrap_err().to_string();
        let problem = "line 1: it is no file of bindings, or one of a later version";
        assert!(error.ends_with(problem), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    fs::write(&file, "").unwrap();
    assert!(Bindings::open(&file).unwrap().is_empty());
    assert_eq!(lines(&file), [""; 0]);

    for path in [
        file.parent().unwrap(),
        &file.join("below"),
        &file.with_file_name("no/file"),
    ] {
        let error = Bindings::open(path).unwrap_err();
        assert!(
            matches!(error, BindingsError::Io { .. }),
            "{path:?}: {error}"
        );
    }
}

#[test]
fn one_server_at_a_time_has_the_file() {
    run(async {
        let file = file("lock");
        let house = with_file(&file).await;
        let key = secret();
        house.lets_in("alice", Some(&key)).await;
        let mut names = vec![file.clone()];
        #[cfg(unix)]
        {
            let link = file.with_file_name("link");
            std::os::unix::fs::symlink(&file, &link).unwrap();
            names.push(link);
        }
        for name in &names {
            let error = Bindings::open(name).unwrap_err();
            let BindingsError::InUse { path } = &error else {
                panic!("{error:?}");
            };
            assert_eq!(path, &fs::canonicalize(&file).unwrap());
            assert!(
                error.to_string().contains("server.bindings\": stop it"),
                "{error}"
            );
        }
        // Nothing was lost by the attempts.
        house.lets_in("bob", Some(&key)).await;
        house.stop().await;
        for name in &names {
            assert_eq!(Bindings::open(name).unwrap().len(), 2);
        }
        assert_eq!(lines(&file).len(), 2);
    });
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    run(async {
        let file = file("mode");
        let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
        let house = with_file(&file).await;
        house.lets_in("alice", Some(&secret())).await;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(&file.with_file_name("server.bindings.lock")), 0o600);
        house.stop().await;
        let set_mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        for exposed in [0o620, 0o602, 0o666] {
            set_mode(exposed);
            let error = Bindings::open(&file).unwrap_err();
            assert!(matches!(error, BindingsError::Exposed { .. }), "{error}");
            let fix = format!("server.bindings\", whose mode is {exposed:o}: run `chmod 600`");
            assert!(error.to_string().contains(&fix), "{error}");
            assert_eq!(mode(&file), exposed);
        }
        set_mode(0o644);
        assert_eq!(Bindings::open(&file).unwrap().len(), 1);
        assert_eq!(mode(&file), 0o600);
    });
}

#[test]
fn the_file_does_not_grow_with_the_changes() {
    run(async {
        let file = file("growth");
        // Left by a server that was stopped while it wrote the file anew.
        fs::write(file.with_file_name("server.bindings.new"), "half a file").unwrap();
        let house = with_file(&file).await;
        let key = secret();
        house.lets_in("alice", Some(&key)).await;
        let (bob, mut longest) = (PeerId::new("bob").unwrap(), 0);
        let client = house.guest(&key).await;
        drop(client);
        for _ in 0..300 {
            house.lets_in("bob", Some(&key)).await;
            house.rendezvous().forget_key(&bob).await.unwrap();
            longest = longest.max(lines(&file).len());
        }
        // 601 changes in all.
        assert!((200..=257).contains(&longest), "{longest}");
        assert!(lines(&file).len() < 600 - 256 + 2, "{}", lines(&file).len());
        house.lets_in("carol", Some(&key)).await;
        house.stop().await;
        let house = with_file(&file).await;
        for (id, owner) in [("alice", true), ("bob", false), ("carol", true)] {
            assert_eq!(house.key_of(id).is_some(), owner, "{id}");
        }
        let files = fs::read_dir(file.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 2, "the file and its lock");
    });
}

#[test]
fn a_server_that_was_shut_down_has_given_the_file_free() {
    run(async {
        let file = file("free");
        let key = secret();
        let house = with_file(&file).await;
        // A value that somebody still has does not keep it.
        let rendezvous = house.rendezvous().clone();
        house.lets_in("alice", Some(&key)).await;
        house.stop().await;
        let next = with_file(&file).await;
        next.lets_in("bob", Some(&key)).await;
        let alice = PeerId::new("alice").unwrap();
        let late = rendezvous.forget_key(&alice).await;
        assert!(matches!(late, Err(BindingsError::NotWritten)), "{late:?}");
        assert_eq!(rendezvous.key_of(&alice), Some(key.public()));
        drop(rendezvous);
        next.stop().await;
        assert_eq!(Bindings::open(&file).unwrap().len(), 2);
    });
}
