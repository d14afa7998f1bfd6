//! Which links are taken where, and whose the ids are on them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use protocol_core::{Client, ConnectError, Protocol, PublicKey, RequestError, SecretKey, ignore};
use protocol_tests::Process;
use rendezvous::events::{LoginError, Ping};
use rendezvous::{Login, LoginExt, SessionNews};
use serde_json::Value;

use crate::process::{self, new_folder, program, public_key, run, serve};

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Login, to_client = SessionNews)]
struct Talk;

/// A client that proves to hold `identity`.
async fn connect(
    address: SocketAddr,
    server: PublicKey,
    identity: SecretKey,
) -> Result<Client<Talk>, ConnectError> {
    Client::connect(address)
        .encrypted(server)
        .identity(identity)
        .handle(ignore::<SessionNews>())
        .await
}

fn new_key() -> SecretKey {
    SecretKey::generate().unwrap()
}

/// `rendezvous serve` on all addresses, with `flags`, and where it is from here.
fn serve_all(flags: &[&str]) -> (Process, SocketAddr) {
    let args = [&["serve", "--listen", "0.0.0.0:0"], flags].concat();
    let server = Process::start(program(&args));
    let port = server.address().port();
    (server, (Ipv4Addr::LOCALHOST, port).into())
}

/// Whether a plain link is refused for want of encryption; else it is served.
fn wants_encryption(address: SocketAddr) -> bool {
    let mut client = process::Client::at(address);
    let answer = client.ask("ping", "{}");
    if answer["name"] == "protocol_error" {
        assert_eq!(answer["data"]["code"], "encryption_required", "{answer}");
        assert_eq!(client.read(), None);
        return true;
    }
    assert!(answer["data"]["server_ms"].is_u64(), "{answer}");
    false
}

/// Asserts that an encrypted link is served.
async fn takes_encrypted(address: SocketAddr, key: PublicKey) {
    let client = connect(address, key, new_key()).await.unwrap();
    assert_eq!(client.server_identity().key(), Some(key));
    client.request(Ping::default()).await.unwrap();
}

const WARNING: &str = "others can reach this address and use plain links";

/// What a server has logged from its start to its end.
#[cfg(unix)]
fn log_of(mut server: Process) -> String {
    server.signal("TERM");
    assert_eq!(server.exit_code(), 0);
    server.stderr.rest()
}

#[test]
fn on_loopback_both_kinds_of_links_are_taken() {
    protocol_tests::run(async {
        let server = serve(&[]);
        let (address, key) = (server.address(), public_key(&server));
        assert!(!wants_encryption(address));
        takes_encrypted(address, key).await;
        #[cfg(unix)]
        assert!(!log_of(server).contains("WARN"));
    });
}

#[test]
fn elsewhere_links_are_encrypted() {
    protocol_tests::run(async {
        let (server, address) = serve_all(&[]);
        let key = public_key(&server);
        assert!(wants_encryption(address));
        takes_encrypted(address, key).await;
        #[cfg(unix)]
        assert!(!log_of(server).contains(WARNING));
    });
}

#[test]
fn plain_links_elsewhere_are_asked_for_by_name() {
    protocol_tests::run(async {
        let (server, address) = serve_all(&["--encryption=both"]);
        let key = public_key(&server);
        server.stderr.until(WARNING);
        assert!(!wants_encryption(address));
        takes_encrypted(address, key).await;

        let (server, address) = serve_all(&["--encryption=plain"]);
        server.stderr.until(WARNING);
        assert!(!wants_encryption(address));
        let key = new_key().public();
        let refused = connect(address, key, new_key()).await.unwrap_err();
        let ConnectError::Refused(error) = refused else {
            panic!("{refused}");
        };
        assert_eq!(error.code, "encryption_refused");
    });
}

#[test]
fn a_server_of_plain_links_has_no_key() {
    let folder = new_folder();
    let path = folder.join("server.key");
    let mut command = program(&["serve", "--listen=127.0.0.1:0", "--encryption=plain"]);
    command.env("XDG_CONFIG_HOME", &folder);
    command.arg("--key-file").arg(&path);
    let server = Process::start(command);
    assert!(!wants_encryption(server.address()));
    assert!(!folder.exists());
}

#[test]
fn loopback_can_be_encrypted_only_by_flag_variable_or_file() {
    let folder = new_folder();
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("rendezvous.toml");
    let key = folder.join("server.key");
    let settings = format!("encryption = 'encrypted'\nkey-file = '{}'\n", key.display());
    fs::write(&file, settings).unwrap();

    let by_flag = program(&["serve", "--listen=127.0.0.1:0", "--encryption=encrypted"]);
    let mut by_variable = program(&["serve", "--listen=127.0.0.1:0"]);
    by_variable.env("RENDEZVOUS_ENCRYPTION", "encrypted");
    let mut by_file = program(&["serve", "--listen=127.0.0.1:0", "--config"]);
    by_file.arg(&file);
    for command in [by_flag, by_variable, by_file] {
        let server = Process::start(command);
        assert!(wants_encryption(server.address()));
    }
    assert!(key.exists());

    let mut check = program(&["check-config"]);
    check.arg(&file);
    let page = run(check).stdout;
    let line = format!("encryption = \"encrypted\" # {}:1\n", file.display());
    assert!(page.contains(&line), "{page}");
    assert!(
        run(program(&["check-config"]))
            .stdout
            .contains("\n# encryption is not set\n")
    );
}

#[test]
fn who_shows_no_kind_of_link_is_closed() {
    for flag in ["--handshake-timeout=50ms", "--login-timeout=50ms"] {
        let server = serve(&[flag]);
        let mut silent = process::Client::connect(&server);
        let word: Value = serde_json::from_str(&silent.read().unwrap()).unwrap();
        assert_eq!(word["data"]["code"], "timeout", "{word}");
        assert_eq!(silent.read(), None);
    }
}

#[test]
fn an_id_stays_bound_to_its_key_over_restarts() {
    protocol_tests::run(async {
        let path = new_folder().join("server.key");
        let start = || {
            let mut command = program(&["serve", "--listen=127.0.0.1:0"]);
            command.arg("--key-file").arg(&path);
            let server = Process::start(command);
            let (address, key) = (server.address(), public_key(&server));
            (server, address, key)
        };
        let alices = new_key();
        let (server, address, key) = start();
        let alice = connect(address, key, alices.clone()).await.unwrap();
        alice.login("alice").await.unwrap();
        let file = path.with_file_name("server.key.bindings");
        assert!(file.exists());
        let line = server.stderr.until("ids belong to the keys");
        assert!(
            line.contains("server.key.bindings") && line.contains("ids=0"),
            "{line}"
        );
        drop((alice, server));

        let (server, address, key) = start();
        assert!(
            server
                .stderr
                .until("ids belong to the keys")
                .contains("ids=1")
        );
        let other = connect(address, key, new_key()).await.unwrap();
        let refused = other.login("Alice").await.unwrap_err();
        assert!(
            matches!(refused, RequestError::Refused(LoginError::IdTaken)),
            "{refused}"
        );
        let mut plain = process::Client::at(address);
        let answer = plain.ask("login", r#"{"id":"alice"}"#);
        assert_eq!(answer["error"]["code"], "id_taken", "{answer}");
        let alice = connect(address, key, alices).await.unwrap();
        alice.login("alice").await.unwrap();
        drop((alice, server));

        // Whoever loses the file loses whose the ids are.
        for lose in [
            |file: &Path| fs::remove_file(file),
            |file: &Path| fs::write(file, ""),
        ] {
            lose(&file).unwrap();
            let (server, ..) = start();
            let line = server
                .stderr
                .until("the file of bindings was missing or empty");
            assert!(
                line.contains("WARN") && line.contains("server.key.bindings"),
                "{line}"
            );
            server.stderr.until("ids=0");
        }
    });
}
