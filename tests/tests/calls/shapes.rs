//! Structs of every shape, and what of their data the wire keeps.

use protocol_core::{Client, Context, Event, EventData, EventSet, Json, Protocol, Server};
use protocol_tests::{PlainOrEncrypted, Raw, both::run};
use serde_json::json;

use crate::desk::{Echo, Open};

#[derive(Debug, Event)]
#[event(request, response = Told)]
struct Pair(u8, String);

#[derive(Debug, Event)]
#[event(request, response = Told)]
struct Wrapped(Inner);

#[derive(Debug, PartialEq, EventData)]
struct Inner {
    deep: Vec<Option<(i8, char)>>,
    variant: Variant,
}

#[derive(Debug, PartialEq, EventData)]
enum Variant {
    Unit,
    Fields { x: f64 },
}

#[derive(Debug, Event)]
#[event(request, response = Told)]
struct Unit;

#[derive(Debug, Event)]
#[event(request, response = Told)]
struct Empty {}

#[derive(Debug, Event)]
#[event(request, response = Told)]
struct Optional {
    volume: Option<u8>,
    #[serde(default)]
    name: String,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Told(String);

#[derive(Debug, EventSet)]
enum ToShapes {
    Pair(Pair),
    Wrapped(Wrapped),
    Unit(Unit),
    Empty(Empty),
    Optional(Optional),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToShapes)]
struct Shapes;

struct Teller;

impl ToShapesHandler<Shapes> for Teller {
    async fn on_pair(&self, _cx: &Context<Shapes>, event: Pair) -> Told {
        Told(format!("{event:?}"))
    }

    async fn on_wrapped(&self, _cx: &Context<Shapes>, event: Wrapped) -> Told {
        Told(format!("{event:?}"))
    }

    async fn on_unit(&self, _cx: &Context<Shapes>, event: Unit) -> Told {
        Told(format!("{event:?}"))
    }

    async fn on_empty(&self, _cx: &Context<Shapes>, event: Empty) -> Told {
        Told(format!("{event:?}"))
    }

    async fn on_optional(&self, _cx: &Context<Shapes>, event: Optional) -> Told {
        Told(format!("{event:?}"))
    }
}

async fn shapes() -> Server<Shapes> {
    Server::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .handle(Teller)
        .await
        .unwrap()
}

#[test]
fn structs_of_every_shape_arrive_whole() {
    run(|| async {
        let server = shapes().await;
        let client = Client::<Shapes>::connect(server.address())
            .plain_or_encrypted()
            .await
            .unwrap();
        let told = client.request(Pair(7, "é\"\n\u{1F600}".into())).await;
        let pair = Pair(7, "é\"\n\u{1F600}".into());
        assert_eq!(told, Ok(Told(format!("{pair:?}"))));
        let wrapped = || {
            Wrapped(Inner {
                deep: vec![None, Some((-128, '\u{0}'))],
                variant: Variant::Fields { x: 0.1 },
            })
        };
        let told = client.request(wrapped()).await;
        assert_eq!(told, Ok(Told(format!("{:?}", wrapped()))));
        let unit_variant = Inner {
            deep: Vec::new(),
            variant: Variant::Unit,
        };
        let debug = format!("Wrapped({unit_variant:?})");
        assert_eq!(client.request(Wrapped(unit_variant)).await, Ok(Told(debug)));
        assert_eq!(client.request(Unit).await, Ok(Told("Unit".into())));
        assert_eq!(client.request(Empty {}).await, Ok(Told("Empty".into())));
    });
}

#[test]
fn the_wire_has_the_shapes_that_serde_gives_them() {
    run(|| async {
        let server = shapes().await;
        let mut raw = Raw::connect(server.address()).await;
        for (name, data, debug) in [
            ("pair", r#"[7,"x"]"#, "Pair(7, \"x\")"),
            (
                "wrapped",
                r#"{"deep":[],"variant":"Unit"}"#,
                "Wrapped(Inner { deep: [], variant: Unit })",
            ),
            ("unit", "null", "Unit"),
            ("empty", "{}", "Empty"),
        ] {
            let line = format!(
                r#"{{"type":"request","name":"{name}","data":{data},"request_id":"{name}"}}"#
            );
            let answer = json!({
                "type": "response", "name": name, "data": debug, "request_id": name,
            });
            assert_eq!(raw.ask(&line).await, answer);
        }
    });
}

#[test]
fn data_of_optional_fields_may_be_absent_null_or_empty() {
    run(|| async {
        let server = shapes().await;
        let mut raw = Raw::connect(server.address()).await;
        for name in ["optional", "unit", "empty"] {
            for data in ["", r#","data":null"#, r#","data":{}"#, r#","data":{ }"#] {
                let line =
                    format!(r#"{{"type":"request","name":"{name}"{data},"request_id":"1"}}"#);
                let debug = match name {
                    "optional" => r#"Optional { volume: None, name: "" }"#,
                    "unit" => "Unit",
                    _ => "Empty",
                };
                assert_eq!(raw.ask(&line).await["data"], debug, "{line}");
            }
        }
        let line = r#"{"type":"request","name":"pair","request_id":"1"}"#;
        assert_eq!(raw.ask(line).await["error"]["code"], "bad_data");
    });
}

/// Numbers beyond every machine type, order, duplicates, escapes and spaces.
const ODD: &str = r#"{"b": 1.10 ,"a":[1e400,-0,123456789012345678901234567890],"b":"\u00e9\/"}"#;

#[test]
fn json_fields_pass_through_byte_for_byte() {
    run(|| async {
        let open = Open::new().await;
        let json = Json::parse(ODD).unwrap();
        let echoed = open.client.request(Echo { json }).await.unwrap();
        assert_eq!(echoed.json.get(), ODD);

        let mut raw = Raw::connect(open.server.address()).await;
        let data = format!(r#"{{"json":{ODD}}}"#);
        raw.send(&format!(
            r#"{{"type":"request","name":"echo","data":{data},"request_id":"1"}}"#
        ))
        .await;
        let line = raw.line().await.unwrap();
        assert!(line.contains(&data), "{line}");
    });
}

#[test]
fn ids_of_the_peers_choice_come_back_byte_for_byte() {
    run(|| async {
        let server = shapes().await;
        let mut raw = Raw::connect(server.address()).await;
        let longest = "é".repeat(32);
        for id in ["1", "0193-2", " ", "\u{7f}", &longest] {
            let line = format!(r#"{{"type":"request","name":"unit","request_id":"{id}"}}"#);
            assert_eq!(raw.ask(&line).await["request_id"], id);
        }
        let line = format!(r#"{{"type":"request","name":"unit","request_id":"{longest}x"}}"#);
        let error = raw.ask(&line).await;
        assert_eq!(error["name"], "protocol_error");
        assert_eq!(error["data"]["code"], "bad_frame");
    });
}
