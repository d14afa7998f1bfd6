//! What the hand-written servers of broadcasts share: a connection either hears or says, and what
//! is said is decoded as far as its envelope and encoded once.

use std::{borrow::Cow, fmt::Debug, marker::PhantomData, net::SocketAddr, process, sync::Arc};

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::{TcpListener, TcpStream};

use super::{
    super::{Contender, Load, Running, lines::Lines},
    ROOM,
    link::{Heard, Link, Messages, first_line, number},
    receivers::{self, Clients},
    takes,
};
use crate::{mode::Mode, process::Announcement, rooms::saying};

/// What a connection says to hear, and what it is told when it does.
const JOIN: &[u8] = b"join";
const JOINED: &[u8] = b"joined\n";

/// How a hand-written server gets what is said to its receivers.
pub(in super::super) trait Delivery:
    Debug + Default + Send + Sync + 'static
{
    const NAME: &'static str;
    const ABOUT: &'static str;

    /// Takes a receiver in and tells it so with `joined`; serves it as long as this runs.
    fn take(&self, stream: TcpStream, joined: &[u8]) -> impl Future<Output = Result<()>> + Send;

    /// Delivers all whole lines of what has been read from the publisher.
    fn deliver(&self, lines: &mut Lines) -> impl Future<Output = Result<()>> + Send;
}

#[derive(Debug)]
pub(in super::super) struct Floor<D>(PhantomData<fn() -> D>);

impl<D> Floor<D> {
    pub(in super::super) const NEW: Self = Self(PhantomData);
}

impl<D: Delivery> Contender for Floor<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn about(&self) -> &'static str {
        D::ABOUT
    }

    fn takes(&self, mode: &Mode) -> bool {
        takes(mode)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            announcement.listening(listener.local_addr()?, process::id())?;
            let delivery = Arc::new(D::default());
            loop {
                let (stream, _) = listener.accept().await?;
                let delivery = Arc::clone(&delivery);
                tokio::spawn(async move {
                    if let Err(error) = serve_one(stream, &*delivery).await {
                        eprintln!("a connection failed: {error:#}");
                    }
                });
            }
        })
    }

    fn drive(&self, load: Load) -> Running {
        receivers::drive(load, Lined)
    }
}

async fn serve_one(mut stream: TcpStream, delivery: &impl Delivery) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = Lines::default();
    while lines.fill(&mut stream).await? {
        if lines.peek() == Some(JOIN) {
            return delivery.take(stream, JOINED).await;
        }
        delivery.deliver(&mut lines).await?;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    dest: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Appends the frame that receivers get for the publisher's line.
pub(super) fn relay(line: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let Envelope {
        kind,
        dest,
        name,
        data,
    } = serde_json::from_slice(line)?;
    ensure!(
        kind == "pass" && dest.strip_prefix('#') == Some(ROOM),
        "the server expects a pass to #{ROOM}"
    );
    out.extend_from_slice(br#"{"from":"publisher","type":"pass","dest":"#);
    // Both are the client's own: escaped like any string from outside.
    serde_json::to_writer(&mut *out, &dest)?;
    out.extend_from_slice(br#","name":"#);
    serde_json::to_writer(&mut *out, &name)?;
    out.extend_from_slice(br#","data":"#);
    out.extend_from_slice(data.get().as_bytes());
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// Clients of lines.
#[derive(Debug)]
struct Lined;

impl Messages for Lined {
    // Never asked for.
    const PONG: &'static [u8] = b"";

    fn first(bytes: &[u8]) -> Result<Option<(usize, Heard<'_>)>> {
        let Some((length, line)) = first_line(bytes) else {
            return Ok(None);
        };
        let heard = number(line)?.map_or(Heard::Other(line), Heard::Broadcast);
        Ok(Some((length, heard)))
    }
}

impl Clients for Lined {
    async fn publisher(&mut self, address: SocketAddr) -> Result<Link> {
        Link::connect(address).await
    }

    async fn receiver(&self, address: SocketAddr, _place: usize) -> Result<Link> {
        let mut link = Link::connect(address).await?;
        link.write(&[JOIN, b"\n"].concat()).await?;
        link.until(JOINED).await?;
        Ok(link)
    }

    fn say(&self, number: u64, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(saying(&format!("#{ROOM}"), number).as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard_with_its_number() -> Result<()> {
        let (mut said, mut relayed) = (Vec::new(), Vec::new());
        Lined.say(7, &mut said)?;
        assert_eq!(said.len(), 150);
        relay(&said, &mut relayed)?;
        assert_eq!(
            Lined::first(&relayed)?,
            Some((relayed.len(), Heard::Broadcast(7)))
        );
        for short in 0..relayed.len() {
            assert_eq!(Lined::first(&relayed[..short])?, None);
        }
        assert!(
            relay(
                br##"{"type":"pass","dest":"#other","name":"say","data":1}"##,
                &mut said
            )
            .is_err()
        );
        Ok(())
    }
}
