//! The examples of the protocol's description, byte for byte, over real sockets: what a server
//! answers to them, and what a client writes.

use std::net::SocketAddr;

use protocol_core::{
    Client, Context, Event, EventError, EventSet, PeerId, Protocol, RequestError, RoomId, Server,
};
use protocol_tests::{Raw, RawServer, Seen, notices, run};

const PASS: &str = r#"{"type":"pass","dest":"bob","name":"test_event","data":"test_data"}"#;
const CONFIRM: &str =
    r#"{"type":"confirm_pass","name":"test_event","data":"test_data","pass_id":"0193-1"}"#;
const ACKNOWLEDGEMENT: &str = r#"{"type":"confirm_pass","pass_id":"0193-1"}"#;
const REQUEST: &str =
    r#"{"type":"request","name":"test_event","data":"test_data","request_id":"0193-2"}"#;
const RESPONSE: &str =
    r#"{"type":"response","name":"test_event","data":"test_data","request_id":"0193-2"}"#;
const REFUSAL: &str = r#"{"type":"response","name":"test_event","request_id":"0193-2","error":{"code":"room_full","message":"the room is full: 8 players","data":{"max":8}}}"#;

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
enum FullError {
    #[error("the room is full: {max} players")]
    RoomFull { max: u8 },
}

#[derive(Debug, Event)]
#[event(pass, name = "test_event", error = FullError)]
struct TestPass(String);

#[derive(Debug, Event)]
#[event(request, name = "test_event", response = TestResponse, error = FullError)]
struct TestRequest(String);

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct TestResponse(String);

#[derive(Debug, EventSet)]
enum Passes {
    Test(TestPass),
}

#[derive(Debug, EventSet)]
enum Requests {
    Test(TestRequest),
}

/// One event cannot be both: its name is one and the same.
#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Passes, to_client = Passes, to_peer = Passes)]
struct Passing;

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Requests, to_client = Requests, to_peer = Requests)]
struct Requesting;

/// Gives back what it gets, unless that is `"full"`.
struct Echo;

fn echo(text: String) -> Result<String, FullError> {
    if text == "full" {
        return Err(FullError::RoomFull { max: 8 });
    }
    Ok(text)
}

impl<W: protocol_core::Side> PassesHandler<Passing, W> for Echo {
    async fn on_test(&self, _cx: &Context<Passing, W>, event: TestPass) -> Result<(), FullError> {
        echo(event.0).map(drop)
    }
}

impl<W: protocol_core::Side> RequestsHandler<Requesting, W> for Echo {
    async fn on_test(
        &self,
        _cx: &Context<Requesting, W>,
        event: TestRequest,
    ) -> Result<TestResponse, FullError> {
        echo(event.0).map(TestResponse)
    }
}

async fn passing() -> Server<Passing> {
    Server::bind("127.0.0.1:0").handle(Echo).await.unwrap()
}

async fn requesting() -> Server<Requesting> {
    Server::bind("127.0.0.1:0").handle(Echo).await.unwrap()
}

/// Sends `line` on a link of its own and returns what comes back.
async fn answer(address: SocketAddr, line: &str) -> String {
    let mut peer = Raw::connect(address).await;
    peer.send(line).await;
    peer.line().await.unwrap()
}

/// The id in `line`, and the line with `id` in its place.
fn with_id(line: &str, id: &str) -> (String, String) {
    let (_, rest) = line.split_once("_id\":\"").unwrap();
    let (sent, _) = rest.split_once('"').unwrap();
    (sent.to_owned(), line.replace(sent, id))
}

#[test]
fn a_server_acknowledges_the_confirmed_pass() {
    run(async {
        let server = passing().await;
        assert_eq!(answer(server.address(), CONFIRM).await, ACKNOWLEDGEMENT);
    });
}

#[test]
fn a_server_refuses_the_confirmed_pass_in_the_same_words() {
    run(async {
        let server = passing().await;
        let refused = answer(server.address(), &CONFIRM.replace("test_data", "full")).await;
        let error = &REFUSAL[REFUSAL.find(",\"error\"").unwrap()..];
        let expected = ACKNOWLEDGEMENT.trim_end_matches('}').to_owned() + error;
        assert_eq!(refused, expected);
    });
}

#[test]
fn a_server_answers_the_request() {
    run(async {
        let server = requesting().await;
        assert_eq!(answer(server.address(), REQUEST).await, RESPONSE);
    });
}

#[test]
fn a_server_refuses_the_request() {
    run(async {
        let server = requesting().await;
        let full = REQUEST.replace("test_data", "full");
        assert_eq!(answer(server.address(), &full).await, REFUSAL);
    });
}

#[test]
fn a_server_without_a_relay_reports_the_pass_to_a_peer() {
    run(async {
        let (observer, mut seen) = notices();
        let server = Server::<Passing>::bind("127.0.0.1:0")
            .observe(observer)
            .handle(Echo)
            .await
            .unwrap();
        let mut peer = Raw::connect(server.address()).await;
        peer.send(PASS).await;
        let refused = Seen::refused("test_event", "peer_not_found");
        assert_eq!(seen.next().await, refused);
        // No answer to it comes before the next one.
        peer.send(CONFIRM).await;
        assert_eq!(peer.line().await.as_deref(), Some(ACKNOWLEDGEMENT));
    });
}

#[test]
fn the_order_of_members_white_space_and_unknown_members_do_not_matter() {
    run(async {
        let server = requesting().await;
        for line in [
            r#"{"request_id":"0193-2","data":"test_data","name":"test_event","type":"request"}"#,
            r#" { "type" : "request" , "name":"test_event","data" : "test_data","request_id":"0193-2" } "#,
            r#"{"hops":1,"type":"request","name":"test_event","x":{"type":"pass"},"data":"test_data","request_id":"0193-2","ack":null}"#,
            r#"{"\u0074ype":"request","name":"test\u005fevent","data":"test\u005fdata","request_id":"0193\u002d2"}"#,
            "{\"type\":\"request\",\"name\":\"test_event\",\"data\":\"test_data\",\"request_id\":\"0193-2\"}\r",
        ] {
            assert_eq!(answer(server.address(), line).await, RESPONSE, "{line}");
        }
    });
}

#[test]
fn a_client_writes_the_passes() {
    run(async {
        let listener = RawServer::bind().await;
        let connect = Client::<Passing>::connect(listener.address()).handle(Echo);
        let (client, mut peer) = tokio::join!(connect.into_future(), listener.accept());
        let client = client.unwrap();
        let data = || TestPass("test_data".to_owned());

        let bob = PeerId::new("bob").unwrap();
        client.to(&bob).send(data()).await.unwrap();
        assert_eq!(peer.line().await.as_deref(), Some(PASS));
        client.send(data()).await.unwrap();
        let to_server = PASS.replace(",\"dest\":\"bob\"", "");
        assert_eq!(peer.line().await, Some(to_server));
        let room = RoomId::new("hall").unwrap();
        client.to_room(&room).send(data()).await.unwrap();
        let to_room = PASS.replace("bob", "#hall");
        assert_eq!(peer.line().await, Some(to_room));

        let script = async {
            let line = peer.line().await.unwrap();
            let (id, line) = with_id(&line, "0193-1");
            assert_eq!(line, CONFIRM);
            peer.send(&ACKNOWLEDGEMENT.replace("0193-1", &id)).await;
        };
        let (confirmed, ()) = tokio::join!(client.confirm(data()), script);
        confirmed.unwrap();
    });
}

#[test]
fn a_client_writes_the_request_and_reads_both_answers() {
    run(async {
        let listener = RawServer::bind().await;
        let connect = Client::<Requesting>::connect(listener.address()).handle(Echo);
        let (client, mut peer) = tokio::join!(connect.into_future(), listener.accept());
        let client = client.unwrap();
        for answer in [RESPONSE, REFUSAL] {
            let script = async {
                let line = peer.line().await.unwrap();
                let (id, line) = with_id(&line, "0193-2");
                assert_eq!(line, REQUEST);
                peer.send(&answer.replace("0193-2", &id)).await;
            };
            let call = client.request(TestRequest("test_data".to_owned()));
            let (result, ()) = tokio::join!(call, script);
            if answer == RESPONSE {
                assert_eq!(result.unwrap(), TestResponse("test_data".to_owned()));
            } else {
                let full = FullError::RoomFull { max: 8 };
                assert_eq!(result.unwrap_err(), RequestError::Refused(full));
            }
        }
    });
}

#[test]
fn a_client_answers_the_server_and_a_peer_in_the_same_words() {
    run(async {
        let listener = RawServer::bind().await;
        let connect = Client::<Requesting>::connect(listener.address()).handle(Echo);
        let (client, mut peer) = tokio::join!(connect.into_future(), listener.accept());
        let _client = client.unwrap();
        peer.send(REQUEST).await;
        assert_eq!(peer.line().await.as_deref(), Some(RESPONSE));
        peer.send(&REQUEST.replace("test_data", "full")).await;
        assert_eq!(peer.line().await.as_deref(), Some(REFUSAL));
        let to = |line: &str, member: &str| {
            line.replacen(",\"name\"", &format!(",\"{member}\":\"ann\",\"name\""), 1)
        };
        peer.send(&to(REQUEST, "from")).await;
        assert_eq!(peer.line().await, Some(to(RESPONSE, "dest")));
    });
}

#[test]
fn a_client_answers_the_confirmed_pass() {
    run(async {
        let listener = RawServer::bind().await;
        let connect = Client::<Passing>::connect(listener.address()).handle(Echo);
        let (client, mut peer) = tokio::join!(connect.into_future(), listener.accept());
        let _client = client.unwrap();
        peer.send(CONFIRM).await;
        assert_eq!(peer.line().await.as_deref(), Some(ACKNOWLEDGEMENT));
        peer.send(&CONFIRM.replace(",\"name\"", ",\"from\":\"ann\",\"name\""))
            .await;
        let to_peer = ACKNOWLEDGEMENT.replace(",\"pass_id\"", ",\"dest\":\"ann\",\"pass_id\"");
        assert_eq!(peer.line().await, Some(to_peer));
    });
}

/// The first part of each cut comes with a whole request before it, whose answer tells that the
/// server has read that part.
#[test]
fn wherever_a_script_is_cut_the_server_answers_the_same() {
    run(async {
        let server = requesting().await;
        let first = REQUEST.replace("0193-2", "0193-1") + "\n";
        let full = REQUEST.replace("test_data", "full");
        let script = format!(
            "{REQUEST}\r\n\n{full}\n{}\n",
            REQUEST.replace('t', "\\u0074")
        );
        let mut peer = Raw::connect(server.address()).await;
        for at in 0..=script.len() {
            let (left, right) = script.as_bytes().split_at(at);
            peer.write(&[first.as_bytes(), left].concat()).await;
            let answer = peer.line().await.unwrap();
            assert_eq!(answer, RESPONSE.replace("0193-2", "0193-1"));
            peer.write(right).await;
            for expected in [RESPONSE, REFUSAL] {
                let answer = peer.line().await.unwrap();
                assert_eq!(answer, expected, "cut at byte {at}");
            }
            assert_eq!(peer.line().await.as_deref(), Some(RESPONSE));
        }
    });
}

/// Likewise towards a client: a first answer tells that it has read the first part of the second.
#[test]
fn wherever_an_answer_is_cut_the_client_reads_the_same() {
    run(async {
        let listener = RawServer::bind().await;
        let connect = Client::<Requesting>::connect(listener.address()).handle(Echo);
        let (client, mut peer) = tokio::join!(connect.into_future(), listener.accept());
        let client = client.unwrap();
        let ask = |text: &str| client.request(TestRequest(text.to_owned()));
        let mut at = 0;
        let mut length = usize::MAX;
        while at <= length {
            let (mut first, mut second) = (Box::pin(ask("1")), Box::pin(ask("2")));
            // Both are sent when they are polled first.
            assert!(protocol_tests::still_waits(&mut first).await);
            assert!(protocol_tests::still_waits(&mut second).await);
            let (first_id, _) = with_id(&peer.line().await.unwrap(), "");
            let (second_id, _) = with_id(&peer.line().await.unwrap(), "");
            let whole = REFUSAL.replace("0193-2", &second_id) + "\r\n";
            length = whole.len();
            let (left, right) = whole.split_at(at);
            let answer = RESPONSE.replace("0193-2", &first_id) + "\n" + left;
            peer.write(answer.as_bytes()).await;
            assert_eq!(first.await.unwrap().0, "test_data");
            peer.write(right.as_bytes()).await;
            let full = FullError::RoomFull { max: 8 };
            assert_eq!(second.await.unwrap_err(), RequestError::Refused(full));
            at += 1;
        }
    });
}
