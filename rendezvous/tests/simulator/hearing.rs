//! What one client hears of its rooms, session by session.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use protocol_core::ClientStates;
use rendezvous::events::RoomNews;
use rendezvous::{MyRooms, OutOfStep};

use crate::links;

#[derive(Debug, Default)]
pub(crate) struct Hearing {
    states: Option<ClientStates>,
    rooms: MyRooms,
}

impl Hearing {
    /// Begins with an empty picture whenever the client's session is a new one.
    pub(crate) fn watch(&mut self, states: ClientStates) {
        self.states = Some(states);
    }

    /// Takes news in, which have to fit what was heard in this session.
    pub(crate) fn hear(&mut self, news: &RoomNews) -> Result<(), OutOfStep> {
        self.look();
        self.rooms.hear(news)
    }

    pub(crate) fn rooms(&mut self) -> &MyRooms {
        self.look();
        &self.rooms
    }

    /// The driver says how the link stands before it hands over what comes by it.
    fn look(&mut self) {
        let Some(states) = &mut self.states else {
            return;
        };
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(state)) = pin!(states.next()).poll(&mut cx) {
            if links::in_words(&state).1 {
                self.rooms = MyRooms::default();
            }
        }
    }
}
