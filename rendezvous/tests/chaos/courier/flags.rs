//! What a process is told when it is started.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use protocol_core::PublicKey;

/// How many calls to one destination are open at once: fewer than a stream's window.
pub(crate) const IN_FLIGHT: usize = 16;

/// The office, as a destination and in journals; no peer has such a name.
pub(crate) const OFFICE: &str = "(office)";

/// What a process is to do. Both ends of the command line are here.
#[derive(Debug, Clone)]
pub(crate) struct Flags {
    pub(crate) id: String,
    pub(crate) is_office: bool,
    /// Where the server is, or the office listens.
    pub(crate) at: SocketAddr,
    pub(crate) journal: PathBuf,
    /// Which start of this process it is.
    pub(crate) incarnation: u32,
    /// Whom it sends to: peers, and [`OFFICE`].
    pub(crate) destinations: Vec<String>,
    /// The server's key and the file with the own one, on encrypted links; an office has the latter
    /// only.
    pub(crate) keys: Option<(PublicKey, PathBuf)>,
    pub(crate) token: Option<String>,
    /// The time from one call to a destination to the next.
    pub(crate) pace: Duration,
}

impl Flags {
    /// A courier that sends nothing.
    pub(crate) fn courier(id: &str, at: SocketAddr, journal: PathBuf) -> Self {
        Self {
            id: id.to_owned(),
            is_office: false,
            at,
            journal,
            incarnation: 1,
            destinations: Vec::new(),
            keys: None,
            token: None,
            pace: Duration::from_millis(2),
        }
    }

    /// The office.
    pub(crate) fn office(at: SocketAddr, journal: PathBuf) -> Self {
        Self {
            is_office: true,
            ..Self::courier(OFFICE, at, journal)
        }
    }

    /// As they are given to the process.
    pub(crate) fn args(&self) -> Vec<String> {
        let mut args = vec![
            format!("--id={}", self.id),
            format!("--at={}", self.at),
            format!("--journal={}", self.journal.display()),
            format!("--incarnation={}", self.incarnation),
            format!("--pace-ms={}", self.pace.as_millis()),
        ];
        if self.is_office {
            args.push("--office=yes".to_owned());
        }
        args.extend(self.destinations.iter().map(|to| format!("--to={to}")));
        if let Some((server, own)) = &self.keys {
            args.push(format!("--server-key={server}"));
            args.push(format!("--key-file={}", own.display()));
        }
        args.extend(self.token.iter().map(|token| format!("--token={token}")));
        args
    }

    /// As the process reads them.
    ///
    /// # Panics
    ///
    /// Where they are not what [`args`](Self::args) writes.
    pub(crate) fn of(args: impl Iterator<Item = String>) -> Self {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut flags = Self::courier("", nowhere, PathBuf::new());
        let (mut server, mut own) = (None, None);
        for arg in args {
            let (flag, value) = arg.split_once('=').expect(&arg);
            match flag {
                "--id" => value.clone_into(&mut flags.id),
                "--office" => flags.is_office = true,
                "--at" => flags.at = value.parse().expect(&arg),
                "--journal" => flags.journal = value.into(),
                "--incarnation" => flags.incarnation = value.parse().expect(&arg),
                "--pace-ms" => flags.pace = Duration::from_millis(value.parse().expect(&arg)),
                "--to" => flags.destinations.push(value.to_owned()),
                "--server-key" => server = Some(value.parse().expect(&arg)),
                "--key-file" => own = Some(value.into()),
                "--token" => flags.token = Some(value.to_owned()),
                _ => panic!("no such flag: {arg}"),
            }
        }
        flags.keys = server.zip(own);
        flags
    }
}
