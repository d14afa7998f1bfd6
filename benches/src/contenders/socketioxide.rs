//! socketioxide over axum as its documentation uses it, with limits that no mode reaches: an event
//! with an acknowledgement, over WebSocket.
//!
//! Its client is tight and written by hand, as the floors' is: socketioxide has none.

use std::{collections::VecDeque, process, time::Duration};

use ::socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
};
use anyhow::{Context as _, Result, bail, ensure};
use axum::{Router, serve::ListenerExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{
    Contender, Load, Running,
    lines::{self, Dialogue, Lines},
    newcomers, websocket,
};
use crate::{
    mode::{Mode, Workload},
    process::Announcement,
    work::{self, Work},
};

/// Packets that a connection holds before an acknowledgement fails.
const LIMIT: usize = 4096;

/// Longer than any run, so that a client has no ping to answer but the first.
const PING_INTERVAL: Duration = Duration::from_hours(24);

#[derive(Debug)]
pub(super) struct Socketioxide;

impl Contender for Socketioxide {
    fn name(&self) -> &'static str {
        "socketioxide"
    }

    fn about(&self) -> &'static str {
        "socketioxide 0.18 over axum, acknowledged events, WebSocket; tight client"
    }

    fn takes(&self, mode: &Mode) -> bool {
        mode.workload == Workload::Request || newcomers::takes(mode)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let (layer, io) = SocketIo::builder()
                .max_buffer_size(LIMIT)
                .ping_interval(PING_INTERVAL)
                .build_layer();
            io.ns("/", async |socket: SocketRef| {
                socket.on("echo", async |Data::<Work>(work), ack: AckSender| {
                    if let Err(error) = ack.send(&work) {
                        eprintln!("an answer was not sent: {error}");
                    }
                });
                // This runs in a task of its own, and an event that comes before it is lost.
                if let Err(error) = socket.emit("ready", &()) {
                    eprintln!("a client was not told to begin: {error}");
                }
            });
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            announcement.listening(listener.local_addr()?, process::id())?;
            let listener = listener.tap_io(|stream| {
                if let Err(error) = stream.set_nodelay(true) {
                    eprintln!("TCP_NODELAY is not set: {error}");
                }
            });
            Ok(axum::serve(listener, Router::new().layer(layer)).await?)
        })
    }

    fn drive(&self, load: Load) -> Running {
        lines::drive::<Echoes>(load, usize::MAX)
    }
}

struct Echoes {
    work: Work,
    /// Numbers of the requests without an answer, the oldest first: each has a task of its own on
    /// the server, so that one may overtake another.
    expected: VecDeque<u64>,
    text: Vec<u8>,
}

impl Default for Echoes {
    fn default() -> Self {
        Self {
            work: Work::new(0),
            expected: VecDeque::new(),
            text: Vec::new(),
        }
    }
}

impl Dialogue for Echoes {
    /// Opens the WebSocket, Engine.IO's session on it, and Socket.IO's namespace in that.
    async fn open(stream: &mut TcpStream, lines: &mut Lines) -> Result<()> {
        websocket::open("/socket.io/?EIO=4&transport=websocket", stream, lines).await?;
        // Each link has its first ping at once, from a task of its own.
        let (mut is_ready, mut was_pinged) = (false, false);
        while !(is_ready && was_pinged) {
            let Some(frame) = lines.take(websocket::frame_length) else {
                ensure!(lines.fill(stream).await?, "the server hung up");
                continue;
            };
            let mut out = Vec::new();
            match websocket::text(frame)? {
                b"2" => {
                    was_pinged = true;
                    websocket::write_text(b"3", &mut out);
                }
                [b'0', ..] => websocket::write_text(b"40", &mut out),
                [b'4', b'0', ..] => {}
                text if text.starts_with(br#"42["ready""#) => is_ready = true,
                text => bail!("unexpected: {}", String::from_utf8_lossy(text)),
            }
            lines::write(stream, &mut out).await?;
        }
        Ok(())
    }

    fn ask(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.text.clear();
        // An acknowledgement has the number that its event had, here that of the work.
        self.text.extend_from_slice(b"42");
        serde_json::to_writer(&mut self.text, &self.work.id)?;
        self.text.extend_from_slice(br#"["echo","#);
        serde_json::to_writer(&mut self.text, &self.work)?;
        self.text.push(b']');
        websocket::write_text(&self.text, out);
        self.expected.push_back(self.work.id);
        self.work.id += 1;
        Ok(())
    }

    fn next(lines: &mut Lines) -> Option<&[u8]> {
        lines.take(websocket::frame_length)
    }

    fn check(&mut self, frame: &[u8]) -> Result<usize> {
        let text = websocket::text(frame)?;
        let unexpected = || format!("no acknowledgement: {}", String::from_utf8_lossy(text));
        let acknowledgement = text.strip_prefix(b"43").with_context(unexpected)?;
        let start = acknowledgement.iter().position(|byte| *byte == b'[');
        let (number, data) = acknowledgement.split_at(start.with_context(unexpected)?);
        let number: u64 = serde_json::from_slice(number)?;
        let (work,): (Work,) = serde_json::from_slice(data)?;
        work::check(number, work.id)?;
        let place = self.expected.iter().position(|asked| *asked == number);
        let place = place.with_context(|| format!("nobody waits for the answer to {number}"))?;
        self.expected.remove(place);
        Ok(place)
    }
}
