//! The floor of broadcasts, which their ratios are to: what is said is encoded once, and each
//! receiver has a queue and a task that writes what is in it.

use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};
use bytes::Bytes;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::mpsc::{self, Sender},
};

use super::{
    super::lines::{Lines, write},
    floors::{Delivery, relay},
};

/// Frames that wait for one receiver; more than are ever on their way.
const QUEUE: usize = 1_024;

#[derive(Debug, Default)]
pub(in super::super) struct Queues(Mutex<Vec<Sender<Bytes>>>);

impl Delivery for Queues {
    const NAME: &'static str = "queue-floor";
    const ABOUT: &'static str =
        "hand-written: encoded once, a queue and a task that writes for each receiver";

    async fn take(&self, mut stream: TcpStream, joined: &[u8]) -> Result<()> {
        let (sender, mut queue) = mpsc::channel::<Bytes>(QUEUE);
        {
            let mut receivers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            receivers.push(sender);
        }
        stream.write_all(joined).await?;
        let mut out = Vec::new();
        while let Some(first) = queue.recv().await {
            out.extend_from_slice(&first);
            while let Ok(next) = queue.try_recv() {
                out.extend_from_slice(&next);
            }
            write(&mut stream, &mut out).await?;
        }
        Ok(())
    }

    async fn deliver(&self, lines: &mut Lines) -> Result<()> {
        while let Some(line) = lines.next() {
            let mut frame = Vec::with_capacity(line.len() * 2);
            relay(line, &mut frame)?;
            let frame = Bytes::from(frame);
            let receivers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for receiver in &*receivers {
                let queued = receiver.try_send(frame.clone());
                queued.map_err(|_| anyhow!("a receiver's queue is full, or it is gone"))?;
            }
        }
        Ok(())
    }
}
