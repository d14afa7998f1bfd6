//! A floor of broadcasts that has no queues: all that one read of the publisher brought is written
//! to one receiver after the other, by the publisher's own task.

use std::{
    io::ErrorKind,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use tokio::net::TcpStream;

use super::{
    super::lines::Lines,
    floors::{Delivery, relay},
};

#[derive(Debug, Default)]
pub(in super::super) struct Inline(Mutex<Arc<Vec<Arc<TcpStream>>>>);

impl Delivery for Inline {
    const NAME: &'static str = "inline-floor";
    const ABOUT: &'static str =
        "hand-written: encoded once, written to one receiver after the other for each read batch";

    async fn take(&self, stream: TcpStream, joined: &[u8]) -> Result<()> {
        let stream = Arc::new(stream);
        {
            let mut receivers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::make_mut(&mut receivers).push(Arc::clone(&stream));
        }
        write_all(&stream, joined).await
    }

    async fn deliver(&self, lines: &mut Lines) -> Result<()> {
        let mut batch = Vec::new();
        while let Some(line) = lines.next() {
            relay(line, &mut batch)?;
        }
        let receivers = Arc::clone(&*self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for receiver in &*receivers {
            write_all(receiver, &batch).await?;
        }
        Ok(())
    }
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
