//! Ways in which a call can end without what it asked for, and what its caller can do about each.
//! Run it with `cargo run --example errors`; it prints one row a call and ends by itself.

use std::error::Error;
use std::time::Duration;

use protocol_core::{
    Client, Context, Event, EventError, EventSet, Limits, Protocol, RequestError, Server,
    ServerLimits,
};

#[derive(Debug, Event)]
#[event(request, response = Balance, error = Declined, max_size = "64B")]
struct Withdraw {
    cents: u64,
    note: String,
}

#[derive(Debug, Event)]
#[event(request, response = Balance)]
struct Audit {
    milliseconds: u64,
}

#[derive(Debug, Event)]
#[event(response)]
struct Balance(u64);

#[derive(Debug, thiserror::Error, EventError)]
enum Declined {
    #[error("only {left} cents are left")]
    TooLittle { left: u64 },
}

#[derive(Debug, EventSet)]
enum ToBank {
    Withdraw(Withdraw),
    Audit(Audit),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToBank)]
struct Bank;

/// The same bank, as a client of a later version knows it.
#[derive(Debug, Protocol)]
#[protocol(version = "2", to_server = ToLaterBank)]
struct LaterBank;

#[derive(Debug, EventSet)]
enum ToLaterBank {
    Deposit(Deposit),
    WithdrawText(WithdrawText),
}

#[derive(Debug, Event)]
#[event(request, response = Balance)]
struct Deposit(u64);

#[derive(Debug, Event)]
#[event(request, name = "withdraw", response = Balance)]
struct WithdrawText {
    cents: String,
}

struct Vault;

impl ToBankHandler<Bank> for Vault {
    async fn on_withdraw(&self, _: &Context<Bank>, event: Withdraw) -> Result<Balance, Declined> {
        let left = 100_u64;
        let rest = left.checked_sub(event.cents).map(Balance);
        rest.ok_or(Declined::TooLittle { left })
    }

    async fn on_audit(&self, _: &Context<Bank>, event: Audit) -> Balance {
        tokio::time::sleep(Duration::from_millis(event.milliseconds)).await;
        Balance(100)
    }
}

/// One row: the call, its end, and the two questions that a caller has.
fn row<T, E: Error>(call: &str, result: &Result<T, RequestError<E>>) {
    let yes = |answer| if answer { "yes" } else { "-" };
    let (end, again, unknown) = match result {
        Ok(_) => ("answered".to_owned(), false, false),
        Err(error) => (error.to_string(), error.is_retryable(), error.is_unknown()),
    };
    println!(
        "{call:<16} | {:<9} | {:<7} | {end}",
        yes(again),
        yes(unknown)
    );
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut limits = ServerLimits::default();
    limits.connections = 2;
    let server = Server::<Bank>::bind("127.0.0.1:0")
        .limits(limits)
        .handle(Vault)
        .await?;
    let mut limits = Limits::client();
    limits.outbound_events = 1;
    limits.open_calls = 1;
    let client = Client::<Bank>::connect(server.address())
        .limits(limits)
        .await?;
    let withdraw = |cents, note: &str| Withdraw {
        cents,
        note: note.into(),
    };
    let audit = |milliseconds| Audit { milliseconds };
    let moment = Duration::from_millis(100);

    println!("call             | retryable | unknown | how it ended");
    let result = client.request(withdraw(40, "rent")).await;
    row("answered", &result);
    let result = client.request(withdraw(101, "rent")).await;
    row("refused", &result);
    let result = client.request(withdraw(1, &"x".repeat(64))).await;
    row("too large", &result);

    let later = Client::<LaterBank>::connect(server.address()).await?;
    let result = later.request(Deposit(5)).await;
    row("unknown event", &result);
    let cents = "five".into();
    let result = later.request(WithdrawText { cents }).await;
    row("bad data", &result);

    let third = Client::<Bank>::connect(server.address()).await?;
    third.closed().await;
    let result = third.request(withdraw(1, "")).await;
    row("server full", &result);

    let result = client.request(audit(200)).timeout(moment).await;
    row("deadline", &result);
    // One call may be in flight and one may wait in the queue; the third finds it full.
    let (first, second, third) = tokio::join!(
        client.request(audit(300)),
        client.request(audit(0)),
        client.request(withdraw(1, "")).timeout(moment),
    );
    row("queue full", &third);
    row("queued", &first.and(second));

    let (lost, _) = tokio::join!(client.request(audit(9_000)), async {
        tokio::time::sleep(moment).await;
        server.shutdown(moment).await
    });
    row("link lost", &lost);
    let result = client.request(withdraw(1, "")).await;
    row("link gone", &result);
    Ok(())
}
