//! socketioxide: a room of its own, over its own WebSocket.

use std::{net::SocketAddr, process};

use anyhow::{Result, ensure};
use axum::{Router, serve::ListenerExt as _};
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
};
use tokio::net::TcpListener;

use super::{
    super::{Contender, Load, Running},
    ROOM,
    link::{Heard, Link, Messages, number},
    receivers::{self, Clients},
    takes,
    websocket::{first_text, upgrade, write_text},
};
use crate::{mode::Mode, process::Announcement};

/// Packets that may wait for one receiver; more than are ever on their way.
const BUFFER: usize = 1_024;

/// What a broadcast takes with its packet around it, as in every contender.
const SAYING: usize = 150;

#[derive(Debug, Serialize, Deserialize)]
struct Saying {
    number: u64,
    text: String,
}

#[derive(Debug)]
pub(in super::super) struct Socketioxide;

impl Contender for Socketioxide {
    fn name(&self) -> &'static str {
        "socketioxide-room"
    }

    fn about(&self) -> &'static str {
        "socketioxide 0.18 on axum: an event to a room, over WebSocket"
    }

    fn takes(&self, mode: &Mode) -> bool {
        takes(mode)
    }

    fn serve(&self, announcement: Announcement) -> Running {
        Box::pin(async {
            let (layer, io) = SocketIo::builder().max_buffer_size(BUFFER).build_layer();
            io.ns("/", async |socket: SocketRef| {
                socket.on("join", async |socket: SocketRef, ack: AckSender| {
                    socket.join(ROOM);
                    // It fails only if whoever asked has gone.
                    let _ = ack.send("joined");
                });
                socket.on(
                    "say",
                    async |socket: SocketRef, Data(saying): Data<Saying>| {
                        if let Err(error) = socket.to(ROOM).emit("say", &saying).await {
                            eprintln!("a broadcast failed: {error}");
                        }
                    },
                );
            });
            let app = Router::new().layer(layer);
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            announcement.listening(listener.local_addr()?, process::id())?;
            let listener = listener.tap_io(|stream| {
                // It fails only if the client has gone.
                let _ = stream.set_nodelay(true);
            });
            Ok(axum::serve(listener, app).await?)
        })
    }

    fn drive(&self, load: Load) -> Running {
        receivers::drive(load, SocketIoClients)
    }
}

#[derive(Debug)]
struct SocketIoClients;

impl Messages for SocketIoClients {
    // The text `3` in a frame.
    const PONG: &'static [u8] = b"\x81\x81\0\0\0\x003";

    fn first(bytes: &[u8]) -> Result<Option<(usize, Heard<'_>)>> {
        let Some((length, text)) = first_text(bytes)? else {
            return Ok(None);
        };
        let heard = match text {
            b"2" => Heard::Ping,
            _ if text.starts_with(br#"42["say","#) => {
                number(text)?.map_or(Heard::Other(text), Heard::Broadcast)
            }
            _ => Heard::Other(text),
        };
        Ok(Some((length, heard)))
    }
}

/// Opens a link and the default namespace.
async fn connect(address: SocketAddr) -> Result<Link> {
    let mut link = Link::connect(address).await?;
    let request = upgrade(
        "/socket.io/?EIO=4&transport=websocket",
        &address.to_string(),
    );
    link.write(request.as_bytes()).await?;
    let answer = link.until(b"\r\n\r\n").await?;
    ensure!(
        answer.starts_with(b"HTTP/1.1 101 "),
        "the server does not upgrade: {}",
        String::from_utf8_lossy(&answer)
    );
    expect(&mut link, b"0{").await?;
    say(&mut link, b"40").await?;
    expect(&mut link, b"40{").await?;
    Ok(link)
}

async fn say(link: &mut Link, text: &[u8]) -> Result<()> {
    let mut out = Vec::new();
    write_text(text, &mut out)?;
    link.write(&out).await
}

async fn expect(link: &mut Link, beginning: &[u8]) -> Result<()> {
    let heard = link.other::<SocketIoClients>().await?;
    ensure!(
        heard.starts_with(beginning),
        "the server says {}",
        String::from_utf8_lossy(&heard)
    );
    Ok(())
}

impl Clients for SocketIoClients {
    // It handles each event in a task of its own.
    const IN_ORDER: bool = false;

    async fn publisher(&mut self, address: SocketAddr) -> Result<Link> {
        connect(address).await
    }

    async fn receiver(&self, address: SocketAddr, _place: usize) -> Result<Link> {
        let mut link = connect(address).await?;
        say(&mut link, br#"420["join"]"#).await?;
        expect(&mut link, br#"430["joined"]"#).await?;
        Ok(link)
    }

    fn say(&self, number: u64, out: &mut Vec<u8>) -> Result<()> {
        let mut packet = format!(r#"42["say",{{"number":{number},"text":""#);
        let end = r#""}]"#;
        let text = SAYING.saturating_sub(packet.len() + end.len());
        packet.extend(std::iter::repeat_n('.', text));
        packet.push_str(end);
        write_text(packet.as_bytes(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_is_a_frame() -> Result<()> {
        let mut out = Vec::new();
        write_text(b"3", &mut out)?;
        assert_eq!(out, SocketIoClients::PONG);
        Ok(())
    }
}
