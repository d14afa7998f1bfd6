//! The smallest program: one event, a handler, a client. Run it with `cargo run --example hello`.

use protocol_core::{Client, Context, Event, EventSet, Protocol, Server};

#[derive(Debug, Event)]
#[event(request, response = Greeting)]
struct Hello(String);

#[derive(Debug, Event)]
#[event(response)]
struct Greeting(String);

#[derive(Debug, EventSet)]
enum ToGreeter {
    Hello(Hello),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToGreeter)]
struct Greet;

struct Greeter;

impl ToGreeterHandler<Greet> for Greeter {
    async fn on_hello(&self, _cx: &Context<Greet>, Hello(name): Hello) -> Greeting {
        Greeting(format!("Hello, {name}!"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::<Greet>::bind("127.0.0.1:0").handle(Greeter).await?;
    let client = Client::<Greet>::connect(server.address()).await?;
    let Greeting(text) = client.request(Hello("alice".into())).await?;
    println!("{text}");
    Ok(())
}
