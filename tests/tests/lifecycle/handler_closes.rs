//! A handler that closes its own connection.

use protocol_core::{Client, Context, Event, EventSet, Protocol, Server};
use protocol_tests::{PlainOrEncrypted, both::run};

#[derive(Debug, Event)]
#[event(request, response = Word)]
struct Leave;

#[derive(Debug, Event)]
#[event(request, response = Word, concurrent)]
struct LeaveBeside;

#[derive(Debug, Event)]
#[event(response)]
struct Word(String);

#[derive(Debug, EventSet)]
enum ToDoor {
    Leave(Leave),
    LeaveBeside(LeaveBeside),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToDoor)]
struct House;

struct Door;

async fn shut(cx: &Context<House>) -> Word {
    cx.close();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    Word("good bye".to_owned())
}

impl ToDoorHandler<House> for Door {
    async fn on_leave(&self, cx: &Context<House>, _: Leave) -> Word {
        shut(cx).await
    }

    async fn on_leave_beside(&self, cx: &Context<House>, _: LeaveBeside) -> Word {
        shut(cx).await
    }
}

#[test]
fn its_answer_is_written_though_it_waits_after_the_close() {
    run(|| async {
        let server = Server::<House>::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .handle(Door);
        let server = server.await.unwrap();
        for _ in 0..20 {
            let client = Client::<House>::connect(server.address())
                .plain_or_encrypted()
                .await
                .unwrap();
            assert_eq!(client.request(Leave).await.unwrap().0, "good bye");
            client.closed().await;
            let client = Client::<House>::connect(server.address())
                .plain_or_encrypted()
                .await
                .unwrap();
            assert_eq!(client.request(LeaveBeside).await.unwrap().0, "good bye");
            client.closed().await;
        }
    });
}
