//! Servers whose key is known, when something else would have the client do without it.

use std::fs;
use std::net::TcpListener;
use std::thread;

use protocol_core::Encryption;

use crate::encrypted::{ENCRYPTED, Keys};
use crate::process::{new_folder, program, run};
use crate::sealed::{House, Sealed, key};

#[test]
fn a_server_whose_key_is_known_is_not_talked_to_in_plain() {
    let server = House::open(Encryption::Plain);
    let address = server.address;
    let key = key().public();
    let keys = Keys::new();
    fs::write(keys.hosts(), format!("{address} {key}\n")).unwrap();
    let told = ["--server-key", &key.to_string()];
    for flags in [&[][..], &[ENCRYPTED], &told] {
        let ended = keys.talk(address, flags, "ping\n");
        assert_eq!((ended.code, ended.stdout.as_str()), (5, ""), "{flags:?}");
        let expected = format!(
            "error: cannot connect to {address}: it takes plain links only, or somebody in between \
             says so, though its key is known: ask its operator before you use --link plain\n"
        );
        assert!(ended.stderr.ends_with(&expected), "{}", ended.stderr);
    }
    // Whoever types it may do so.
    let ended = keys.talk(address, &["--link=plain"], "ping\n");
    let notice = format!(
        "-- the key of {address} in line 1 of {} is not used: on a plain link no server proves who \
         it is, and whoever sees the network can read and change all\n",
        keys.hosts().display()
    );
    assert_eq!((ended.code, &ended.stderr), (0, &notice), "{ended:?}");
    assert!(ended.stdout.contains("(plain link)"), "{ended:?}");
}

#[test]
fn a_variable_alone_does_not_make_a_key_that_is_known_worthless() {
    let server = House::open(Encryption::Plain);
    let address = server.address;
    let hosts = new_folder().join("hosts");
    fs::create_dir_all(hosts.parent().unwrap()).unwrap();
    let client = |flags: &[&str]| {
        let mut command = program(&["client", "--id=alice", &address.to_string()]);
        command.env("RENDEZVOUS_LINK", "plain").args(flags);
        command.arg("--known-hosts").arg(&hosts);
        run(command)
    };
    let unknown = client(&[]);
    assert_eq!((unknown.code, unknown.stderr.as_str()), (0, ""));
    fs::write(&hosts, format!("{address} {}\n", key().public())).unwrap();
    let refused = client(&[]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    let expected = format!(
        "error: cannot connect to {address}: RENDEZVOUS_LINK asks for a plain link, which proves no \
         key, and line 1 of {} has the server's key: unset the variable, or give --link plain to do \
         without that key\n",
        hosts.display()
    );
    assert_eq!(refused.stderr, expected);
    assert_eq!(client(&["--link=plain"]).code, 0);
}

#[test]
fn a_key_that_another_program_met_meanwhile_is_the_one_that_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (own, pinned) = (key(), key().public());
    let found = own.public();
    let keys = Keys::new();
    let (hosts, line) = (keys.hosts(), format!("{address} {pinned}\n"));
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // It has looked the address up by now, and not found it.
        stream.peek(&mut [0]).unwrap();
        fs::write(hosts, line).unwrap();
        Sealed::open(stream, own).frame()
    });
    let refused = keys.talk(address, &[ENCRYPTED, "--token=kR3vVq0cJ7w2mZ9x"], "ping\n");
    assert_eq!((refused.code, refused.stdout.as_str()), (9, ""));
    let expected = format!(
        "error: the key of {address} has changed to {found}, line 1 of {:?} has {pinned}: ",
        keys.hosts()
    );
    let last = refused.stderr.lines().last().unwrap();
    assert!(last.starts_with(&expected), "{}", refused.stderr);
    assert!(!refused.stderr.contains("remembers it"));
    assert_eq!(server.join().unwrap(), None, "nothing is sent to it");
}
