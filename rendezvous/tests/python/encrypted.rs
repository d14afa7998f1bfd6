//! `tests/python/noise_client.py`, by another implementation of Noise, over encrypted links: with
//! both suites, beyond the first keys of both directions, and to each of their ends.

use protocol_core::codec::Suite;
use protocol_core::{Client, PeerIdentity, SecretKey, ignore};
use protocol_tests::run;
use rendezvous::events::RoomNews;
use rendezvous::{LoginExt, SessionNews};

use crate::interpreter::Python;
use crate::meeting::{Alice, Meeting};
use crate::process::{public_key, serve};

/// Alice is there with the other suite: a link's ciphers are its own business.
fn talk(number: &'static str, suite_of_alice: Suite) {
    let Some(python) = Python::with_packages() else {
        return;
    };
    run(async move {
        let server = serve(&[
            "--encryption=encrypted",
            "--log=info",
            "--events-per-second=0",
            "--bytes-per-second=0",
        ]);
        let address = server.address();
        let key = public_key(&server);
        let alice = Alice::default();
        let transcript = alice.transcript.clone();
        let client = Client::<Meeting>::connect(address)
            .encrypted(key)
            .identity(SecretKey::generate().unwrap())
            .suite(suite_of_alice)
            .handle((ignore::<SessionNews>(), ignore::<RoomNews>(), alice))
            .await
            .unwrap();
        assert_eq!(client.server_identity(), PeerIdentity::Key(key));
        client.login("alice").await.unwrap();

        let talking = tokio::task::spawn_blocking(move || {
            let (host, port) = (address.ip().to_string(), address.port().to_string());
            let args = [&*host, &*port, &*key.to_string(), number];
            python.run("noise_client.py", &args)
        });
        let printed = talking.await.unwrap();
        let expected = [
            &*format!("the server has the key, suite {number}"),
            "logged in as bob",
            "the server is alive",
            "alice answers [2, 2]",
            "alice sends wave as a confirm_pass: {\"text\": \"hello yourself\"}",
            "alice sends add as a request: {\"a\": 19, \"b\": 23}",
            "alice sends multiply as a request: {}",
            "both keys have changed",
            "alice has seen a wave under the new keys",
            "ended by bob",
            "logged in as carol",
            "ended by the server",
            "logged in as bob",
            "given up: bad_frame",
            "logged in as carol",
            "cut off",
        ];
        assert_eq!(printed.text.lines().collect::<Vec<_>>(), expected);
        assert!(printed.ended_well, "{}", printed.text);

        let expected = [
            "bob waves: hello",
            "bob asks: [2, 2]",
            "bob waves: your turn",
            "confirmed: Ok(())",
            "19 + 23: Ok(42)",
            "rejected: unknown_event: bob does not know this event",
            "bob waves: still there?",
        ];
        assert_eq!(*transcript.lock().unwrap(), expected);
        // How the server saw the links end. Carol's first one ended by her logout.
        for reason in [
            "closed by the other end",
            "a record was altered, dropped, repeated or moved on its way",
            "the link was cut off",
        ] {
            let line = server.stderr.until("lost its link");
            assert!(line.contains(reason), "{line}");
        }
    });
}

#[test]
fn another_implementation_talks_with_suite_1() {
    talk("1", Suite::AesGcm);
}

#[test]
fn another_implementation_talks_with_suite_2() {
    talk("2", Suite::ChaChaPoly);
}
