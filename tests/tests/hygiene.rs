//! What the derives generate stands in any scope: without the prelude, among types with the names
//! of the prelude, and (in `fixtures/renamed-core`) under another name of the core.

/// No name of the prelude is in scope here, and those that are mean something else.
#[no_implicit_prelude]
mod shadowed {
    use ::protocol_core::{AtClient, Context, EventData, EventError, EventSet, Protocol};
    use ::std::clone::Clone;

    #[derive(Debug, Clone, EventData)]
    pub(crate) struct Result;

    #[derive(Debug, Clone, EventData)]
    pub(crate) struct Option(pub(crate) u8);

    #[derive(Debug, Clone, EventData)]
    pub(crate) enum String {
        None,
        Some(Option),
        Ok { err: Result },
    }

    #[derive(Debug, Clone, EventData)]
    pub(crate) struct Vec {
        pub(crate) r#type: u8,
    }

    #[derive(Debug, Clone, ::protocol_core::Event)]
    #[event(pass)]
    pub(crate) struct P {
        pub(crate) result: Result,
        pub(crate) option: ::std::option::Option<Option>,
        pub(crate) string: String,
        #[serde(default)]
        pub(crate) texts: ::std::vec::Vec<::std::string::String>,
    }

    #[derive(Debug, Clone, ::protocol_core::Event)]
    #[event(request, response = Send, error = Error)]
    pub(crate) struct Event(pub(crate) Vec, pub(crate) u8);

    #[derive(Debug, Clone, ::protocol_core::Event)]
    #[event(request, response = Send, timeout = "1s", max_size = "1KiB", concurrent)]
    pub(crate) struct D;

    #[derive(Debug, Clone, ::protocol_core::Event)]
    #[event(response)]
    pub(crate) struct Send {
        pub(crate) sync: u8,
    }

    #[derive(Debug, EventError)]
    pub(crate) enum Error {
        Some { some: Option },
        None,
        Ok(Result, Vec),
        Err(String),
        // Names that serde's own expansion uses.
        A(u8),
        Field { field: u8 },
        Visitor { value: u8 },
    }

    impl ::std::fmt::Display for Error {
        fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            f.write_str("refused")
        }
    }

    impl ::std::error::Error for Error {}

    #[derive(Debug, EventSet)]
    pub(crate) enum W {
        Some(P),
        r#Async(Event),
        H(D),
    }

    #[derive(Debug, Protocol)]
    #[protocol(version = "1", to_server = W, to_client = W)]
    pub(crate) struct S;

    pub(crate) struct Sync;

    impl WHandler<S> for Sync {
        async fn on_some(&self, _: &Context<S>, _: P) {}

        async fn on_async(
            &self,
            _: &Context<S>,
            event: Event,
        ) -> ::std::result::Result<Send, Error> {
            ::std::result::Result::Ok(Send { sync: event.1 })
        }

        async fn on_h(&self, _: &Context<S>, _: D) -> Send {
            Send { sync: 0 }
        }
    }

    impl WHandler<S, AtClient> for Sync {
        async fn on_some(&self, cx: &Context<S, AtClient>, event: P) {
            let _ = cx.confirm(event).await;
        }

        async fn on_async(
            &self,
            _: &Context<S, AtClient>,
            _: Event,
        ) -> ::std::result::Result<Send, Error> {
            ::std::result::Result::Err(Error::None)
        }

        async fn on_h(&self, _: &Context<S, AtClient>, _: D) -> Send {
            Send { sync: 0 }
        }
    }
}

use std::fmt::Debug;
use std::time::Duration;

use protocol_core::wire::{RawData, write_data};
use protocol_core::{Event, EventError, EventSet, Kind, Protocol, Server};
use shadowed::{D, Error, Option as Number, P, S, String as Text, Sync, Vec as Type, W};

#[tokio::test]
async fn handlers_are_mounted_under_any_names() {
    let server = Server::<S>::in_memory().handle(Sync).await.unwrap();
    assert_eq!(server.connections(), 0);
    assert_eq!((S::NAME, S::VERSION), ("s", "1"));
}

#[test]
fn tables_describe_events() {
    let rows: Vec<_> = W::EVENTS
        .iter()
        .map(|event| (event.name, event.kind, event.concurrent, event.max_size))
        .collect();
    assert_eq!(
        rows,
        [
            ("p", Kind::Pass, false, None),
            ("event", Kind::Request, false, None),
            ("d", Kind::Request, true, Some(1024)),
        ]
    );
    assert_eq!(
        W::EVENTS[1].error_codes,
        ["some", "none", "ok", "err", "a", "field", "visitor"]
    );
    assert_eq!(
        W::EVENTS[1].response.map(|response| response.name),
        Some("Send")
    );
    assert_eq!(D::TIMEOUT, Some(Duration::from_secs(1)));
}

#[test]
fn data_survives_the_wire() {
    let event = P {
        result: shadowed::Result,
        option: Some(Number(7)),
        string: Text::Ok {
            err: shadowed::Result,
        },
        texts: vec!["text".into()],
    };
    let json = r#"{"result":null,"option":7,"string":{"Ok":{"err":null}},"texts":["text"]}"#;
    assert_eq!(written(&event), json);
    assert_same(&event, &read(json));

    let sparse: P = read(r#"{"result":null,"string":"None"}"#);
    assert!(sparse.option.is_none() && sparse.texts.is_empty());
}

#[test]
fn refusals_survive_the_wire() {
    let refusals = [
        (
            Error::Some { some: Number(7) },
            "some",
            Some(r#"{"some":7}"#),
        ),
        (Error::None, "none", None),
        (
            Error::Ok(shadowed::Result, Type { r#type: 1 }),
            "ok",
            Some(r#"[null,{"type":1}]"#),
        ),
        (
            Error::Err(Text::Some(Number(7))),
            "err",
            Some(r#"{"Some":7}"#),
        ),
    ];
    for (refusal, code, json) in refusals {
        assert_eq!(refusal.code(), code);
        let mut out = Vec::new();
        assert_eq!(refusal.write_data(&mut out).unwrap(), json.is_some());
        assert_eq!(out, json.unwrap_or_default().as_bytes());
        let data = RawData::parse(json.unwrap_or("null")).unwrap();
        assert_same(&refusal, &Error::read(code, data).unwrap().unwrap());
    }
    assert!(Error::read("newer", RawData::parse("null").unwrap()).is_none());
}

#[test]
fn the_core_may_have_another_name() {
    assert!(!renamed_core_fixture::poll());
    assert_eq!(<renamed_core_fixture::Table as Protocol>::NAME, "table");
}

fn written<E: Event>(event: &E) -> String {
    let mut out = Vec::new();
    write_data(&mut out, event).unwrap();
    String::from_utf8(out).unwrap()
}

fn read<E: Event>(json: &str) -> E {
    E::decode(RawData::parse(json).unwrap()).unwrap()
}

#[track_caller]
fn assert_same<T: Debug>(left: &T, right: &T) {
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}
