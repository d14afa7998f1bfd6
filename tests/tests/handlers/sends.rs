//! What a handler sends stands before its answer, whatever else waits to be sent.

use protocol_core::{ConnectionId, Context, Event, EventSet, Protocol, Server, ServerLimits};
use protocol_tests::{PlainOrEncrypted, Raw, both::run, still_waits};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[derive(Debug, Event)]
#[event(request, response = Served)]
struct Order;

#[derive(Debug, Event)]
#[event(request, response = Served, concurrent)]
struct OrderBeside;

#[derive(Debug, Event)]
#[event(pass)]
struct Wish;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Served;

#[derive(Debug, EventSet)]
enum Orders {
    Order(Order),
    OrderBeside(OrderBeside),
    Wish(Wish),
}

#[derive(Debug, Event)]
#[event(pass)]
struct Bill;

#[derive(Debug, Event)]
#[event(request, response = Served)]
struct Pay;

#[derive(Debug, EventSet)]
enum Bills {
    Bill(Bill),
    Pay(Pay),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Orders, to_client = Bills)]
struct Inn;

struct Host(UnboundedSender<ConnectionId>);

impl Host {
    async fn bill(&self, cx: &Context<Inn>) {
        self.0.send(cx.connection()).unwrap();
        cx.send(Bill).await.unwrap();
    }
}

impl OrdersHandler<Inn> for Host {
    async fn on_order(&self, cx: &Context<Inn>, _event: Order) -> Served {
        self.bill(cx).await;
        Served
    }

    async fn on_order_beside(&self, cx: &Context<Inn>, _event: OrderBeside) -> Served {
        self.bill(cx).await;
        tokio::task::yield_now().await;
        self.bill(cx).await;
        Served
    }

    async fn on_wish(&self, cx: &Context<Inn>, _event: Wish) {
        self.bill(cx).await;
    }
}

#[test]
fn a_pass_of_a_handler_comes_before_its_answer_though_calls_wait_for_a_place() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connection.open_calls = 1;
        let (tell, mut told) = unbounded_channel();
        let server = Server::<Inn>::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .limits(limits);
        let server = server.handle(Host(tell)).await.unwrap();
        let mut raw = Raw::connect(server.address()).await;
        let first = raw
            .ask(r#"{"type":"confirm_pass","name":"wish","pass_id":"0"}"#)
            .await;
        assert_eq!(first["name"], "bill");
        assert_eq!(raw.json().await["pass_id"], "0");
        // One is in flight, the other waits for its place.
        let guest = told.recv().await.unwrap();
        let mut paid = server.to(guest).request(Pay);
        let mut unpaid = server.to(guest).request(Pay);
        assert!(still_waits(&mut paid).await);
        assert_eq!(raw.json().await["name"], "pay");
        assert!(still_waits(&mut unpaid).await);
        for (kind, id, name, bills) in [
            ("request", "request_id", "order", 1),
            ("request", "request_id", "order_beside", 2),
            ("confirm_pass", "pass_id", "wish", 1),
        ] {
            raw.send(&format!(
                r#"{{"type":"{kind}","name":"{name}","{id}":"1"}}"#
            ))
            .await;
            for _ in 0..bills {
                assert_eq!(raw.json().await["name"], "bill", "before {name}'s answer");
            }
            assert_eq!(raw.json().await[id], "1");
        }
    });
}
