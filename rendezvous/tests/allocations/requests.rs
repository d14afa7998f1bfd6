//! Requests that the server itself answers.

use counting_allocator::Meter;
use protocol_core::Server;

use crate::peer::Peer;
use crate::work::{Echo, Handler, Working, data, lines};
use crate::{server, tally};

#[test]
fn a_request_takes_what_its_struct_holds() {
    let running = server::start(|| async {
        let bind = Server::<Working>::bind("127.0.0.1:0");
        bind.handle(Handler).await.expect("binds")
    });
    let mut alice = Peer::connect(running.address);
    let excess = tally::check("request", running.meter, decoding(), |numbers| {
        alice.write(&lines(&numbers, |number, data| {
            format!(r#"{{"type":"request","name":"echo","data":{data},"request_id":"q{number}"}}"#)
        }));
        for number in numbers {
            let (data, id) = (data(number), format!(r#""request_id":"q{number}""#));
            alice.expect(&[r#""type":"response""#, &data, &id]);
        }
    });
    assert!(excess.is_empty(), "{excess:#?}");
}

/// What it takes to decode a request's data to its struct.
fn decoding() -> u64 {
    let (meter, data) = (Meter::new(), data(1_000));
    meter.count_this_thread();
    let before = meter.counted();
    let echo: Echo = serde_json::from_str(&data).expect("the data of an echo");
    let decoding = meter.counted() - before;
    drop(echo);
    println!("decoding: {decoding:?}");
    decoding.allocations
}
