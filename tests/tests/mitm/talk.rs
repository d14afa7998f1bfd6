//! A talk of a client with its server, with somebody in between from a certain round on.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use protocol_core::codec::{CodecError, Suite};
use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{
    Client, CloseReason, Connect, Limits, PublicKey, RequestError, SecretKey, ServerLimits,
};

use crate::pieces::{Part, Piece, Towards};
use crate::proxy::{Deed, Proxy, Tape};
use crate::vault::{Give, Heard, House, MARKER, Put, Safe, Seen, Swapped, Visitor, Watching};

/// Both suites of ciphers.
pub(crate) const SUITES: [Suite; 2] = [Suite::ChaChaPoly, Suite::AesGcm];

/// The talk is so many rounds long: a pass to the server, and one back.
pub(crate) const ROUNDS: usize = 5;

/// The record of a round's pass. The first one to the server holds the open call.
pub(crate) fn record(towards: Towards, round: usize) -> Part {
    match towards {
        Towards::Server => Part::Record(round + 1),
        Towards::Client => Part::Record(round),
    }
}

/// A client that goes on with `key` only, and is `identity`.
pub(crate) fn encrypted(
    address: SocketAddr,
    suite: Suite,
    key: PublicKey,
    identity: &SecretKey,
) -> Connect<'static, Safe> {
    let connect = Client::connect(address).encrypted(key).suite(suite);
    connect.identity(identity.clone())
}

/// A server, a client that talks to it in encrypted form, and the proxy between them.
pub(crate) struct Talk {
    pub(crate) house: House,
    pub(crate) proxy: Proxy,
    pub(crate) visitor: Visitor,
    pub(crate) watching: Watching,
    /// The server's and the client's.
    pub(crate) keys: [SecretKey; 2],
    /// The first round of each direction that is not known to be handled.
    next: [usize; 2],
}

impl Talk {
    /// Begins a talk whose handshake nobody disturbs, up to the server's hearing of the open call.
    pub(crate) async fn begin(suite: Suite, deed: Deed) -> Self {
        Self::begin_within(suite, Limits::server().frame_timeout, deed).await
    }

    /// Likewise, where both ends give a frame so long to arrive.
    pub(crate) async fn begin_within(suite: Suite, frame: Duration, deed: Deed) -> Self {
        let mut limits = ServerLimits::default();
        limits.connection.frame_timeout = frame;
        let (house, key) = House::encrypted(limits).await;
        let identity = SecretKey::generate().unwrap();
        Self::meet(house, [key, identity], suite, frame, deed).await
    }

    /// Likewise, at a server that is there.
    pub(crate) async fn meet(
        mut house: House,
        keys: [SecretKey; 2],
        suite: Suite,
        frame: Duration,
        deed: Deed,
    ) -> Self {
        let proxy = Proxy::open(house.address(), deed).await;
        let [server, client] = keys.each_ref().map(SecretKey::public);
        let mut limits = Limits::client();
        limits.frame_timeout = frame;
        let connect = encrypted(proxy.address(), suite, server, &keys[1]);
        let visitor = Visitor::connect(connect.limits(limits)).await.unwrap();
        assert_eq!(visitor.client.server_identity().key(), Some(server));
        let watching = visitor.watch();
        let Heard::Watches(who) = house.hears().await else {
            panic!("the call is the first event");
        };
        assert_eq!(who.key(), Some(client));
        Self {
            house,
            proxy,
            visitor,
            watching,
            keys,
            next: [0; 2],
        }
    }

    /// A talk that is left in order up to this round; then the deed is done to the pass that it sends
    /// in this direction, and the talk goes on to its last round or the link's end. Each pass
    /// travels in a record of its own.
    pub(crate) async fn disturb(&mut self, towards: Towards, round: usize) {
        for n in 0..round {
            self.put(n).await;
            self.give(n).await;
        }
        if towards == Towards::Client {
            self.put(round).await;
        }
        for n in round..ROUNDS {
            if (towards, n) != (Towards::Client, round) {
                // Where the link has ended, the end of the talk says so.
                let _ = self.visitor.client.send(Put::new(n)).await;
                self.goes_by(Towards::Server, n).await;
            }
            let _ = self.house.server.to_all().send(Give::new(n)).await;
            self.goes_by(Towards::Client, n).await;
        }
    }

    async fn put(&mut self, n: usize) {
        self.visitor.client.send(Put::new(n)).await.unwrap();
        assert_eq!(self.house.hears().await, Heard::Put(n));
        self.next[Towards::Server as usize] = n + 1;
    }

    async fn give(&mut self, n: usize) {
        self.house.server.to_all().send(Give::new(n)).await.unwrap();
        assert_eq!(self.visitor.sees().await, Seen::Give(n));
        self.next[Towards::Client as usize] = n + 1;
    }

    /// Waits for a round's record to go by, or for the link's end at the client.
    async fn goes_by(&mut self, towards: Towards, round: usize) {
        tokio::select! {
            biased;
            _ = self.proxy.sees(towards, record(towards, round)) => {}
            _ = self.visitor.client.closed() => {}
        }
    }

    /// Waits for the link's end at both ends. What they handled is what was sent to them, in order
    /// and without a gap.
    pub(crate) async fn end(mut self) -> Ending {
        let at_client = self.visitor.client.closed().await;
        let (mut put, mut at_server, mut left) = (Vec::new(), None, false);
        while at_server.is_none() || !left {
            match self.house.hears().await {
                Heard::Put(n) => put.push(n),
                Heard::Closed(reason) => at_server = Some(reason),
                Heard::Left => left = true,
                other => panic!("nobody sent this: {other:?}"),
            }
        }
        self.house.has_connections(0).await;
        self.proxy.ended().await;
        let given = self.visitor.close().await;
        let given = given.into_iter().map(|seen| match seen {
            Seen::Give(n) => n,
            other => panic!("nobody sent this: {other:?}"),
        });
        let handled = [put, given.collect()];
        for (handled, next) in handled.iter().zip(self.next) {
            let sent: Vec<_> = (next..next + handled.len()).collect();
            assert_eq!(handled, &sent, "in order and without a gap");
            assert!(next + handled.len() <= ROUNDS);
        }
        assert_tells_nothing(&self.proxy.tape, &self.keys);
        // Longer than what chance writes: three letters stand in some ciphertext now and then.
        for word in ["\"type\":", "\"name\":", "\"data\":", "bad_frame"] {
            assert!(!self.proxy.tape.has(word.as_bytes()), "{word} went by");
        }
        Ending {
            at_client,
            at_server: at_server.expect("it was told"),
            call: self.watching.await.unwrap(),
            handled: handled.map(|handled| handled.len()),
            seen: std::mem::take(&mut self.proxy.gone_by),
        }
    }

    /// Ends the talk in order; what went by, and the server.
    pub(crate) async fn part(mut self) -> (Vec<Piece>, House, [SecretKey; 2]) {
        self.visitor.client.clone().close().await;
        self.house.has_connections(0).await;
        self.proxy.ended().await;
        while self.house.heard.try_recv().is_ok() {}
        (self.proxy.gone_by.split_off(0), self.house, self.keys)
    }
}

/// How a talk ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) at_client: CloseReason,
    pub(crate) at_server: CloseReason,
    /// How the call that was open ended.
    pub(crate) call: Result<Swapped, RequestError<Infallible>>,
    /// How many passes each end handled since the deed.
    handled: [usize; 2],
    /// Everything that the proxy read.
    pub(crate) seen: Vec<Piece>,
}

impl Ending {
    /// The reason of the end that `towards` leads to.
    pub(crate) fn at(&self, towards: Towards) -> &CloseReason {
        match towards {
            Towards::Server => &self.at_server,
            Towards::Client => &self.at_client,
        }
    }

    /// How many passes that end handled since the deed.
    pub(crate) fn handled(&self, towards: Towards) -> usize {
        self.handled[towards as usize]
    }

    /// The end that `towards` leads to found `error`, handled nothing more, and told the other one,
    /// whose direction was left in order.
    pub(crate) fn assert_found(&self, error: &CodecError, towards: Towards) {
        assert_eq!(self.handled(towards), 0, "{self:?}");
        self.assert_gave_up(error, towards);
    }

    /// Likewise, but for what that end may have handled.
    pub(crate) fn assert_gave_up(&self, error: &CodecError, towards: Towards) {
        let found = CloseReason::Codec(error.clone());
        assert_eq!(self.at(towards), &found, "{self:?}");
        let word = WireError::new(ErrorCode::BadFrame, error.to_string());
        self.assert_told(word, towards.back());
    }

    /// The end that `towards` leads to was told with this word that the link is given up.
    pub(crate) fn assert_told(&self, word: WireError, towards: Towards) {
        let told = CloseReason::RefusedByPeer(word);
        assert_eq!(self.at(towards), &told, "{self:?}");
        self.assert_call_lost();
    }

    /// Each end found `error` itself.
    pub(crate) fn assert_both_found(&self, error: &CodecError) {
        let found = CloseReason::Codec(error.clone());
        assert_eq!(self.at_server, found, "{self:?}");
        assert_eq!(self.at_client, found, "{self:?}");
        self.assert_call_lost();
    }

    /// The call that was open is lost, for the reason that the client's link is.
    pub(crate) fn assert_call_lost(&self) {
        let lost = RequestError::Lost(self.at_client.clone());
        assert_eq!(self.call, Err(lost), "{self:?}");
    }
}

/// Whoever reads along learns neither what is said nor who says it.
pub(crate) fn assert_tells_nothing(tape: &Tape, keys: &[SecretKey]) {
    assert!(!tape.has(MARKER.as_bytes()));
    for key in keys {
        assert!(!tape.has(key.public().as_bytes()));
    }
}
