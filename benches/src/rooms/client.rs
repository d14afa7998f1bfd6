//! One client: a socket, a task that reads it, and one request at a time.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
};

use super::{
    tally::Tally,
    wire::{self, Heard},
};

/// What a read makes room for.
const READ: usize = 2 * 1024;

#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    stream: TcpStream,
    /// Where the answer to its request goes.
    asks: Mutex<Option<oneshot::Sender<Option<String>>>>,
}

impl Client {
    /// Connects and logs in. Why it ends, which it should not, goes to `ended`.
    pub(super) async fn log_in(
        address: SocketAddr,
        id: String,
        tally: Arc<Tally>,
        ended: mpsc::Sender<anyhow::Error>,
    ) -> Result<Arc<Self>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let client = Arc::new(Self {
            id,
            stream,
            asks: Mutex::default(),
        });
        let reader = Arc::clone(&client);
        tokio::spawn(async move {
            if let Err(error) = reader.read(&tally).await {
                // Only the first is looked at.
                let _ = ended.try_send(error.context(reader.id.clone()));
            }
        });
        let data = format!(r#"{{"id":"{}"}}"#, client.id);
        client.ask("login", &data).await?;
        Ok(client)
    }

    /// Asks the server; returns the `id` of what it answers.
    pub(super) async fn ask(&self, name: &str, data: &str) -> Result<Option<String>> {
        let (answer, answered) = oneshot::channel();
        *self.asks.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.write(&wire::request(name, data))?;
        answered.await.context("the client ended")
    }

    /// Makes a room for the most players that may be; returns its id.
    pub(super) async fn create_room(&self) -> Result<String> {
        let made = self.ask("create_room", r#"{"name":"load","capacity":1000}"#);
        made.await?.context("a room without an id")
    }

    pub(super) async fn join(&self, room: &str) -> Result<()> {
        self.ask("join_room", &of_room(room)).await.map(drop)
    }

    pub(super) async fn leave(&self, room: &str) -> Result<()> {
        self.ask("leave_room", &of_room(room)).await.map(drop)
    }

    /// Says something to a peer, or to a room.
    pub(super) fn say(&self, dest: &str, number: u64) -> Result<()> {
        self.write(&wire::saying(dest, number))
    }

    /// Writes a frame at once: what is on its way is always far less than the socket takes.
    fn write(&self, frame: &str) -> Result<()> {
        let written = self.stream.try_write(frame.as_bytes());
        let written = written.context("the server does not read")?;
        ensure!(written == frame.len(), "the server does not read");
        Ok(())
    }

    async fn read(&self, tally: &Tally) -> Result<()> {
        let mut buffer = Vec::new();
        loop {
            self.stream.readable().await?;
            buffer.reserve(READ);
            match self.stream.try_read_buf(&mut buffer) {
                Ok(0) => bail!("the server hung up"),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            }
            let mut start = 0;
            while let Some(length) = memchr::memchr(b'\n', &buffer[start..]) {
                self.hear(&buffer[start..start + length], tally)?;
                start += length + 1;
            }
            buffer.drain(..start);
        }
    }

    fn hear(&self, line: &[u8], tally: &Tally) -> Result<()> {
        match wire::read(line)? {
            Heard::Saying { number } => tally.receive(number)?,
            Heard::News => tally.hear(),
            Heard::Answer { id } => {
                let asks = self
                    .asks
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                // Whoever asked may have given up.
                let _ = asks.context("an answer to nothing")?.send(id);
            }
        }
        Ok(())
    }
}

fn of_room(room: &str) -> String {
    format!(r#"{{"room":"{room}"}}"#)
}
