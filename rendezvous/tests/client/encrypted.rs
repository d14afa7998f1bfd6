//! Encrypted links: whom the client trusts, by which key it is known, and what it does not do.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;

use protocol_core::{Encryption, SecretKey};
use serde_json::Value;

use crate::process::{Ended, new_folder, program, run};
use crate::sealed::{House, key};
use crate::talk::talk;

pub(crate) const ENCRYPTED: &str = "--link=encrypted";

/// A user's files of keys.
pub(crate) struct Keys {
    folder: PathBuf,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let folder = new_folder();
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn own(&self) -> PathBuf {
        self.folder.join("own.key")
    }

    pub(crate) fn hosts(&self) -> PathBuf {
        self.folder.join("hosts")
    }

    /// What alice with these files sees of `server`.
    pub(crate) fn talk(&self, server: SocketAddr, flags: &[&str], script: &str) -> Ended {
        let own = format!("--identity={}", self.own().display());
        let hosts = format!("--known-hosts={}", self.hosts().display());
        let flags = [&[own.as_str(), &hosts], flags].concat();
        talk(server, "alice", &flags, script)
    }
}

#[test]
fn the_key_that_answers_first_is_remembered_and_no_other_taken() {
    let first = key();
    let public = first.public();
    let server = House::open(Encryption::Encrypted(first));
    let (address, keys) = (server.address, Keys::new());
    let ended = keys.talk(address, &[ENCRYPTED], "ping\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    let mut shown = ended.stdout.lines();
    assert_eq!(shown.next(), Some("logged in as alice (encrypted link)"));
    let (own, hosts) = (keys.own(), keys.hosts());
    let expected = format!(
        "-- servers know you by a new key from now on: it is in {}, keep that file\n\
         -- the key of {address} is {public}: {} remembers it, and no other is taken there from \
         now on; compare it with the one that the server prints at its start\n",
        own.display(),
        hosts.display(),
    );
    assert_eq!(ended.stderr, expected);
    assert_eq!(
        fs::read_to_string(&hosts).unwrap(),
        format!("{address} {public}\n")
    );

    // It goes on without being asked for.
    let again = keys.talk(address, &[], "ping\n");
    assert_eq!((again.code, again.stderr.as_str()), (0, ""), "{again:?}");
    assert!(again.stdout.starts_with("logged in as alice (encrypted"));

    // Another server answers for that name.
    let second = key();
    let found = second.public();
    let other = House::open(Encryption::Both(second));
    let moved = format!("# moved\n{} {public}\n", other.address);
    fs::write(&hosts, &moved).unwrap();
    for flags in [&[][..], &[ENCRYPTED]] {
        let refused = keys.talk(other.address, flags, "ping\n");
        assert_eq!((refused.code, refused.stdout.as_str()), (9, ""));
        let expected = format!(
            "error: the key of {} has changed to {found}, line 2 of {hosts:?} has {public}: ",
            other.address
        );
        assert!(refused.stderr.starts_with(&expected), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("remove that line"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(fs::read_to_string(&hosts).unwrap(), moved);
}

#[test]
fn a_name_is_remembered_in_lower_case() {
    let key = key();
    let public = key.public();
    let server = House::open(Encryption::Encrypted(key));
    let port = server.address.port();
    let hosts = new_folder().join("hosts");
    let upper = format!("LocalHost:{port}");
    for flags in [&[ENCRYPTED][..], &[]] {
        let mut command = program(&["client", "--id=alice", &upper]);
        command.args(flags).arg("--known-hosts").arg(&hosts);
        // The id belongs to the key of the first time.
        command
            .arg("--identity")
            .arg(hosts.with_file_name("own.key"));
        let ended = run(command);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains("(encrypted link)"), "{ended:?}");
    }
    let expected = format!("localhost:{port} {public}\n");
    assert_eq!(fs::read_to_string(&hosts).unwrap(), expected);
}

#[test]
fn without_names_of_files_keys_are_in_the_folder_for_configuration() {
    let server = House::open(Encryption::Both(key()));
    let folder = new_folder();
    let mut command = program(&["client", "--id=alice", ENCRYPTED]);
    command.arg(server.address.to_string());
    command.env("XDG_CONFIG_HOME", &folder);
    let ended = run(command);
    assert_eq!(ended.code, 0, "{ended:?}");
    let own = SecretKey::from_file(folder.join("rendezvous/client.key"));
    assert!(own.is_ok(), "{own:?}");
    assert!(folder.join("rendezvous/known_hosts").is_file());
}

#[test]
fn a_server_key_that_is_given_is_the_only_one_that_counts() {
    let key = key();
    let public = key.public().to_string();
    let server = House::open(Encryption::Both(key));
    let keys = Keys::new();
    let ended = keys.talk(server.address, &["--server-key", &public], "ping\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("(encrypted link)"), "{ended:?}");
    assert!(!keys.hosts().exists(), "there is nothing to remember");

    let wrong = crate::sealed::key().public().to_string();
    let ended = keys.talk(server.address, &["--server-key", &wrong], "ping\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (9, ""));
    let expected = format!(
        "error: cannot connect to {}: the server's key is {public}, not {wrong}: it was replaced, \
         or somebody stands in between; ask its operator which is right, and \
         give it as --server-key\n",
        server.address
    );
    assert_eq!(ended.stderr, expected);
}

#[test]
fn wrong_values_are_named_and_secrets_not_shown() {
    let secret = key().to_text();
    let public = key().public().to_string();
    for (flags, problem) in [
        (
            ["--server-key", secret.as_str(), "--json"],
            "this is a secret key: give the public one",
        ),
        (
            ["--server-key", &public[1..], "--json"],
            "has 63 characters",
        ),
        (
            ["--server-key", &public, "--link=plain"],
            "leave out one of --server-key and --link plain",
        ),
    ] {
        let ended = run(program(&[&["client", "--id=alice"], &flags[..]].concat()));
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(problem), "{}", ended.stderr);
        assert!(!ended.stderr.contains(&secret[7..]), "{}", ended.stderr);
    }
    let mut command = program(&["client", "--id=alice"]);
    command.env("RENDEZVOUS_SERVER_KEY", &secret);
    let ended = run(command);
    assert_eq!(ended.code, 2, "{ended:?}");
    let blamed = "comes from the environment: RENDEZVOUS_SERVER_KEY";
    assert!(ended.stderr.contains(blamed), "{}", ended.stderr);
    assert!(!ended.stderr.contains(&secret[7..]), "{}", ended.stderr);
}

#[test]
fn a_server_and_a_client_share_no_variable_of_keys() {
    let server = House::open(Encryption::Both(key()));
    let folder = new_folder();
    let path = folder.join("server.key");
    key().to_new_file(&path).unwrap();
    let address = server.address.to_string();
    let mut command = program(&["client", "--id=alice", "--json", ENCRYPTED, &address]);
    command.env("RENDEZVOUS_KEY_FILE", &path);
    command.env("RENDEZVOUS_ENCRYPTION", "plain");
    command.env("XDG_CONFIG_HOME", &folder);
    let ended = run(command);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("a new key from now on"), "{ended:?}");

    // What is wrong with the client's is mended by the client's flag.
    let mut command = program(&["client", "--id=alice", ENCRYPTED, &address]);
    command.env("RENDEZVOUS_IDENTITY", folder.join("server.key/none"));
    let ended = run(command);
    assert_eq!((ended.code, ended.stdout.as_str()), (8, ""));
    assert!(ended.stderr.contains("name another with --identity"));
}

#[test]
fn a_server_that_wants_the_other_kind_of_link_is_met_by_its_flag() {
    let server = House::open(Encryption::Plain);
    let keys = Keys::new();
    let ended = keys.talk(server.address, &[ENCRYPTED], "ping\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (5, ""));
    // The new key is made before anybody answers.
    let expected = format!(
        "-- servers know you by a new key from now on: it is in {}, keep that file\n\
         error: cannot connect to {}: it takes plain links only: --link plain makes one, which \
         whoever sees the network can read and change\n",
        keys.own().display(),
        server.address
    );
    assert_eq!(ended.stderr, expected);
    assert!(!keys.hosts().exists());

    let server = House::open(Encryption::Encrypted(key()));
    let ended = keys.talk(server.address, &[], "ping\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (5, ""));
    assert_eq!(
        ended.stderr,
        "error: login: encryption_required: the server takes encrypted links only\n  \
         try: --link encrypted, or --server-key with the key that the server prints at its start\n"
    );
}

#[test]
#[cfg(unix)]
fn the_own_key_is_made_once_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let server = House::open(Encryption::Both(key()));
    let keys = Keys::new();
    let plain = keys.talk(server.address, &[], "ping\n");
    assert_eq!((plain.code, plain.stderr.as_str()), (0, ""), "{plain:?}");
    assert!(!keys.own().exists(), "a plain link needs none");

    let mut first = None;
    for _ in 0..2 {
        let ended = keys.talk(server.address, &[ENCRYPTED], "ping\n");
        assert_eq!(ended.code, 0, "{ended:?}");
        let mode = fs::metadata(keys.own()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = fs::read_to_string(keys.own()).unwrap();
        assert_eq!(*first.get_or_insert(text.clone()), text);
    }

    fs::set_permissions(keys.own(), fs::Permissions::from_mode(0o644)).unwrap();
    let ended = keys.talk(server.address, &[ENCRYPTED], "ping\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (8, ""));
    assert!(ended.stderr.contains("`chmod 600`"), "{}", ended.stderr);
}

#[test]
fn a_file_of_servers_that_cannot_be_read_is_no_reason_to_trust() {
    let server = House::open(Encryption::Both(key()));
    let keys = Keys::new();
    fs::write(keys.hosts(), "what is this\n\nnothing\n").unwrap();
    let ended = keys.talk(server.address, &[], "ping\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (8, ""));
    for part in ["line 3: ", "name another file with --known-hosts"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn programs_are_told_whether_the_link_is_encrypted() {
    let key = key();
    let public = key.public().to_string();
    let server = House::open(Encryption::Both(key));
    let ended = Keys::new().talk(server.address, &[ENCRYPTED, "--json"], "ping\n");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let lines = ended.stdout.lines();
    let lines: Vec<Value> = lines.map(|l| serde_json::from_str(l).unwrap()).collect();
    let notices = lines.iter().filter(|line| line["kind"] == "notice");
    assert!(
        notices
            .filter_map(|line| line["message"].as_str())
            .any(|message| message.contains(&public))
    );
    let login = lines
        .iter()
        .find(|line| line["command"] == "login")
        .unwrap();
    assert_eq!(login["encrypted"], true);
    assert_eq!(login["server_key"], *public);
    let ping = lines.last().unwrap();
    assert_eq!(
        (&ping["command"], ping.get("encrypted")),
        (&"ping".into(), None)
    );
}

/// A server that answers the first bytes of a handshake with `answer`, and ends the link if it
/// `ends`.
fn stranger(answer: &'static str, ends: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 5 + 2 + 32];
        stream.read_exact(&mut hello).unwrap();
        assert_eq!(hello[..3], [0x01, b'T', b'P']);
        stream.write_all(answer.as_bytes()).unwrap();
        if !ends {
            // Until the client goes.
            let _ = stream.read(&mut [0]);
        }
    });
    address
}

#[test]
fn what_answers_no_handshake_is_no_server() {
    let word = r#"{"type":"pass","name":"protocol_error","data":{"code":"bad_frame","message":"\u001bc"}}"#;
    let word: &'static str = Box::leak(format!("{word}\n").into_boxed_str());
    for (answer, ends, reason) in [
        ("", false, "no answer within 300ms: check the address"),
        ("", true, "the link ended in the middle of the handshake"),
        (
            word,
            false,
            r"the server answered without encryption: bad_frame: \u001bc",
        ),
        ("{}\n", false, "the other end answered without encryption"),
        (
            "HTTP/1.1 400 Bad Request\r\n",
            false,
            "the bytes are not this codec's",
        ),
    ] {
        let address = stranger(answer, ends);
        let flags = [ENCRYPTED, "--timeout=300ms"];
        let timeout = if reason.starts_with("no answer") {
            &flags[..]
        } else {
            &flags[..1]
        };
        let ended = Keys::new().talk(address, timeout, "ping\n");
        assert_eq!((ended.code, ended.stdout.as_str()), (5, ""), "{ended:?}");
        let expected = format!("error: cannot connect to {address}: {reason}");
        assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
        assert!(!ended.stderr.contains('\x1b'), "{:?}", ended.stderr);
    }
}
