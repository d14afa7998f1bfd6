//! A server, its clients, and the network between them: a story, its healing, and the end.

mod healing;

use std::time::Duration;

use protocol_core::PeerId;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::acts::Act;
use crate::forger::Lie;
use crate::house::{House, SERVER};
use crate::journal::Journal;
use crate::links;
use crate::network::{Fault, Network};
use crate::peer::{Peer, Start};
use crate::random::Random;
use crate::script::{Script, Trouble, for_a_while, order, pause, seen};

/// By then all has settled, once nothing goes wrong any more.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);

/// How long a graceful shutdown may take in the middle of everything.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// How often it is looked whether all has settled.
const LOOK_EACH: Duration = Duration::from_millis(100);

/// One name, who has it, and who wants it.
#[derive(Debug)]
struct Seat {
    name: &'static str,
    peer: Option<Peer>,
    challenger: Option<Peer>,
    /// Those whose name another has now.
    old: Vec<Peer>,
    /// When a new life begins.
    due: Instant,
}

pub(crate) struct World {
    random: Random,
    script: Script,
    journal: Journal,
    network: Network,
    house: House,
    house_due: Instant,
    seats: Vec<Seat>,
    /// Clients and servers that are about to end.
    ending: JoinSet<()>,
}

impl World {
    pub(crate) fn new(seed: u64, journal: Journal, lie: Option<Lie>) -> Self {
        let mut random = Random::new(seed);
        let script = Script::new(&mut random);
        let network = Network::new(random.fork());
        let proved = if script.is_proved { script.names } else { &[] };
        let house = House::new(network.clone(), journal.clone(), proved, lie);
        let seat = |name: &&'static str| Seat {
            name,
            peer: None,
            challenger: None,
            old: Vec::new(),
            due: Instant::now() + random.ms_below(800),
        };
        let seats = script.names.iter().map(seat).collect();
        journal.tell(&format!("{script:?}"));
        Self {
            random,
            script,
            journal,
            network,
            house,
            house_due: Instant::now(),
            seats,
            ending: JoinSet::new(),
        }
    }

    pub(crate) async fn run(mut self) {
        for _ in 0..self.script.steps {
            self.tend().await;
            self.act();
            if self.random.below(self.script.trouble_each) == 0 {
                self.trouble();
            }
            sleep(pause(&mut self.random)).await;
        }
        self.journal.tell("the network heals");
        self.network
            .heal(self.script.tells_holes || !links::FINDS_SILENCE);
        self.settle().await;
        self.all_meet().await;
        self.no_ghosts().await;
        // Handlers at work may end.
        if !self.house.shut_down(SETTLED_WITHIN).await {
            self.journal.wrong("a healthy server does not end");
        }
    }

    /// Starts who is due, and says who has taken over.
    async fn tend(&mut self) {
        self.keep_alive();
        while self.ending.try_join_next().is_some() {}
        let now = Instant::now();
        if !self.house.is_open() && self.ending.is_empty() && self.house_due <= now {
            self.house.open().await;
        }
        self.promote();
        for seat in &mut self.seats {
            if let Some(peer) = seat
                .peer
                .take_if(|peer| peer.is_lost() && peer.open_calls() == 0)
            {
                peer.crash(Fault::Reset);
                seat.due = now + self.random.ms_below(2_000);
            }
            if seat.peer.is_none() && seat.due <= now {
                seat.peer = Some(Peer::start(Start {
                    network: self.network.clone(),
                    journal: self.journal.clone(),
                    name: seat.name,
                    grace: self.script.grace,
                    is_proved: self.script.is_proved,
                    is_challenger: false,
                }));
            }
        }
    }

    fn keep_alive(&self) {
        for link in self.network.keep_alive() {
            self.journal.tell(&format!("keepalive finds: {link}"));
        }
    }

    /// Whoever has got a name from another has it from now on.
    fn promote(&mut self) {
        for seat in &mut self.seats {
            if let Some(challenger) = seat.challenger.take() {
                if challenger.client().is_some() {
                    match seat.peer.replace(challenger) {
                        Some(peer) if peer.client().is_some() => {
                            self.journal.note(peer.life, "is taken over");
                            seat.old.push(peer);
                        }
                        // It would ask for the name for ever.
                        Some(peer) => peer.crash(Fault::Reset),
                        None => {}
                    }
                } else if challenger.has_given_up() {
                    challenger.crash(Fault::Reset);
                } else {
                    seat.challenger = Some(challenger);
                }
            }
        }
    }

    /// One of the peers does something.
    fn act(&mut self) {
        let rooms = self.journal.rooms();
        let random = &mut self.random;
        let others: Vec<_> = self.seats.iter().map(|seat| seat.name).collect();
        let place = random.upto(self.seats.len() - 1);
        let other = *random.pick(&others).expect("there are peers");
        let order = order(random);
        let Some(peer) = &mut self.seats[place].peer else {
            return;
        };
        let room = random.pick(&rooms).cloned();
        let mine: Vec<_> = peer.rooms().iter().map(|room| room.id.clone()).collect();
        let my_room = random.pick(&mine).cloned();
        let other_id = PeerId::new(other).expect("a name");
        match (random.below(20), room, my_room) {
            (0..9, ..) if other != peer.name() => peer.call(other, order),
            (0..13, ..) => peer.call(SERVER, order),
            (13, ..) | (14, None, _) => peer.act(Act::Create),
            (14 | 15, Some(room), _) => peer.act(Act::Join(room)),
            (16, _, Some(room)) => peer.act(Act::Leave(room)),
            (17, _, Some(room)) if random.one_in(2) => peer.act(Act::Kick(room, other_id)),
            (17, _, Some(room)) => peer.act(Act::SetHost(room, other_id)),
            (18 | 19, _, Some(room)) => {
                let place = rooms.iter().position(|known| *known == room);
                peer.say(place.expect("it was heard of"), room, order);
            }
            _ => {}
        }
    }

    /// Something goes wrong.
    fn trouble(&mut self) {
        let random = &mut self.random;
        let Some(trouble) = random.pick(&self.script.troubles).copied() else {
            return;
        };
        let place = random.upto(self.seats.len() - 1);
        let (until, side) = (for_a_while(random), random.upto(1));
        let fault = match trouble {
            Trouble::Reset => Fault::Reset,
            Trouble::Stall => Fault::Stall(until),
            Trouble::HalfClose => Fault::HalfClose(side),
            Trouble::Hole => Fault::Hole(side),
            Trouble::Silence => Fault::Silence,
            _ => return self.trouble_of_host(trouble, place, until),
        };
        if let Some(of) = self.network.strike(random, fault) {
            self.journal.tell(&format!("{trouble:?}: {of}"));
        }
    }

    fn trouble_of_host(&mut self, trouble: Trouble, place: usize, until: Instant) {
        let random = &mut self.random;
        let seat = &mut self.seats[place];
        let back = Instant::now() + random.ms_below(3_000);
        match trouble {
            Trouble::IsolateServer => {
                self.journal.tell("nothing reaches the server");
                self.network.isolate(SERVER, until);
            }
            Trouble::CrashServer | Trouble::PowerCutOfServer if self.house.is_open() => {
                self.house.crash(seen(trouble));
                self.house_due = back;
            }
            Trouble::ShutDownServer if self.house.is_open() => {
                let house = self.house.clone();
                self.ending.spawn(async move {
                    house.shut_down(SHUTDOWN).await;
                });
                self.house_due = back;
            }
            _ => {
                let Some(peer) = seat.peer.take() else {
                    return;
                };
                seat.due = back;
                match trouble {
                    Trouble::IsolatePeer => {
                        self.journal.note(peer.life, "is isolated");
                        let host = self.journal.name(peer.life);
                        self.network.isolate(&host, until);
                        seat.peer = Some(peer);
                    }
                    Trouble::CrashPeer | Trouble::PowerCutOfPeer => {
                        peer.crash(seen(trouble));
                    }
                    Trouble::LeavePeer => {
                        self.ending.spawn(peer.leave());
                    }
                    Trouble::Challenge
                        if self.script.is_proved
                            && peer.is_connected()
                            && seat.challenger.is_none() =>
                    {
                        seat.challenger = Some(Peer::start(Start {
                            is_challenger: !links::TAKES_OVER,
                            ..peer.start_again()
                        }));
                        seat.peer = Some(peer);
                    }
                    _ => seat.peer = Some(peer),
                }
            }
        }
    }
}
