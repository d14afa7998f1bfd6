//! Sizes: each limit and the first byte above it.

use protocol_core::wire::ErrorCode;
use protocol_core::{Client, CloseReason, Limits, RequestError, SendError};
use protocol_tests::{PlainOrEncrypted, Raw, RawServer, both::run, still_waits};

use crate::desk::{Add, AtDesk, Bell, Fill, Label, Lend, Library, Note, Open, Sign, Sum, reader};

/// 16 bytes of data with its quotes, which is its `max_size`.
const FITS: &str = "fourteen bytes";

#[test]
fn max_size_holds_at_the_sender() {
    run(|| async {
        let mut open = Open::new().await;
        let too_large = SendError::TooLarge {
            event: "label",
            size: 17,
            limit: 16,
        };
        assert!(!too_large.is_retryable());
        let long = || Label(format!("{FITS}!"));
        assert_eq!(open.client.send(long()).await, Err(too_large.clone()));
        assert_eq!(
            open.client.confirm(long()).await,
            Err(RequestError::NotSent(too_large))
        );
        open.client.send(Label(FITS.into())).await.unwrap();
        assert_eq!(open.next().await, AtDesk::Label(FITS.into()));
        open.client.confirm(Label(FITS.into())).await.unwrap();
    });
}

#[test]
fn max_size_holds_at_the_receiver() {
    run(|| async {
        let mut open = Open::new().await;
        let mut raw = Raw::connect(open.server.address()).await;
        let label = |id: u32, text: &str| {
            format!(r#"{{"type":"confirm_pass","pass_id":"{id}","name":"label","data":"{text}"}}"#)
        };
        let refused = raw.ask(&label(1, &format!("{FITS}!"))).await;
        assert_eq!(refused["pass_id"], "1");
        assert_eq!(refused["error"]["code"], "too_large");
        let taken = raw.ask(&label(2, FITS)).await;
        assert_eq!(taken["pass_id"], "2");
        assert_eq!(taken.get("error"), None);
        assert_eq!(open.next().await, AtDesk::Label(FITS.into()));
    });
}

/// A client of `server` that sends frames of at most `frame_out` bytes.
async fn client_of(server: &RawServer, frame_out: usize) -> (Client<Library>, Raw) {
    let mut limits = Limits::client();
    limits.frame_out = frame_out;
    let (reader, _) = reader();
    let client = Client::<Library>::connect(server.address())
        .plain_or_encrypted()
        .limits(limits);
    let (client, raw) = tokio::join!(client.handle(reader), server.accept());
    (client.unwrap(), raw)
}

#[test]
fn the_frame_limit_holds_for_each_kind_at_the_sending_client() {
    run(|| async {
        let server = RawServer::bind().await;
        let (client, mut raw) = client_of(&server, 65_536).await;
        client.send(Note { n: 1 }).await.unwrap();
        let pass = raw.line().await.unwrap().len();
        let mut confirm = client.confirm(Sign);
        assert!(still_waits(&mut confirm).await);
        let confirmed = raw.line().await.unwrap().len();
        let mut ask = client.request(Add { a: 1, b: 2 });
        assert!(still_waits(&mut ask).await);
        let request = raw.line().await.unwrap().len();

        let too_large = |event, size| SendError::TooLarge {
            event,
            size,
            limit: size - 1,
        };
        let (client, mut raw) = client_of(&server, pass).await;
        client.send(Note { n: 1 }).await.unwrap();
        assert_eq!(raw.line().await.unwrap().len(), pass);
        let (client, _raw) = client_of(&server, pass - 1).await;
        let sent = client.send(Note { n: 1 }).await;
        assert_eq!(sent, Err(too_large("note", pass)));

        let (client, mut raw) = client_of(&server, confirmed).await;
        let mut confirm = client.confirm(Sign);
        assert!(still_waits(&mut confirm).await);
        assert_eq!(raw.line().await.unwrap().len(), confirmed);
        let (client, _raw) = client_of(&server, confirmed - 1).await;
        let sent = client.confirm(Sign).await;
        let expected = RequestError::NotSent(too_large("sign", confirmed));
        assert_eq!(sent, Err(expected));

        let (client, mut raw) = client_of(&server, request).await;
        let mut ask = client.request(Add { a: 1, b: 2 });
        assert!(still_waits(&mut ask).await);
        assert_eq!(raw.line().await.unwrap().len(), request);
        let (client, _raw) = client_of(&server, request - 1).await;
        let sent = client.request(Add { a: 1, b: 2 }).await;
        let expected = RequestError::NotSent(too_large("add", request));
        assert_eq!(sent, Err(expected));
    });
}

fn server_limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::server();
    change(&mut limits);
    limits
}

#[test]
fn the_frame_limit_holds_at_the_reading_server() {
    run(|| async {
        let request = r#"{"type":"request","name":"add","data":{"a":1,"b":2},"request_id":"1"}"#;
        let limits = server_limits(|limits| limits.frame_in = request.len());
        let open = Open::limited(Limits::client(), limits).await;
        let mut raw = Raw::connect(open.server.address()).await;
        assert_eq!(raw.ask(request).await["data"]["sum"], 3);
        let error = raw.ask(&format!("{request} ")).await;
        assert_eq!(error["type"], "pass");
        assert_eq!(error["name"], "protocol_error");
        assert_eq!(error["data"]["code"], "too_large");
        assert_eq!(raw.line().await, None, "the link has ended");
    });
}

#[test]
fn a_call_that_the_server_finds_too_large_is_lost_with_the_link() {
    run(|| async {
        let limits = server_limits(|limits| limits.frame_in = 200);
        let open = Open::limited(Limits::client(), limits).await;
        let title = "x".repeat(200);
        let error = open.client.confirm(Lend { title }).await.unwrap_err();
        let RequestError::Lost(CloseReason::RefusedByPeer(error)) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.standard(), Some(ErrorCode::TooLarge));
        let ended = open.client.closed().await;
        assert_eq!(ended, CloseReason::RefusedByPeer(error));
    });
}

#[test]
fn an_answer_above_the_frame_limit_becomes_internal() {
    run(|| async {
        let open = Open::new().await;
        let fill = |bytes| {
            let data = format!(r#"{{"bytes":{bytes}}}"#);
            format!(r#"{{"type":"request","name":"fill","data":{data},"request_id":"1"}}"#)
        };
        let mut raw = Raw::connect(open.server.address()).await;
        raw.send(&fill(1_000)).await;
        let whole = raw.line().await.unwrap().len();

        let limits = server_limits(|limits| limits.frame_out = whole);
        let open = Open::limited(Limits::client(), limits).await;
        let mut raw = Raw::connect(open.server.address()).await;
        raw.send(&fill(1_000)).await;
        assert_eq!(raw.line().await.unwrap().len(), whole);
        let refused = raw.ask(&fill(1_001)).await;
        // Not `too_large`, which would say that nothing was executed.
        assert_eq!(refused["error"]["code"], "internal");
        assert_eq!(refused["request_id"], "1");

        let error = open.client.request(Fill { bytes: whole }).await;
        let Err(RequestError::Rejected(error)) = error.map(|filled| filled.0.len()) else {
            panic!("the answer does not fit");
        };
        assert_eq!(error.standard(), Some(ErrorCode::Internal));
        let sum = open.client.request(Add { a: 1, b: 1 }).await;
        assert_eq!(sum, Ok(Sum { sum: 2 }), "the link goes on");
    });
}

#[test]
fn a_refusal_above_the_frame_limit_becomes_internal() {
    run(|| async {
        let limits = server_limits(|limits| limits.frame_out = 500);
        let open = Open::limited(Limits::client(), limits).await;
        let title = format!("Dune{}", "!".repeat(500));
        let error = open.client.confirm(Lend { title }).await.unwrap_err();
        let RequestError::Rejected(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.standard(), Some(ErrorCode::Internal));
        let sum = open.client.request(Add { a: 1, b: 1 }).await;
        assert_eq!(sum, Ok(Sum { sum: 2 }), "the link goes on");
    });
}

#[test]
fn the_frame_limit_holds_for_what_a_server_sends() {
    run(|| async {
        let open = Open::new().await;
        let mut raw = Raw::connect(open.server.address()).await;
        // Their answers tell that both connections are listed.
        let add = r#"{"type":"request","name":"add","data":{"a":1,"b":2},"request_id":"1"}"#;
        raw.ask(add).await;
        let sum = open.client.request(Add { a: 1, b: 2 }).await;
        assert_eq!(sum, Ok(Sum { sum: 3 }));
        assert_eq!(open.server.to_all().send(Bell { rings: 1 }).await, Ok(2));
        let whole = raw.line().await.unwrap().len();

        let limits = server_limits(|limits| limits.frame_out = whole);
        let mut open = Open::limited(Limits::client(), limits).await;
        let connection = open.connection().await;
        let ring = |rings| open.server.to(connection).send(Bell { rings });
        ring(1).await.unwrap();
        let too_large = SendError::TooLarge {
            event: "bell",
            size: whole + 1,
            limit: whole,
        };
        assert_eq!(ring(10).await, Err(too_large.clone()));
        let to_all = |rings| open.server.to_all().send(Bell { rings });
        assert_eq!(to_all(2).await, Ok(1));
        assert_eq!(to_all(20).await, Err(too_large));
        assert_eq!(open.rings.recv().await, Some(1));
        assert_eq!(open.rings.recv().await, Some(2));
    });
}

#[test]
fn frames_of_the_default_limits_pass_in_both_directions() {
    run(|| async {
        let open = Open::new().await;
        let near_limit = "x".repeat(65_536 - 200);
        open.client
            .confirm(Lend { title: near_limit })
            .await
            .unwrap();
        let bytes = (1 << 20) - 200;
        let filled = open.client.request(Fill { bytes }).await.unwrap();
        assert_eq!(filled.0.len(), bytes);
    });
}
