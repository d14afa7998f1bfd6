//! A client that connects through a proxy, for what is done to the handshake.

use std::io::ErrorKind;
use std::time::Duration;

use protocol_core::codec::{CodecError, Suite};
use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{CloseReason, ConnectError, SecretKey, ServerLimits};
use serde_json::Value;

use crate::pieces::{Part, Towards};
use crate::proxy::{Deed, Proxy};
use crate::talk::{assert_tells_nothing, encrypted};
use crate::vault::{House, Visitor};

/// What came of it.
pub(crate) struct Attempt {
    pub(crate) house: House,
    pub(crate) proxy: Proxy,
    pub(crate) result: Result<Visitor, ConnectError>,
    keys: [SecretKey; 2],
}

impl Attempt {
    pub(crate) async fn through(suite: Suite, deed: Deed) -> Self {
        Self::within(
            suite,
            ServerLimits::default(),
            Duration::from_secs(10),
            deed,
        )
        .await
    }

    /// Likewise, at a server with these limits, for a client that gives up after `timeout`.
    pub(crate) async fn within(
        suite: Suite,
        limits: ServerLimits,
        timeout: Duration,
        deed: Deed,
    ) -> Self {
        let (house, key) = House::encrypted(limits).await;
        let proxy = Proxy::open(house.address(), deed).await;
        let identity = SecretKey::generate().unwrap();
        let connect = encrypted(proxy.address(), suite, key.public(), &identity);
        let result = Visitor::connect(connect.timeout(timeout)).await;
        Self {
            house,
            proxy,
            result,
            keys: [key, identity],
        }
    }

    /// The client heard nothing for so long, and left.
    pub(crate) async fn assert_timeout(self, expected: Duration) {
        match &self.result {
            Err(ConnectError::Timeout { after }) => assert_eq!(*after, expected),
            other => panic!("{:?}", other.as_ref().err()),
        }
        assert_eq!(self.fails().await, None, "the server has nothing to say");
    }

    /// The link ended before it was one, at both ends.
    pub(crate) async fn assert_ended(self) {
        match &self.result {
            Err(ConnectError::Io(error)) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
            other => panic!("{:?}", other.as_ref().err()),
        }
        assert_eq!(self.fails().await, None, "the server has nothing to say");
    }

    /// The client found this; the server never had a link, and learnt no more than that it ended.
    pub(crate) async fn assert_client_found(self, expected: CodecError) {
        let error = match &self.result {
            Err(ConnectError::Codec(error)) => error.clone(),
            other => panic!("{:?} instead of {expected:?}", other.as_ref().err()),
        };
        assert_eq!(error, expected);
        assert_eq!(self.fails().await, None, "the server has nothing to say");
    }

    /// The server said this before it had a link, and the client was still waiting for one.
    pub(crate) async fn assert_refused(self, expected: WireError) {
        let word = match &self.result {
            Err(ConnectError::Refused(word)) => word.clone(),
            other => panic!("{:?} instead of {expected:?}", other.as_ref().err()),
        };
        assert_eq!(word, expected);
        assert_eq!(self.fails().await, Some(expected));
    }

    /// The link ended before it was one at the server, which said this, or nothing. The client had
    /// one, on which that is no record.
    pub(crate) async fn assert_cut_off(self, expected: Option<WireError>) {
        let visitor = self.result.as_ref().expect("the client's handshake ended");
        assert_eq!(visitor.client.closed().await, CloseReason::CutOff);
        let error = visitor.watch().await.unwrap().unwrap_err();
        assert!(error.is_closed(), "{error:?}");
        assert_eq!(self.fails().await, expected);
    }

    /// Waits until the server has given up; its plain word, if it said one. Nothing was handled.
    async fn fails(mut self) -> Option<WireError> {
        if let Ok(visitor) = self.result {
            assert_eq!(visitor.close().await, []);
        }
        self.house.was_never_reached().await;
        self.proxy.ended().await;
        assert_tells_nothing(&self.proxy.tape, &self.keys);
        let said = self
            .proxy
            .gone_by
            .iter()
            .filter(|piece| (piece.towards, piece.part) == (Towards::Client, Part::Plain));
        let said: Vec<u8> = said.flat_map(|piece| piece.bytes.clone()).collect();
        (!said.is_empty()).then(|| word(&said))
    }
}

/// What a codec's error has the other end told.
pub(crate) fn bad_frame(error: &CodecError) -> WireError {
    WireError::new(ErrorCode::BadFrame, error.to_string())
}

/// What a plain last word says.
pub(crate) fn word(line: &[u8]) -> WireError {
    let frame: Value = serde_json::from_slice(line).expect("a line of JSON");
    assert_eq!(
        (&frame["type"], &frame["name"]),
        (&"pass".into(), &"protocol_error".into())
    );
    let [code, message] = ["code", "message"].map(|it| frame["data"][it].as_str().unwrap());
    let code = ErrorCode::from_str(code).expect("a standard code");
    WireError::new(code, message)
}

/// The plain last word behind the server's message of the handshake, where that comes first.
pub(crate) fn word_behind(said: &[u8]) -> WireError {
    let answered = said.first() == Some(&0);
    word(&said[if answered { 2 + 96 } else { 0 }..])
}
