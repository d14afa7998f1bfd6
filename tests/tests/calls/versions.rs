//! Two ends whose protocols differ: what the newer says, the older must survive.

use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{Client, RequestError, Server};
use protocol_tests::{PlainOrEncrypted, Seen, both::run, notices};

/// The server's version.
mod newer {
    use protocol_core::{Context, Event, EventData, EventError, EventSet, Protocol};

    #[derive(Debug, Event)]
    #[event(request, response = Ticket, error = BookError)]
    pub(crate) struct Book {
        pub(crate) seat: Seat,
    }

    #[derive(Debug, EventData)]
    pub(crate) struct Seat {
        pub(crate) row: u8,
    }

    #[derive(Debug, Event)]
    #[event(response)]
    pub(crate) struct Ticket {
        number: String,
    }

    #[derive(Debug, thiserror::Error, EventError)]
    pub(crate) enum BookError {
        #[error("the row {row} is full")]
        Full { row: u8 },
        #[error("the show moved to {to}")]
        Moved { to: String },
    }

    #[derive(Debug, Event)]
    #[event(pass, error = BookError)]
    pub(crate) struct Cancel {
        pub(crate) number: u32,
    }

    /// The older version sends this as a pass.
    #[derive(Debug, Event)]
    #[event(request, response = Ticket)]
    pub(crate) struct Browse;

    /// The older version sends this as a request.
    #[derive(Debug, Event)]
    #[event(pass)]
    pub(crate) struct Leave;

    #[derive(Debug, EventSet)]
    pub(crate) enum ToShow {
        Book(Book),
        Cancel(Cancel),
        Browse(Browse),
        Leave(Leave),
    }

    #[derive(Debug, Protocol)]
    #[protocol(version = "2", to_server = ToShow)]
    pub(crate) struct Theatre;

    pub(crate) struct Office;

    impl ToShowHandler<Theatre> for Office {
        async fn on_book(&self, _cx: &Context<Theatre>, event: Book) -> Result<Ticket, BookError> {
            match event.seat.row {
                13 => Err(BookError::Full { row: 13 }),
                14 => Err(BookError::Moved {
                    to: "Friday".into(),
                }),
                row => Ok(Ticket {
                    number: format!("{row}/1"),
                }),
            }
        }

        async fn on_cancel(&self, _cx: &Context<Theatre>, event: Cancel) -> Result<(), BookError> {
            let to = format!("{} o'clock", event.number);
            Err(BookError::Moved { to })
        }

        async fn on_browse(&self, _cx: &Context<Theatre>, _event: Browse) -> Ticket {
            Ticket {
                number: String::new(),
            }
        }

        async fn on_leave(&self, _cx: &Context<Theatre>, _event: Leave) {}
    }
}

/// The client's version: other fields, fewer errors, an event that the newer one dropped.
mod older {
    use protocol_core::{Event, EventData, EventError, EventSet, Json, Protocol};

    #[derive(Debug, Event)]
    #[event(request, response = Ticket, error = BookError)]
    pub(crate) struct Book {
        pub(crate) seat: Seat,
    }

    #[derive(Debug, EventData)]
    pub(crate) struct Seat {
        pub(crate) row: Json,
    }

    #[derive(Debug, PartialEq, Event)]
    #[event(response)]
    pub(crate) struct Ticket {
        pub(crate) number: u32,
    }

    #[derive(Debug, PartialEq, thiserror::Error, EventError)]
    pub(crate) enum BookError {
        #[error("the rows {rows:?} are full")]
        Full { rows: Vec<u8> },
    }

    #[derive(Debug, Event)]
    #[event(pass, error = BookError)]
    pub(crate) struct Cancel {
        pub(crate) number: u32,
    }

    #[derive(Debug, Event)]
    #[event(pass)]
    pub(crate) struct Browse;

    #[derive(Debug, Event)]
    #[event(request, response = Ticket)]
    pub(crate) struct Leave;

    #[derive(Debug, Event)]
    #[event(request, response = Ticket)]
    pub(crate) struct Haggle;

    #[derive(Debug, Event)]
    #[event(pass)]
    pub(crate) struct Applaud;

    #[derive(Debug, EventSet)]
    pub(crate) enum ToShow {
        Book(Book),
        Cancel(Cancel),
        Browse(Browse),
        Leave(Leave),
        Haggle(Haggle),
        Applaud(Applaud),
    }

    #[derive(Debug, Protocol)]
    #[protocol(version = "1", to_server = ToShow)]
    pub(crate) struct Theatre;

    pub(crate) fn book(row: &str) -> Book {
        let row = Json::parse(row).unwrap();
        Book { seat: Seat { row } }
    }
}

use older::{Applaud, Browse, Cancel, Haggle, Leave, Theatre, book};

struct Ends {
    _server: Server<newer::Theatre>,
    client: Client<Theatre>,
    notices: protocol_tests::Notices,
}

async fn ends() -> Ends {
    let (observer, notices) = notices();
    let server = Server::<newer::Theatre>::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .observe(observer)
        .handle(newer::Office)
        .await
        .unwrap();
    let client = Client::connect(server.address())
        .plain_or_encrypted()
        .await
        .unwrap();
    Ends {
        _server: server,
        client,
        notices,
    }
}

fn rejected<T: std::fmt::Debug, E: std::fmt::Debug>(
    result: Result<T, RequestError<E>>,
) -> WireError {
    match result {
        Err(RequestError::Rejected(error)) => error,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

#[test]
fn a_refusal_with_an_unknown_code_is_other() {
    run(|| async {
        let ends = ends().await;
        let error = ends.client.request(book("14")).await.unwrap_err();
        assert!(!error.is_retryable());
        assert!(!error.is_unknown());
        let RequestError::Other(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.code, "moved");
        assert_eq!(error.message, "the show moved to Friday");
        assert_eq!(error.data.unwrap().get(), r#"{"to":"Friday"}"#);

        let confirmed = ends.client.confirm(Cancel { number: 3 }).await;
        let Err(RequestError::Other(error)) = confirmed else {
            panic!("{confirmed:?}");
        };
        assert_eq!(error.code, "moved");
        assert_eq!(error.data.unwrap().get(), r#"{"to":"3 o'clock"}"#);
    });
}

#[test]
fn a_refusal_with_a_known_code_and_unknown_fields_is_other() {
    run(|| async {
        let ends = ends().await;
        let result = ends.client.request(book("13")).await;
        let Err(RequestError::Other(error)) = result else {
            panic!("{result:?}");
        };
        assert_eq!(error.code, "full");
        assert_eq!(error.data.unwrap().get(), r#"{"row":13}"#);
    });
}

#[test]
fn an_answer_that_does_not_fit_is_a_bad_answer() {
    run(|| async {
        let ends = ends().await;
        let error = ends.client.request(book("1")).await.unwrap_err();
        assert!(!error.is_retryable());
        assert!(!error.is_unknown());
        let RequestError::BadAnswer(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(
            (&*error.path, &*error.expected),
            ("number", "u32"),
            "{error}"
        );
    });
}

#[test]
fn bad_data_is_rejected_with_its_path() {
    run(|| async {
        let ends = ends().await;
        for row in ["\"front\"", "256", "-1", "null", "[1]"] {
            let error = rejected(ends.client.request(book(row)).await);
            assert_eq!(error.standard(), Some(ErrorCode::BadData), "{row}");
            let data = error.data.unwrap();
            assert_eq!(
                data.get(),
                r#"{"expected":"u8","path":"seat.row"}"#,
                "{row}"
            );
            assert!(!error.message.contains("front"), "{}", error.message);
        }
    });
}

#[test]
fn an_unknown_event_is_rejected_and_an_unknown_pass_is_counted() {
    run(|| async {
        let mut ends = ends().await;
        let error = rejected(ends.client.request(Haggle).await);
        assert_eq!(error.standard(), Some(ErrorCode::UnknownEvent));
        let error = rejected(ends.client.confirm(Applaud).await);
        assert_eq!(error.standard(), Some(ErrorCode::UnknownEvent));
        ends.client.send(Applaud).await.unwrap();
        let refused = Seen::refused("applaud", "unknown_event");
        assert_eq!(ends.notices.next().await, refused);
        assert_eq!(ends.notices.try_next(), None);
        assert_eq!(ends.client.close_reason(), None);
    });
}

#[test]
fn an_event_of_another_kind_is_rejected_and_the_link_goes_on() {
    run(|| async {
        let mut ends = ends().await;
        let error = rejected(ends.client.confirm(Browse).await);
        assert_eq!(error.standard(), Some(ErrorCode::BadType));
        let error = rejected(ends.client.request(Leave).await);
        assert_eq!(error.standard(), Some(ErrorCode::BadType));
        assert!(error.message.contains("`leave` is a pass"), "{error}");
        ends.client.send(Browse).await.unwrap();
        let refused = Seen::refused("browse", "bad_type");
        assert_eq!(ends.notices.next().await, refused);
        assert_eq!(ends.client.close_reason(), None);
    });
}
