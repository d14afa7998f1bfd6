//! Signals while something blocks: connecting, sending, printing.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::hostile::log_in;
use crate::process::{Ended, serve};
use crate::talk::Talk;
use protocol_tests::WATCHDOG;

/// A signal ends the program within this time, whatever blocks.
const SOON: Duration = Duration::from_secs(8);

/// A server that lets hardly anybody wait to be accepted.
pub(crate) struct Busy {
    listener: TcpListener,
}

impl Busy {
    pub(crate) fn listen() -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let _inside = runtime.enter();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap().into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        Self { listener }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Takes in one client.
    pub(crate) fn accepts<T: Send + 'static>(
        &self,
        then: impl FnOnce(TcpStream) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let listener = self.listener.try_clone().unwrap();
        thread::spawn(move || then(listener.accept().unwrap().0))
    }

    /// Connects until no more can.
    pub(crate) fn fill(&self) -> Vec<TcpStream> {
        let wait = Duration::from_millis(300);
        let connect = || TcpStream::connect_timeout(&self.address(), wait).ok();
        std::iter::from_fn(connect).collect()
    }

    /// Waits until somebody is connecting in vain.
    fn is_asked(&self) {
        let port = format!(":{:04X} 02 ", self.address().port());
        until(|| fs::read_to_string("/proc/net/tcp").unwrap().contains(&port));
    }
}

fn until(holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < WATCHDOG, "it does not come to that");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits for the end of what was sent a signal.
fn ended_soon(talk: &mut Talk, signal: &str) -> Ended {
    let started = Instant::now();
    talk.signal(signal);
    let ended = talk.ended();
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    ended
}

#[test]
fn a_signal_ends_connecting() {
    let server = Busy::listen();
    let _full = server.fill();
    for signal in ["TERM", "INT"] {
        let mut alice = Talk::start(server.address(), "alice", &["--timeout=60s"]);
        server.is_asked();
        let ended = ended_soon(&mut alice, signal);
        let expected = format!("error: ended by SIG{signal}\n");
        assert_eq!((ended.code, ended.stderr), (1, expected));
    }
}

#[test]
fn a_signal_ends_sending_what_nobody_takes() {
    let server = Busy::listen();
    let login = server.accepts(log_in);
    let mut alice = Talk::start(server.address(), "alice", &[]);
    let _held = login.join().unwrap();
    let line = format!("send moved \"{}\"\n", "a".repeat(60_000));
    alice.type_ahead(line.repeat(1_000));
    alice.until("sent");
    // What the system keeps for the server is full once nothing more is sent.
    while alice.goes_on(Duration::from_millis(500)) {}
    let ended = ended_soon(&mut alice, "TERM");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stderr.ends_with("error: ended by SIGTERM\n"),
        "{ended:?}"
    );
}

#[test]
fn a_signal_ends_printing_what_nobody_reads() {
    let server = serve(&[]);
    let address = server.address();
    for signal in ["TERM", "INT"] {
        let mut alice = Talk::unread(address, "alice", &[]);
        alice.type_ahead("help\n".repeat(200));
        until(|| alice.written() > 60_000);
        let started = Instant::now();
        alice.signal(signal);
        assert_eq!(alice.exit_code(), 1);
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    }
}
