//! NATS: a subject that all receivers subscribe to, through a real `nats-server`.

use std::net::SocketAddr;

use anyhow::{Result, bail, ensure};

use super::{
    super::{Contender, Load, Running, nats},
    ROOM,
    link::{Heard, Link, Messages, first_line, number},
    receivers::{self, Clients},
    takes,
};
use crate::{mode::Mode, process::Announcement, rooms::saying};

#[derive(Debug)]
pub(in super::super) struct Nats;

impl Contender for Nats {
    fn name(&self) -> &'static str {
        "nats-subject"
    }

    fn about(&self) -> &'static str {
        "NATS, a real nats-server as it is installed: a subject with subscribers"
    }

    fn lacks(&self) -> Option<&'static str> {
        nats::Nats.lacks()
    }

    fn takes(&self, mode: &Mode) -> bool {
        takes(mode)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        nats::Nats.serve(announcement)
    }

    fn drive(&self, load: Load) -> Running {
        receivers::drive(load, Subscribers)
    }
}

#[derive(Debug)]
struct Subscribers;

impl Messages for Subscribers {
    const PONG: &'static [u8] = b"PONG\r\n";

    // A message is two lines, the second of which is what was published: it has no line ends.
    fn first(bytes: &[u8]) -> Result<Option<(usize, Heard<'_>)>> {
        let Some((length, line)) = first_line(bytes) else {
            return Ok(None);
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let heard = match line {
            [b'{', ..] => number(line)?.map_or(Heard::Other(line), Heard::Broadcast),
            b"PING" => Heard::Ping,
            [b'-', ..] => bail!("nats-server says {}", String::from_utf8_lossy(line)),
            _ => Heard::Other(line),
        };
        Ok(Some((length, heard)))
    }
}

/// Opens a link, and waits until the server has done what `first` asks.
async fn connect(address: SocketAddr, first: &str) -> Result<Link> {
    let mut link = Link::connect(address).await?;
    let info = link.other::<Subscribers>().await?;
    ensure!(info.starts_with(b"INFO "), "nats-server does not greet");
    let connect = r#"CONNECT {"verbose":false,"pedantic":false,"echo":false}"#;
    let said = format!("{connect}\r\n{first}PING\r\n");
    link.write(said.as_bytes()).await?;
    let answer = link.other::<Subscribers>().await?;
    ensure!(
        answer == b"PONG",
        "nats-server says {}",
        String::from_utf8_lossy(&answer)
    );
    Ok(link)
}

impl Clients for Subscribers {
    async fn publisher(&mut self, address: SocketAddr) -> Result<Link> {
        connect(address, "").await
    }

    async fn receiver(&self, address: SocketAddr, _place: usize) -> Result<Link> {
        connect(address, &format!("SUB {ROOM} 1\r\n")).await
    }

    fn say(&self, number: u64, out: &mut Vec<u8>) -> Result<()> {
        let frame = saying(&format!("#{ROOM}"), number);
        let said = frame.trim_end();
        out.extend_from_slice(format!("PUB {ROOM} {}\r\n{said}\r\n", said.len()).as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() -> Result<()> {
        let said = b"MSG room 1 14\r\n{\"number\":7}\r\nPING\r\n";
        let (length, heard) = Subscribers::first(said)?.expect("whole");
        assert_eq!(heard, Heard::Other(b"MSG room 1 14"));
        let rest = &said[length..];
        let (length, heard) = Subscribers::first(rest)?.expect("whole");
        assert_eq!(heard, Heard::Broadcast(7));
        assert_eq!(Subscribers::first(&rest[length..])?, Some((6, Heard::Ping)));
        assert!(Subscribers::first(b"-ERR 'no'\r\n").is_err());
        Ok(())
    }
}
