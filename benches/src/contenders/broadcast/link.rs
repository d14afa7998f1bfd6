//! A client's end of a link: what has been read and not yet understood. Knows no protocol.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// More than all broadcasts that are on their way to one receiver, so that one read takes them.
const READ_BUFFER: usize = 16 * 1024;

/// The longest message: the picture of a room of a thousand is some hundred bytes for each.
const LONGEST: usize = 1024 * 1024;

/// What a client hears.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// A broadcast with its number.
    Broadcast(u64),
    /// The server asks whether the client is there.
    Ping,
    /// Anything else.
    Other(&'a [u8]),
}

/// How a server's messages lie in the stream.
pub(super) trait Messages {
    /// What a client says to a ping.
    const PONG: &'static [u8];

    /// The first message and how many bytes it takes; none if it is not whole yet.
    fn first(bytes: &[u8]) -> Result<Option<(usize, Heard<'_>)>>;
}

#[derive(Debug)]
pub(super) struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Link {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; READ_BUFFER],
            start: 0,
            end: 0,
        })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Reads once, whatever is there. Cancel-safe.
    pub(super) async fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            ensure!(
                self.end < LONGEST,
                "a message is longer than {LONGEST} bytes"
            );
            self.buffer.resize(self.end * 2, 0);
        }
        let read = self.stream.read(&mut self.buffer[self.end..]).await?;
        ensure!(read > 0, "the server hung up");
        self.end += read;
        Ok(())
    }

    /// The next whole message of what has been read.
    pub(super) fn next<M: Messages>(&mut self) -> Result<Option<Heard<'_>>> {
        let first = M::first(&self.buffer[self.start..self.end])?;
        Ok(first.map(|(length, heard)| {
            self.start += length;
            heard
        }))
    }

    /// Waits for something that is neither a broadcast nor a ping.
    pub(super) async fn other<M: Messages>(&mut self) -> Result<Vec<u8>> {
        loop {
            while let Some(heard) = self.next::<M>()? {
                match heard {
                    Heard::Other(message) => return Ok(message.to_vec()),
                    Heard::Ping => self.write(M::PONG).await?,
                    Heard::Broadcast(number) => bail!("broadcast {number} came too early"),
                }
            }
            self.fill().await?;
        }
    }

    /// Waits for what ends with `end`, and takes all up to there.
    pub(super) async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>> {
        loop {
            let rest = &self.buffer[self.start..self.end];
            if let Some(found) = memchr::memmem::find(rest, end) {
                let taken = rest[..found].to_vec();
                self.start += found + end.len();
                return Ok(taken);
            }
            self.fill().await?;
        }
    }
}

/// The first line without its end, and how many bytes it takes with that.
pub(super) fn first_line(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let length = memchr::memchr(b'\n', bytes)?;
    Some((length + 1, &bytes[..length]))
}

/// The number of a broadcast whose data are `{"number":…,"text":"…"}`; none if it is no broadcast.
pub(super) fn number(message: &[u8]) -> Result<Option<u64>> {
    const BEFORE: &[u8] = br#""number":"#;
    let Some(found) = memchr::memmem::find(message, BEFORE) else {
        return Ok(None);
    };
    let rest = &message[found + BEFORE.len()..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = str::from_utf8(&rest[..digits])?;
    let number = text.parse().context("a broadcast without a number")?;
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found() -> Result<()> {
        assert_eq!(
            number(br#"{"from":"a","data":{"number":42,"text":".."}}"#)?,
            Some(42)
        );
        assert_eq!(number(br#"{"name":"player_joined"}"#)?, None);
        assert!(number(br#"{"number":"42"}"#).is_err());
        Ok(())
    }
}
