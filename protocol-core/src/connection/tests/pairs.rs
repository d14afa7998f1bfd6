//! Two ends that talk: however their bytes are cut, both see and say the same.

use super::*;

/// What both ends saw and said.
#[derive(Debug, Default, PartialEq)]
struct Trace {
    at_server: Vec<String>,
    at_client: Vec<String>,
    to_server: String,
    to_client: String,
    calls: Vec<Vec<String>>,
}

/// How the bytes of one direction are cut; it is told how many went before.
type Cut<'a> = &'a dyn Fn(usize, &[u8]) -> Vec<Vec<u8>>;

struct Pair {
    server: End,
    client: End,
    calls: Vec<Arc<Probe>>,
    trace: Trace,
}

impl Pair {
    fn new() -> Self {
        Self {
            server: End::server(),
            client: End::client(),
            calls: Vec::new(),
            trace: Trace::default(),
        }
    }

    /// Lets the bytes travel until both ends are silent.
    fn settle(&mut self, cut: Cut<'_>) {
        loop {
            let to_server = self.client.written();
            for piece in cut(self.trace.to_server.len(), to_server.as_bytes()) {
                self.server.feed(piece);
                handle(&mut self.server, &mut self.trace.at_server);
            }
            self.trace.to_server += &to_server;
            let to_client = self.server.written();
            for piece in cut(self.trace.to_client.len(), to_client.as_bytes()) {
                self.client.feed(piece);
                handle(&mut self.client, &mut self.trace.at_client);
            }
            self.trace.to_client += &to_client;
            if to_server.is_empty() && to_client.is_empty() {
                return;
            }
        }
    }
}

/// Answers requests with their data, refuses notes that say `"no"`.
fn handle(end: &mut End, seen: &mut Vec<String>) {
    while let Some(event) = end.next() {
        seen.push(format!("{:?} {}", event.exchange.mode, event.data));
        match event.exchange.mode {
            Mode::ConfirmPass if event.data == "\"no\"" => {
                let error = WireError::new(ErrorCode::NotAllowed, "no \"means\" no\n");
                end.connection.answer(&event.exchange, Err(&error));
            }
            Mode::Pass | Mode::ConfirmPass | Mode::Reply => {
                end.connection.answer(&event.exchange, Ok(b""));
            }
            Mode::Request => end.answer(&event, &event.data),
        }
    }
}

fn script(cut: Cut<'_>) -> Trace {
    let mut pair = Pair::new();
    let data = ["1", "\"no\"", "{\"é\":[1.50,\"\\n\\u0000😀\"]}", "null"];
    for round in 0..2 {
        for data in data {
            for from_server in [false, true] {
                let end = if from_server {
                    &mut pair.server
                } else {
                    &mut pair.client
                };
                end.connection.send_frame(pass(data).as_bytes());
                for (expects, kind) in [
                    (Expects::Response, FrameType::Request),
                    (Expects::Acknowledgement, FrameType::ConfirmPass),
                ] {
                    let waiter = Probe::new();
                    let mut call = call(&waiter, expects, 1_000);
                    let name = if data == "null" { "unknown" } else { "note" };
                    call.start.clear();
                    wire::write_head(&mut call.start, kind, None, None, name);
                    call.start.extend_from_slice(data.as_bytes());
                    end.connection.send_call(end.now, call);
                    pair.calls.push(waiter);
                }
            }
            if round == 1 {
                pair.settle(cut);
            }
        }
        pair.client
            .connection
            .send_frame(b"\r\n\n{\"type\":\"later\"}\r\n\n");
        pair.settle(cut);
    }
    pair.client.feed(b"x\n");
    handle(&mut pair.client, &mut pair.trace.at_client);
    pair.settle(cut);
    pair.client.shut();
    pair.server.shut();
    pair.trace.calls = pair.calls.iter().map(|call| call.ends()).collect();
    let counted = pair.server.connection.counters();
    assert_eq!((counted.unknown_types, counted.ignored_answers), (2, 0));
    pair.trace
}

#[test]
fn however_the_bytes_are_cut_both_ends_see_and_say_the_same() {
    let whole = script(&|_, bytes| vec![bytes.to_vec()]);
    assert_eq!(whole.at_server.len(), 2 * (4 + 3 + 3));
    assert_eq!(whole.at_client.len(), whole.at_server.len());
    assert_eq!(whole.calls.len(), 2 * 4 * 2 * 2);
    let ended = |text: &str| whole.calls.iter().filter(|ends| *ends == &[text]).count();
    assert_eq!(ended("done 1"), 4);
    assert_eq!(ended("refused not_allowed"), 4);
    assert_eq!(ended("refused unknown_event"), 8);
    assert_eq!(last_word(&whole.to_server), "bad_frame");

    let length = whole.to_server.len().max(whole.to_client.len());
    for at in 0..length {
        let cut = |before: usize, bytes: &[u8]| match at.checked_sub(before) {
            Some(at) if at < bytes.len() => {
                let (left, right) = bytes.split_at(at);
                vec![left.to_vec(), right.to_vec()]
            }
            _ => vec![bytes.to_vec()],
        };
        assert_eq!(script(&cut), whole, "cut at byte {at}");
    }
}

#[test]
fn byte_by_byte_both_ends_see_and_say_the_same() {
    let whole = script(&|_, bytes| vec![bytes.to_vec()]);
    for size in [1, 2, 3, 7, 64] {
        let pieces = |_: usize, bytes: &[u8]| bytes.chunks(size).map(<[u8]>::to_vec).collect();
        assert_eq!(script(&pieces), whole, "pieces of {size}");
    }
}
