//! socketioxide: a room of its own, over its own WebSocket.

use std::{net::SocketAddr, process};

use anyhow::{Result, ensure};
use axum::{Router, serve::ListenerExt as _};
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};
use tokio::net::TcpListener;

use super::{
    super::{
        Contender, Load, Running,
        websocket::{self, write_text},
    },
    ROOM,
    link::{Heard, Link, Messages, number},
    receivers::{self, Clients},
    takes,
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
                socket.on(
                    "say",
                    async |socket: SocketRef, Data(saying): Data<Saying>| {
                        if let Err(error) = socket.to(ROOM).emit("say", &saying).await {
                            eprintln!("a broadcast failed: {error}");
                        }
                    },
                );
                socket.join(ROOM);
                // This runs in a task of its own, and what comes before it is lost.
                if let Err(error) = socket.emit("ready", &()) {
                    eprintln!("a client was not told to begin: {error}");
                }
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
        let length = websocket::frame_length(bytes);
        let Some((length, frame)) = length.and_then(|all| Some((all, bytes.get(..all)?))) else {
            return Ok(None);
        };
        let text = websocket::text(frame)?;
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

/// Opens a link and the default namespace, whose room takes everybody in.
async fn connect(address: SocketAddr) -> Result<Link> {
    let mut link = Link::connect(address).await?;
    let request = websocket::opening("/socket.io/?EIO=4&transport=websocket", address);
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
    expect(&mut link, br#"42["ready""#).await?;
    Ok(link)
}

async fn say(link: &mut Link, text: &[u8]) -> Result<()> {
    let mut out = Vec::new();
    write_text(text, &mut out);
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
        connect(address).await
    }

    fn say(&self, number: u64, out: &mut Vec<u8>) -> Result<()> {
        let mut packet = format!(r#"42["say",{{"number":{number},"text":""#);
        let end = r#""}]"#;
        let text = SAYING.saturating_sub(packet.len() + end.len());
        packet.extend(std::iter::repeat_n('.', text));
        packet.push_str(end);
        write_text(packet.as_bytes(), out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_is_a_frame() {
        let mut out = Vec::new();
        write_text(b"3", &mut out);
        assert_eq!(out, SocketIoClients::PONG);
    }
}
