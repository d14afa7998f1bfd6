//! Passes, confirmations and answers that come as they should.

use protocol_core::RequestError;
use protocol_tests::{both::run, still_waits};
use tokio::task::JoinSet;

use crate::desk::{
    Add, AtDesk, Balance, Bell, Lend, LendError, Note, Open, Sign, Sum, Withdraw, WithdrawError,
};

#[test]
fn a_pass_arrives() {
    run(|| async {
        let mut open = Open::new().await;
        open.client.send(Note { n: 7 }).await.unwrap();
        assert_eq!(open.next().await, AtDesk::Note(7));
    });
}

#[test]
fn the_order_of_many_passes_is_kept() {
    run(|| async {
        let mut open = Open::new().await;
        for n in 0..20_000 {
            open.client.send(Note { n }).await.unwrap();
        }
        for n in 0..20_000 {
            assert_eq!(open.next().await, AtDesk::Note(n));
        }
    });
}

#[test]
fn passes_confirmed_passes_and_requests_share_one_order() {
    run(|| async {
        let mut open = Open::new().await;
        open.leave.add_permits(1);
        open.client.send(Note { n: 1 }).await.unwrap();
        let client = &open.client;
        let (sent, confirmed, sum) = tokio::join!(
            client.send(Note { n: 2 }),
            client.confirm(Sign),
            client.request(Add { a: 1, b: 2 }),
        );
        sent.unwrap();
        confirmed.unwrap();
        assert_eq!(sum.unwrap(), Sum { sum: 3 });
        assert_eq!(open.next().await, AtDesk::Note(1));
        assert_eq!(open.next().await, AtDesk::Note(2));
        assert!(matches!(open.next().await, AtDesk::SignBegan(_)));
        assert_eq!(open.next().await, AtDesk::SignEnded);
    });
}

#[test]
fn confirm_returns_only_after_the_handler_has_run_to_its_end() {
    run(|| async {
        let mut open = Open::new().await;
        let client = open.client.clone();
        let mut confirmed = client.confirm(Sign);
        assert!(still_waits(&mut confirmed).await);
        let AtDesk::SignBegan(connection) = open.next().await else {
            panic!("a signature");
        };
        // A confirmation that was sent when the handler began would come before this answer.
        let bell = Bell { rings: 1 };
        open.server.to(connection).confirm(bell).await.unwrap();
        assert!(still_waits(&mut confirmed).await);
        open.leave.add_permits(1);
        confirmed.await.unwrap();
        assert_eq!(open.at_desk.try_recv().unwrap(), AtDesk::SignEnded);
    });
}

#[test]
fn a_refused_pass_brings_its_typed_error_to_confirm() {
    run(|| async {
        let open = Open::new().await;
        let lend = |title: &str| {
            open.client.confirm(Lend {
                title: title.into(),
            })
        };
        lend("Emma").await.unwrap();
        let error = lend("Dune").await.unwrap_err();
        let title = "Dune".into();
        assert_eq!(error, RequestError::Refused(LendError::Lent { title }));
        assert!(!error.is_retryable());
        assert!(!error.is_unknown());
        assert_eq!(error.to_string(), "refused: Dune is lent already");
    });
}

#[test]
fn a_request_is_answered() {
    run(|| async {
        let open = Open::new().await;
        let sum = open.client.request(Add { a: 40, b: 2 }).await.unwrap();
        assert_eq!(sum, Sum { sum: 42 });
    });
}

#[test]
fn a_refused_request_brings_its_typed_error_with_fields() {
    run(|| async {
        let open = Open::new().await;
        let withdraw = |amount| open.client.request(Withdraw { amount });
        assert_eq!(withdraw(30).await, Ok(Balance(70)));
        assert_eq!(
            withdraw(130).await,
            Err(RequestError::Refused(WithdrawError::Short {
                amount: 130,
                missing: 30
            }))
        );
        assert_eq!(
            withdraw(0).await,
            Err(RequestError::Refused(WithdrawError::Frozen))
        );
    });
}

#[test]
fn a_thousand_concurrent_requests_get_their_own_answers() {
    run(|| async {
        let open = Open::new().await;
        let mut tasks = JoinSet::new();
        for a in 0..1_000 {
            let client = open.client.clone();
            tasks.spawn(async move {
                let sum = client.request(Add { a, b: 1_000_000 }).await.unwrap();
                (a, sum.sum)
            });
        }
        let mut answered = 0;
        while let Some(joined) = tasks.join_next().await {
            let (a, sum) = joined.unwrap();
            assert_eq!(sum, a + 1_000_000);
            answered += 1;
        }
        assert_eq!(answered, 1_000);
    });
}

#[test]
fn an_event_is_not_sent_before_its_call_is_awaited() {
    run(|| async {
        let mut open = Open::new().await;
        drop(open.client.send(Note { n: 1 }));
        open.client.send(Note { n: 2 }).await.unwrap();
        assert_eq!(open.next().await, AtDesk::Note(2));
    });
}
