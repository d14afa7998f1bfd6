//! The same program as `hello`, encrypted: the server has a key, and the client knows it. Then a
//! client that expects another key, and one that does not encrypt. Run it with
//! `cargo run --example encrypted`.

use protocol_core::{Client, Context, Event, EventSet, PeerIdentity, Protocol, SecretKey, Server};

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
    async fn on_hello(&self, cx: &Context<Greet>, Hello(name): Hello) -> Greeting {
        match cx.identity() {
            PeerIdentity::Key(key) => {
                let start = &key.to_string()[..8];
                Greeting(format!("Hello, {name}! I know you by your key, {start}…"))
            }
            _ => Greeting(format!("Hello, {name}, whoever you are!")),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A server keeps its key: `let (key, is_new) = SecretKey::from_file_or_new("server.key")?`. Keys
    // made of fixed bytes are for examples only.
    let server_key = SecretKey::from_bytes([1; 32]);
    let public_key = server_key.public();
    let server = Server::<Greet>::bind("127.0.0.1:0")
        .encrypted(server_key)
        .handle(Greeter)
        .await?;
    println!("the server's public key is {public_key}");

    // Without `.identity(…)` it is the key of this user, made the first time.
    let client = Client::<Greet>::connect(server.address())
        .encrypted(public_key)
        .identity(SecretKey::from_bytes([2; 32]))
        .await?;
    let Greeting(text) = client.request(Hello("alice".into())).await?;
    println!("{text}");

    let other_key = SecretKey::from_bytes([3; 32]).public();
    let refused = Client::<Greet>::connect(server.address())
        .encrypted(other_key)
        .identity(SecretKey::from_bytes([2; 32]))
        .await;
    println!("another key: {}", refused.unwrap_err());

    let plain = Client::<Greet>::connect(server.address()).await?;
    println!("no encryption: {}", plain.closed().await);
    Ok(())
}
