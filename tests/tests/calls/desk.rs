//! A protocol with an event of each behaviour, and ends that tell the tests what they see.

use protocol_core::{
    AtClient, Client, ConnectionId, Context, Event, EventError, EventSet, Json, Limits, PeerId,
    Protocol, Server, ServerLimits,
};
use protocol_tests::PlainOrEncrypted;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Note {
    pub(crate) n: u32,
}

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Sign;

#[derive(Debug, Event)]
#[event(pass, error = LendError)]
pub(crate) struct Lend {
    pub(crate) title: String,
}

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
pub(crate) enum LendError {
    #[error("{title} is lent already")]
    Lent { title: String },
}

#[derive(Debug, Event)]
#[event(request, response = Sum)]
pub(crate) struct Add {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Sum {
    pub(crate) sum: i64,
}

#[derive(Debug, Event)]
#[event(request, response = Balance, error = WithdrawError)]
pub(crate) struct Withdraw {
    pub(crate) amount: u32,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Balance(pub(crate) u32);

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
pub(crate) enum WithdrawError {
    #[error("{missing} of {amount} are missing")]
    Short { amount: u32, missing: u32 },
    #[error("the account is frozen")]
    Frozen,
}

/// Gives the connection a name.
#[derive(Debug, Event)]
#[event(pass, error = EnrollError)]
pub(crate) struct Enroll {
    pub(crate) name: String,
}

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
pub(crate) enum EnrollError {
    #[error("the name is taken")]
    Taken,
}

/// Is answered once the test lets it.
#[derive(Debug, Event)]
#[event(request, response = Released)]
pub(crate) struct Hold;

/// Likewise, and awaited for a short time only.
#[derive(Debug, Event)]
#[event(request, response = Released, timeout = "100ms")]
pub(crate) struct HoldBriefly;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Released;

#[derive(Debug, Event)]
#[event(pass, max_size = "16B")]
pub(crate) struct Label(pub(crate) String);

#[derive(Debug, Event)]
#[event(request, response = Filled)]
pub(crate) struct Fill {
    pub(crate) bytes: usize,
}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Filled(pub(crate) String);

#[derive(Debug, Event)]
#[event(request, response = Echoed)]
pub(crate) struct Echo {
    pub(crate) json: Json,
}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Echoed {
    pub(crate) json: Json,
}

#[derive(Debug, EventSet)]
pub(crate) enum ToDesk {
    Note(Note),
    Sign(Sign),
    Lend(Lend),
    Add(Add),
    Withdraw(Withdraw),
    Enroll(Enroll),
    Hold(Hold),
    HoldBriefly(HoldBriefly),
    Label(Label),
    Fill(Fill),
    Echo(Echo),
}

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Bell {
    pub(crate) rings: u32,
}

#[derive(Debug, Event)]
#[event(request, response = Choice, error = Undecided)]
pub(crate) struct Choose {
    pub(crate) options: Vec<String>,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Choice {
    pub(crate) option: String,
}

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
pub(crate) enum Undecided {
    #[error("there is nothing to choose from")]
    Nothing,
}

#[derive(Debug, EventSet)]
pub(crate) enum FromDesk {
    Bell(Bell),
    Choose(Choose),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToDesk, to_client = FromDesk)]
pub(crate) struct Library;

/// What the server's handlers were given.
#[derive(Debug, PartialEq)]
pub(crate) enum AtDesk {
    Note(u32),
    SignBegan(ConnectionId),
    SignEnded,
    HoldBegan,
    Label(String),
}

pub(crate) struct Desk {
    seen: UnboundedSender<AtDesk>,
    /// A permit ends one `Sign` or `Hold`.
    leave: Arc<Semaphore>,
}

impl Desk {
    fn tell(&self, seen: AtDesk) {
        // A test that no longer looks has seen enough.
        let _ = self.seen.send(seen);
    }

    async fn hold(&self) -> Released {
        self.tell(AtDesk::HoldBegan);
        self.leave.acquire().await.expect("never closed").forget();
        Released
    }
}

impl ToDeskHandler<Library> for Desk {
    async fn on_note(&self, _cx: &Context<Library>, event: Note) {
        self.tell(AtDesk::Note(event.n));
    }

    async fn on_sign(&self, cx: &Context<Library>, _event: Sign) {
        self.tell(AtDesk::SignBegan(cx.connection()));
        self.leave.acquire().await.expect("never closed").forget();
        self.tell(AtDesk::SignEnded);
    }

    async fn on_lend(&self, _cx: &Context<Library>, event: Lend) -> Result<(), LendError> {
        if event.title.starts_with("Dune") {
            return Err(LendError::Lent { title: event.title });
        }
        Ok(())
    }

    async fn on_add(&self, _cx: &Context<Library>, event: Add) -> Sum {
        Sum {
            sum: event.a + event.b,
        }
    }

    async fn on_withdraw(
        &self,
        _cx: &Context<Library>,
        event: Withdraw,
    ) -> Result<Balance, WithdrawError> {
        match event.amount {
            0 => Err(WithdrawError::Frozen),
            amount if amount > 100 => Err(WithdrawError::Short {
                amount,
                missing: amount - 100,
            }),
            amount => Ok(Balance(100 - amount)),
        }
    }

    async fn on_enroll(&self, cx: &Context<Library>, event: Enroll) -> Result<(), EnrollError> {
        let peer = PeerId::new(event.name).expect("a good name");
        cx.identify(peer).then_some(()).ok_or(EnrollError::Taken)
    }

    async fn on_hold(&self, _cx: &Context<Library>, _event: Hold) -> Released {
        self.hold().await
    }

    async fn on_hold_briefly(&self, _cx: &Context<Library>, _event: HoldBriefly) -> Released {
        self.hold().await
    }

    async fn on_label(&self, _cx: &Context<Library>, event: Label) {
        self.tell(AtDesk::Label(event.0));
    }

    async fn on_fill(&self, _cx: &Context<Library>, event: Fill) -> Filled {
        Filled("x".repeat(event.bytes))
    }

    async fn on_echo(&self, _cx: &Context<Library>, event: Echo) -> Echoed {
        Echoed { json: event.json }
    }
}

/// A client's handler: counts rings, chooses the first option.
pub(crate) struct Reader {
    rings: UnboundedSender<u32>,
}

impl FromDeskHandler<Library, AtClient> for Reader {
    async fn on_bell(&self, _cx: &Context<Library, AtClient>, event: Bell) {
        // As above.
        let _ = self.rings.send(event.rings);
    }

    async fn on_choose(
        &self,
        _cx: &Context<Library, AtClient>,
        event: Choose,
    ) -> Result<Choice, Undecided> {
        let first = event.options.into_iter().next();
        first
            .map(|option| Choice { option })
            .ok_or(Undecided::Nothing)
    }
}

pub(crate) fn desk() -> (Desk, UnboundedReceiver<AtDesk>, Arc<Semaphore>) {
    let (seen, at_desk) = unbounded_channel();
    let leave = Arc::new(Semaphore::new(0));
    let desk = Desk {
        seen,
        leave: Arc::clone(&leave),
    };
    (desk, at_desk, leave)
}

pub(crate) fn reader() -> (Reader, UnboundedReceiver<u32>) {
    let (rings, at_reader) = unbounded_channel();
    (Reader { rings }, at_reader)
}

/// A server and one client of it, and what both see.
pub(crate) struct Open {
    pub(crate) server: Server<Library>,
    pub(crate) client: Client<Library>,
    pub(crate) at_desk: UnboundedReceiver<AtDesk>,
    pub(crate) leave: Arc<Semaphore>,
    pub(crate) rings: UnboundedReceiver<u32>,
}

impl Open {
    pub(crate) async fn new() -> Self {
        Self::limited(Limits::client(), Limits::server()).await
    }

    pub(crate) async fn limited(of_client: Limits, of_server: Limits) -> Self {
        let (desk, at_desk, leave) = desk();
        let mut limits = ServerLimits::default();
        limits.connection = of_server;
        let server = Server::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .limits(limits)
            .handle(desk)
            .await
            .unwrap();
        let (reader, rings) = reader();
        let client = Client::connect(server.address())
            .plain_or_encrypted()
            .limits(of_client)
            .handle(reader)
            .await
            .unwrap();
        Self {
            server,
            client,
            at_desk,
            leave,
            rings,
        }
    }

    pub(crate) async fn next(&mut self) -> AtDesk {
        self.at_desk.recv().await.expect("the desk is there")
    }

    /// The client's connection, as the server names it.
    pub(crate) async fn connection(&mut self) -> ConnectionId {
        self.leave.add_permits(1);
        self.client.confirm(Sign).await.unwrap();
        let AtDesk::SignBegan(connection) = self.next().await else {
            panic!("a signature");
        };
        assert_eq!(self.next().await, AtDesk::SignEnded);
        connection
    }
}
