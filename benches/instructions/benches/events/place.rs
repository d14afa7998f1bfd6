//! The servers, and what is exchanged with them.

use std::sync::{Arc, Mutex, PoisonError};

use protocol_core::{
    Context, Event, EventSet, Outlet, PeerId, Protocol, Receivers, Relay, Server, WireError,
};
use tokio::runtime::{Builder, Runtime};

use crate::links::{Exchange, Link};
use crate::work::{Echo, Echoed, Work, WorkHandler, data, id};

/// Requests or passes that are read at once.
const BATCH: usize = 64;

/// Who hears what is said to the room.
const MEMBERS: usize = 100;

/// What whoever enters hears.
const ENTERED: &str =
    "{\"type\":\"response\",\"name\":\"enter\",\"data\":{},\"request_id\":\"1\"}\n";

/// Gives a connection its name, and a place in the room.
#[derive(Debug, Event)]
#[event(request, response = Entered)]
struct Enter {
    id: PeerId,
}

#[derive(Debug, Event)]
#[event(response)]
struct Entered {}

#[derive(Debug, EventSet)]
enum Door {
    Enter(Enter),
}

#[derive(Debug, Event)]
#[event(pass)]
struct News {}

#[derive(Debug, EventSet)]
enum ToMembers {
    News(News),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Door, Work), to_client = ToMembers)]
struct House;

/// Handles everything, and knows who is in its one room.
#[derive(Clone, Default)]
struct Host(Arc<Mutex<Vec<Outlet<ToMembers>>>>);

impl DoorHandler<House> for Host {
    async fn on_enter(&self, cx: &Context<House>, event: Enter) -> Entered {
        assert!(cx.identify(event.id.clone()), "{} was taken", event.id);
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        members.push(cx.outlet());
        Entered {}
    }
}

impl WorkHandler<House> for Host {
    async fn on_echo(&self, _cx: &Context<House>, event: Echo) -> Echoed {
        event.into()
    }
}

impl Relay<House> for Host {
    fn to_peer(&self, _: &Context<House>, _: &str, _: &str) -> Result<(), WireError> {
        Ok(())
    }

    fn pass_to_room(&self, cx: &Context<House>, _: &str, receivers: &mut Receivers<'_>) -> bool {
        let members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for member in members.iter() {
            if member.connection() != cx.connection() {
                receivers.add(member);
            }
        }
        true
    }
}

/// A house with so many who have entered it, and what is exchanged there.
fn exchange(peers: usize, frames: (String, String)) -> Exchange {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime: Runtime = runtime.expect("the runtime starts");
    let house = runtime.block_on(async {
        let host = Host::default();
        let server = Server::<House>::in_memory().seed(1).relay(host.clone());
        let server = server.handle(host).await.expect("it starts");
        let mut links = Vec::new();
        for number in 0..peers {
            let mut link = Link::connect(&server);
            let request = format!(
                r#"{{"type":"request","name":"enter","data":{{"id":"peer-{number}"}},"request_id":"1"}}"#
            );
            link.write(&(request + "\n")).await;
            link.expect(ENTERED).await;
            links.push(link);
        }
        (server, links)
    });
    Exchange::new(runtime, house, frames)
}

/// Lines, one for each number.
fn frames(count: usize, frame: impl Fn(usize) -> String) -> String {
    (0..count).map(|number| frame(number) + "\n").collect()
}

/// Requests that are answered by a handler.
pub(crate) fn requests() -> Exchange {
    let with_type = |kind: &str| {
        frames(BATCH, |number| {
            let (data, id) = (data(number), id(number));
            format!(r#"{{"type":"{kind}","name":"echo","data":{data},"request_id":"{id}"}}"#)
        })
    };
    exchange(1, (with_type("request"), with_type("response")))
}

/// Passes from the first peer to the second.
pub(crate) fn passes() -> Exchange {
    exchange(2, passed(BATCH, "peer-1"))
}

/// A pass from one to a hundred others.
pub(crate) fn pass_to_room() -> Exchange {
    exchange(1 + MEMBERS, passed(1, "#lobby"))
}

/// Passes as they are sent, and as they are heard.
fn passed(count: usize, dest: &str) -> (String, String) {
    let with_from = |from: &str| {
        frames(count, |number| {
            let data = data(number);
            format!(r#"{{{from}"type":"pass","dest":"{dest}","name":"tell","data":{data}}}"#)
        })
    };
    (with_from(""), with_from(r#""from":"peer-0","#))
}
