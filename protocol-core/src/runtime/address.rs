//! Where a server is: an address that can be connected to, and the name that it is known by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use tokio::net::ToSocketAddrs;

/// The address of a server, such as `"127.0.0.1:7766"` or `("example.org", 7766)`, under the name
/// that its user gave it. Under that name its key is pinned: whoever answers for the name must hold
/// the key, wherever the name leads.
pub trait ServerAddress: ToSocketAddrs {
    /// The name, with the port.
    fn name(&self) -> String;
}

macro_rules! named_by_display {
    ($($address:ty),+) => {$(
        impl ServerAddress for $address {
            fn name(&self) -> String {
                self.to_string().to_ascii_lowercase()
            }
        }
    )+};
}

named_by_display!(str, String, SocketAddr, SocketAddrV4, SocketAddrV6);

macro_rules! named_with_port {
    ($($host:ty),+) => {$(
        impl ServerAddress for ($host, u16) {
            fn name(&self) -> String {
                format!("{}:{}", self.0, self.1).to_ascii_lowercase()
            }
        }
    )+};
}

named_with_port!(Ipv4Addr);

macro_rules! named_with_host {
    ($($host:ty),+) => {$(
        impl ServerAddress for ($host, u16) {
            fn name(&self) -> String {
                match self.0.parse::<IpAddr>() {
                    Ok(ip) => (ip, self.1).name(),
                    Err(_) => format!("{}:{}", self.0, self.1).to_ascii_lowercase(),
                }
            }
        }
    )+};
}

named_with_host!(&str, String);

impl ServerAddress for (IpAddr, u16) {
    fn name(&self) -> String {
        SocketAddr::from(*self).to_string()
    }
}

impl ServerAddress for (Ipv6Addr, u16) {
    fn name(&self) -> String {
        SocketAddr::from(*self).to_string()
    }
}

impl<A: ServerAddress + ?Sized> ServerAddress for &A {
    fn name(&self) -> String {
        A::name(self)
    }
}
