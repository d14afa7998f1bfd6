//! A client in another language, `tests/python/client.py`, and a typed one meet at a rendezvous
//! server: neither can tell what the other is written in.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use protocol_core::{AtPeer, Client, Context, Event, EventSet, Json, Protocol};
use protocol_tests::run;
use rendezvous::{IgnoreNews, Login, LoginExt, Rendezvous, SessionNews};

/// Far above what the client takes, below what the test's own watch allows.
const AT_MOST: Duration = Duration::from_secs(20);

/// More digits than a number of most languages has.
const EXACT: &str = "12345678901234567890.000000000000000000001";

#[derive(Debug, Event)]
#[event(pass)]
struct Wave {
    text: String,
}

#[derive(Debug, Event)]
#[event(request, response = Echoed)]
struct Echo(Json);

#[derive(Debug, Event)]
#[event(response)]
struct Echoed(Json);

#[derive(Debug, Event)]
#[event(request, response = Added)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Debug, Event)]
#[event(response)]
struct Added {
    sum: i64,
}

/// The client in Python does not know this.
#[derive(Debug, Event)]
#[event(request, response = Added)]
struct Multiply {}

#[derive(Debug, EventSet)]
enum Between {
    Wave(Wave),
    Echo(Echo),
    Add(Add),
    Multiply(Multiply),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Login, to_client = SessionNews, to_peer = Between)]
struct Meeting;

/// What alice saw, line by line.
type Transcript = Arc<Mutex<Vec<String>>>;

struct Alice {
    transcript: Transcript,
}

impl Alice {
    fn note(&self, line: impl Into<String>) {
        self.transcript.lock().unwrap().push(line.into());
    }
}

impl BetweenHandler<Meeting, AtPeer> for Alice {
    async fn on_wave(&self, cx: &Context<Meeting, AtPeer>, event: Wave) {
        self.note(format!("{} waves: {}", cx.from(), event.text));
        if event.text != "your turn" {
            return;
        }
        let text = "hello yourself".to_owned();
        let confirmed = cx.confirm(Wave { text }).await;
        self.note(format!("confirmed: {confirmed:?}"));
        let sum = cx.request(Add { a: 19, b: 23 }).await.map(|it| it.sum);
        self.note(format!("19 + 23: {sum:?}"));
        let unknown = cx.request(Multiply {}).await.map(|it| it.sum);
        self.note(unknown.unwrap_err().to_string());
    }

    async fn on_echo(&self, cx: &Context<Meeting, AtPeer>, event: Echo) -> Echoed {
        self.note(format!("{} asks: {}", cx.from(), event.0.get()));
        Echoed(event.0)
    }

    async fn on_add(&self, _cx: &Context<Meeting, AtPeer>, event: Add) -> Added {
        Added {
            sum: event.a + event.b,
        }
    }

    async fn on_multiply(&self, _cx: &Context<Meeting, AtPeer>, _event: Multiply) -> Added {
        Added { sum: 0 }
    }
}

/// What the client in Python printed, and whether it ended well; none where there is no Python.
fn run_client(address: SocketAddr) -> Option<(String, bool)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/client.py");
    assert!(script.is_file(), "{} is missing", script.display());
    let mut child = ["python3", "python"].into_iter().find_map(|python| {
        let mut command = Command::new(python);
        command.arg(&script).arg(address.ip().to_string());
        command.arg(address.port().to_string());
        command.env("PYTHONIOENCODING", "utf-8");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        match command.spawn() {
            Ok(child) => Some(child),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{python} does not start: {error}"),
        }
    })?;
    let mut stdout = child.stdout.take().expect("a pipe");
    let (tell, printed) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text).map(|_| text);
        // The test may have given up.
        let _ = tell.send(read);
    });
    let printed = printed.recv_timeout(AT_MOST);
    if printed.is_err() {
        child.kill().expect("a child");
    }
    let ended_well = child.wait().expect("a child").success();
    let printed = printed.expect("the client ends in time").expect("text");
    Some((printed.replace("\r\n", "\n"), ended_well))
}

#[test]
fn a_client_in_python_and_a_typed_one_talk_to_each_other() {
    run(async {
        let rendezvous = Rendezvous::default();
        let bind = rendezvous.bind::<Meeting>("127.0.0.1:0");
        let server = bind.handle(rendezvous.clone()).await.unwrap();
        let transcript = Transcript::default();
        let alice = Alice {
            transcript: Arc::clone(&transcript),
        };
        let connect = Client::<Meeting>::connect(server.address()).handle((IgnoreNews, alice));
        let client = connect.await.unwrap();
        client.login("alice").await.unwrap();

        let address = server.address();
        let python = tokio::task::spawn_blocking(move || run_client(address));
        let Some((printed, ended_well)) = python.await.unwrap() else {
            println!("skipped: no python3 on PATH");
            return;
        };
        let expected = [
            "logged in as bob",
            "the server is alive",
            "sent a wave",
            "alice has seen a second wave",
            &format!("alice answers {EXACT}"),
            "alice sends wave as a confirm_pass: {\"text\": \"hello yourself\"}",
            "alice sends add as a request: {\"a\": 19, \"b\": 23}",
            "alice sends multiply as a request: {}",
            "logged out",
        ];
        assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
        assert!(ended_well, "{printed}");

        let expected = [
            "bob waves: hello",
            "bob waves: are you there?",
            &format!("bob asks: {EXACT}"),
            "bob waves: your turn",
            "confirmed: Ok(())",
            "19 + 23: Ok(42)",
            "rejected: unknown_event: bob does not know this event",
        ];
        assert_eq!(*transcript.lock().unwrap(), expected);
        // The other client has logged out and left no session.
        assert_eq!(rendezvous.sessions(), 1);
    });
}
