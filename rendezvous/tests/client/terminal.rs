//! A person at a terminal.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nix::sys::wait::WaitStatus;
use protocol_core::Encryption;
use rexpect::session::{PtySession, spawn_command};

use crate::process::{program, serve};
use crate::sealed::{House, key};
use crate::talk::{Talk, talk};
use protocol_tests::WATCHDOG;

/// A client on a terminal of its own.
struct Terminal {
    session: PtySession,
    state: PathBuf,
}

impl Terminal {
    /// One that has logged in and shows its prompt.
    fn logged_in(server: SocketAddr, id: &str, test: &str, colors: bool) -> Self {
        let mut terminal = Self::start(server, id, test, colors, &[]);
        terminal.sees("logged in as ");
        terminal.sees(&format!("{id}> "));
        terminal
    }

    fn start(server: SocketAddr, id: &str, test: &str, colors: bool, flags: &[&str]) -> Self {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("client-{test}"));
        let _ = fs::remove_dir_all(&state);
        let server = server.to_string();
        let mut command = program(&[&["client", "--id", id, &server], flags].concat());
        command.env("XDG_STATE_HOME", &state).env("TERM", "xterm");
        if !colors {
            command.env("NO_COLOR", "1");
        }
        let watchdog = u64::try_from(WATCHDOG.as_millis()).unwrap();
        let session = spawn_command(command, Some(watchdog)).unwrap();
        Self { session, state }
    }

    fn types(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
    }

    /// Waits for `text`; what was shown before it.
    fn sees(&mut self, text: &str) -> String {
        let seen = self.session.exp_string(text);
        seen.unwrap_or_else(|error| panic!("`{text}` is not shown: {error}"))
    }

    /// Waits for the end; the exit code and what was shown last.
    fn ends(&mut self) -> (i32, String) {
        let last = self.session.exp_eof().unwrap();
        match self.session.process().wait().unwrap() {
            WaitStatus::Exited(_, code) => (code, last),
            status => panic!("{status:?}"),
        }
    }

    fn history(&self) -> String {
        fs::read_to_string(self.state.join("rendezvous/client-history")).unwrap()
    }
}

#[test]
fn what_arrives_leaves_the_line_that_is_typed_as_it_is() {
    let server = serve(&[]);
    let address = server.address();
    let mut alice = Terminal::logged_in(address, "alice", "redraw", false);
    alice.types("send to=alice hel");
    alice.sees("send to=alice hel");
    let bob = talk(address, "bob", &[], "confirm to=alice moved [1]\n");
    assert_eq!(bob.code, 0, "{bob:?}");
    alice.sees("<bob> moved [1] (acknowledged)\r\n");
    alice.sees("alice> send to=alice hel");
    alice.types("lo\r");
    alice.sees("<alice> hello null");
    alice.types("\x04");
    assert_eq!(alice.ends().0, 0);
}

#[test]
fn tab_completes_commands_events_peers_and_rooms() {
    let server = serve(&[]);
    let address = server.address();
    let mut bob = Talk::logged_in(address, "bob");
    bob.type_in("create lobby\n");
    bob.until("lobby (");
    let mut alice = Terminal::logged_in(address, "alice", "tab", false);
    alice.types("roo\t\r");
    alice.sees("rooms ");
    alice.sees("lobby  1 of 16, host bob");
    alice.types("jo\tlo\t\r");
    alice.sees("join lobby ");
    alice.sees("bob (online, host)");
    alice.types("se\tto=#\tmov\r");
    alice.sees("send to=#lobby ");
    alice.sees("sent");
    bob.until(": mov null");
    alice.types("who lo\t\r");
    alice.sees("2 of 16");
    alice.types("quit\r");
    assert_eq!(alice.ends().0, 0);
}

#[test]
fn passwords_are_neither_shown_nor_kept() {
    let server = serve(&[]);
    let address = server.address();
    for colors in [true, false] {
        let mut alice = Terminal::logged_in(address, "alice", "secret", colors);
        alice.types("create lobby password=sesame\r");
        let shown = alice.sees("you are in lobby");
        assert!(shown.contains("password=******"), "{shown:?}");
        assert!(!shown.contains("sesame"), "{shown:?}");
        alice.types("request login {\"id\":\"alice\",\"token\":\"sesame\"}\r");
        alice.sees("already_logged_in");
        alice.types("ping\r");
        alice.sees("the server answers");
        alice.types("\x04");
        assert_eq!(alice.ends().0, 0);
        assert_eq!(alice.history(), "#V2\ncreate lobby password=\nping\n");
    }
}

#[test]
fn colors_are_left_out_where_nobody_wants_them() {
    let server = serve(&[]);
    let address = server.address();
    for (colors, painted) in [(true, true), (false, false)] {
        let mut alice = Terminal::logged_in(address, "alice", "colors", colors);
        alice.types("xyzzy\r");
        let mut shown = alice.sees("`help` lists them");
        alice.types("\x04");
        shown += &alice.ends().1;
        let red = shown.contains("\x1b[31m");
        assert_eq!(red, painted, "{shown:?}");
        let bold = shown.contains("\x1b[1m");
        assert_eq!(bold, painted, "{shown:?}");
    }
}

#[test]
fn one_interrupt_clears_the_line_and_two_leave() {
    let server = serve(&[]);
    let address = server.address();
    let mut alice = Terminal::logged_in(address, "alice", "interrupt", false);
    alice.types("create lob");
    alice.sees("create lob");
    alice.types("\x03");
    alice.sees("Ctrl-C again or Ctrl-D leaves");
    alice.sees("alice> ");
    alice.types("\x03");
    assert_eq!(alice.ends().0, 0);
}

#[test]
#[cfg(target_os = "linux")]
fn quit_leaves_while_the_editor_asks_for_more() {
    use crate::hostile::log_in;
    use crate::stuck::Busy;

    let server = Busy::listen();
    let login = server.accepts(log_in);
    let mut alice = Terminal::start(
        server.address(),
        "alice",
        "stuck",
        false,
        &["--timeout=1500ms"],
    );
    alice.sees("logged in as ");
    drop(login.join().unwrap());
    alice.sees("the link is lost");
    let _full = server.fill();
    alice.types("login alice\r");
    // The editor asks for more while the session waits for the server.
    alice.sees("(not connected)> ");
    alice.types("quit\r");
    let (code, last) = alice.ends();
    assert_eq!(code, 7, "{last}");
}

#[test]
fn after_a_lost_link_one_can_log_in_again_or_leave() {
    let first = serve(&[]);
    let mut alice = Terminal::logged_in(first.address(), "alice", "lost", false);
    first.signal("TERM");
    alice.sees("the server stops within");
    alice.sees("the link is lost: the server stops; `login ID` connects again");
    alice.types("ping\r");
    alice.sees("not_connected");
    alice.types("login alice\r");
    alice.sees("cannot_connect: cannot connect to");
    alice.types("quit\r");
    let (code, last) = alice.ends();
    assert_eq!(code, 7, "{last}");
}

#[test]
fn a_key_that_is_new_is_shown_once() {
    let server = House::open(Encryption::Both(key()));
    let address = server.address;
    let flags = ["--link=encrypted"];
    let mut alice = Terminal::start(address, "alice", "keys", false, &flags);
    alice.sees("-- servers know you by a new key from now on: it is in ");
    alice.sees(&format!("-- the key of {address} is "));
    alice.sees("logged in as alice (encrypted link)");
    alice.types("logout\r");
    alice.sees("logged out");
    alice.types("login alice\r");
    let before = alice.sees("logged in as alice (encrypted link)");
    assert!(!before.contains("the key of"), "{before}");
    alice.types("\x04");
    assert_eq!(alice.ends().0, 0);
}
