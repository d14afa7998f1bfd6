//! What the floors share: lines over TCP, a server that writes once for each batch that it read,
//! and a client that keeps requests in flight by itself, without a future for each.
//!
//! Knows no JSON.

use std::{
    collections::VecDeque, future::Future, io, marker::PhantomData, net::SocketAddr, process,
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{
    Load, Running,
    newcomers::{self, Newcomer},
};
use crate::process::Announcement;

/// The most that one read takes; more than all requests of any mode that are in flight.
const READ_BUFFER: usize = 64 * 1024;

/// Appends to the buffer the answer to a line.
pub(super) type Answer = fn(&[u8], &mut Vec<u8>) -> Result<()>;

/// Serves lines; whenever `flush_at` bytes of answers are ready, they are written before the rest
/// of the batch is read from the buffer.
pub(super) async fn serve(
    announcement: Announcement,
    answer: Answer,
    flush_at: usize,
) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announcement.listening(listener.local_addr()?, process::id())?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve_one(stream, answer, flush_at).await {
                eprintln!("a connection failed: {error:#}");
            }
        });
    }
}

async fn serve_one(mut stream: TcpStream, answer: Answer, flush_at: usize) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = Lines::default();
    let mut out = Vec::new();
    while lines.fill(&mut stream).await? {
        while let Some(line) = lines.next() {
            answer(line, &mut out)?;
            if out.len() >= flush_at {
                write(&mut stream, &mut out).await?;
            }
        }
        write(&mut stream, &mut out).await?;
    }
    Ok(())
}

/// What a tight client says and expects to hear.
pub(super) trait Dialogue: Default + Send + 'static {
    /// Says and hears what must be before the first request.
    fn open(
        _stream: &mut TcpStream,
        _lines: &mut Lines,
    ) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Appends the next request.
    fn ask(&mut self, out: &mut Vec<u8>) -> Result<()>;

    /// The next whole answer that has been read.
    fn next(lines: &mut Lines) -> Option<&[u8]> {
        lines.next()
    }

    /// Which of the requests that have no answer yet this answers, counted from the oldest, so 0
    /// where answers come in order. Fails if it is a wrong answer, or one to none of them.
    fn check(&mut self, answer: &[u8]) -> Result<usize>;
}

/// A connection of a tight client, ready for its first request.
async fn connect<D: Dialogue>(address: SocketAddr) -> Result<(TcpStream, Lines)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut lines = Lines::default();
    D::open(&mut stream, &mut lines).await?;
    Ok((stream, lines))
}

/// A link of a tight client that has had its answer.
struct Answered<D> {
    _stream: TcpStream,
    dialogue: PhantomData<fn() -> D>,
}

impl<D: Dialogue> Newcomer for Answered<D> {
    async fn come(address: SocketAddr) -> Result<Self> {
        let (mut stream, mut lines) = connect::<D>(address).await?;
        let (mut dialogue, mut out) = (D::default(), Vec::new());
        dialogue.ask(&mut out)?;
        write(&mut stream, &mut out).await?;
        let answer = loop {
            ensure!(lines.fill(&mut stream).await?, "the server hung up");
            if let Some(answer) = D::next(&mut lines) {
                break answer;
            }
        };
        dialogue.check(answer)?;
        Ok(Self {
            _stream: stream,
            dialogue: PhantomData,
        })
    }
}

/// Drives the load with one task for each connection.
pub(super) fn drive<D: Dialogue>(load: Load, flush_at: usize) -> Running {
    if newcomers::takes(load.mode) {
        return newcomers::drive::<Answered<D>>(load);
    }
    Box::pin(async move {
        let mut connections = JoinSet::new();
        for _ in 0..load.mode.connections {
            connections.spawn(drive_one::<D>(load.clone(), flush_at));
        }
        while let Some(ended) = connections.join_next().await {
            ended??;
        }
        Ok(())
    })
}

async fn drive_one<D: Dialogue>(load: Load, flush_at: usize) -> Result<()> {
    let (mut stream, mut lines) = connect::<D>(load.address).await?;
    let mut lane = load.lane();
    let mut dialogue = D::default();
    let mut out = Vec::new();
    let mut in_flight = VecDeque::with_capacity(load.mode.in_flight);
    for _ in 0..load.mode.in_flight {
        in_flight.push_back(lane.sent());
        dialogue.ask(&mut out)?;
    }
    write(&mut stream, &mut out).await?;
    while !in_flight.is_empty() {
        ensure!(lines.fill(&mut stream).await?, "the server hung up");
        while let Some(answer) = D::next(&mut lines) {
            let sent = in_flight.remove(dialogue.check(answer)?);
            lane.answered(sent.context("an answer that nobody asked for")?);
            if lane.runs() {
                in_flight.push_back(lane.sent());
                dialogue.ask(&mut out)?;
                if out.len() >= flush_at {
                    write(&mut stream, &mut out).await?;
                }
            }
        }
        write(&mut stream, &mut out).await?;
    }
    Ok(())
}

/// Writes all of `out`, if anything, and empties it.
pub(super) async fn write(stream: &mut TcpStream, out: &mut Vec<u8>) -> io::Result<()> {
    if !out.is_empty() {
        stream.write_all(out).await?;
        out.clear();
    }
    Ok(())
}

/// Splits what is read into lines, without copying whole ones.
#[derive(Debug)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// What has been read and not yet taken.
    start: usize,
    end: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            buffer: vec![0; READ_BUFFER],
            start: 0,
            end: 0,
        }
    }
}

impl Lines {
    /// Reads once, whatever is there; false at the end of the stream. Cancel-safe.
    pub(super) async fn fill(&mut self, stream: &mut TcpStream) -> Result<bool> {
        let read = stream.read(self.room()?).await?;
        self.end += read;
        Ok(read > 0)
    }

    fn room(&mut self) -> Result<&mut [u8]> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let room = &mut self.buffer[self.end..];
        ensure!(
            !room.is_empty(),
            "a line is longer than {READ_BUFFER} bytes"
        );
        Ok(room)
    }

    /// The next whole line without its end, which stays the next.
    pub(super) fn peek(&self) -> Option<&[u8]> {
        let rest = &self.buffer[self.start..self.end];
        memchr::memchr(b'\n', rest).map(|length| &rest[..length])
    }

    /// The next whole line without its end.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let line = self.take(|rest| Some(memchr::memchr(b'\n', rest)? + 1))?;
        line.split_last().map(|(_end, line)| line)
    }

    /// The bytes of the next whole message, which `length` counts if it is there.
    pub(super) fn take(&mut self, length: impl FnOnce(&[u8]) -> Option<usize>) -> Option<&[u8]> {
        let rest = &self.buffer[self.start..self.end];
        let taken = rest.get(..length(rest)?)?;
        self.start += taken.len();
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_a_split_at_every_byte() -> Result<()> {
        let text = b"one\n\nthree\n";
        for split in 0..=text.len() {
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            for part in [&text[..split], &text[split..]] {
                lines.room()?[..part.len()].copy_from_slice(part);
                lines.end += part.len();
                while let Some(line) = lines.next() {
                    seen.push(line.to_vec());
                }
            }
            assert_eq!(seen, [&b"one"[..], b"", b"three"], "split at {split}");
        }
        Ok(())
    }
}
