//! Where the server is: a host and a port, as they are typed.

use std::net::{IpAddr, SocketAddr};

/// Where a server of this program listens unless it is told otherwise.
pub(super) const DEFAULT: &str = "127.0.0.1:7766";

/// The port where none is typed.
const PORT: u16 = 7766;

/// A host and a port; a host alone is on the usual port.
///
/// # Errors
///
/// Says what to write.
pub(super) fn parse(text: &str) -> Result<String, String> {
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, PORT).to_string());
    }
    // However an address is written, it is remembered in one way.
    if let Some(address) = text.parse::<SocketAddr>().ok().filter(|a| a.port() > 0) {
        return Ok(address.to_string());
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok().filter(|port| *port > 0)),
        None => (text, Some(PORT)),
    };
    let is_name = |host: &str| {
        !host.is_empty()
            && !host.contains(|c: char| c.is_whitespace() || c.is_control() || ":/@".contains(c))
    };
    match port {
        Some(port) if is_name(host) => Ok(format!("{host}:{port}")),
        _ => Err(
            "write a host and a port, such as 127.0.0.1:7766, [::1]:7766 or example.org:7766"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_with_or_without_a_port() {
        for (text, server) in [
            (DEFAULT, DEFAULT),
            ("127.0.0.1", "127.0.0.1:7766"),
            ("localhost", "localhost:7766"),
            ("example.org:1", "example.org:1"),
            ("::1", "[::1]:7766"),
            ("[::1]", "[::1]:7766"),
            ("[::1]:80", "[::1]:80"),
            ("[0:0:0::1]:80", "[::1]:80"),
            ("example.org:0080", "example.org:80"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(server));
        }
        for text in [
            "", ":7766", "[::1]:0", "a:b", "a:0", "a:65536", "a b", "http://a", "a:1:2",
        ] {
            let hint = parse(text).unwrap_err();
            assert!(hint.starts_with("write a host and a port"), "{text}");
        }
    }
}
