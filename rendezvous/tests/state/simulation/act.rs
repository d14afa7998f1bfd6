//! What comes to the peers' minds.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use protocol_core::{Json, PeerId, RoomId};
use rendezvous::events::{
    Capacity, Changed, CreateInvite, CreateRoom, DeleteError, DeleteRoom, InviteError, JoinRoom,
    KickPlayer, LeaveReason, LeaveRoom, Meta, OnHostLeave, PlayerStatus, Secret, SetHost,
    UpdateRoom, Visibility,
};
use rendezvous::state::PeerName;
use rendezvous::state::rooms::{
    Appoint, Create, Created, Delete, Invite, Join, Joined, Kick, Leave, PasswordHash, Proof,
    Update, Updated,
};

use super::laws::Cause;
use super::listing::NAMES;
use super::model::Entered;
use super::random::Random;
use super::world::{HalfDone, World};
use crate::house::{Peer, matches};

const PASSWORDS: [&str; 3] = ["", "swordfish", "sesame"];
const NO_ROOM: &str = "nowhere";

impl World<'_> {
    /// One step.
    pub(super) fn act(&mut self) {
        if self.random.one_in(1_000) {
            return self.end_all();
        }
        let room = self.some_room();
        let who = self.somebody(&room);
        let Some(peer) = self.clients[who].peer.clone() else {
            return self.log_in(who);
        };
        if self.clients[who].is_away {
            return self.be_away(who, &peer, room);
        }
        match self.random.below(108) {
            0..11 => self.create(&peer),
            11..35 => self.join(&peer, room),
            35..40 => self.go_on(),
            40..49 => self.leave(&peer, room),
            49..59 => self.kick(&peer, room),
            59..72 => self.update(&peer, room),
            72..75 => self.delete(&peer, room),
            75..81 => self.set_host(&peer, room),
            81..88 => self.invite(&peer, room),
            88..92 => self.list(),
            92..95 => self.vanish(who, LeaveReason::GraceExpired),
            95 => self.vanish(who, LeaveReason::Left),
            96 => self.set_status(who, PlayerStatus::Online),
            97..104 => self.set_status(who, PlayerStatus::Reconnecting),
            _ => self.wait(),
        }
    }

    /// Mostly one that is there.
    fn some_room(&mut self) -> RoomId {
        if self.random.one_in(12) || self.model.places.is_empty() {
            let ever = self.random.maybe(2, |random| random.upto(100));
            let ever = ever.and_then(|place| self.ids.get(place)).cloned();
            return ever.unwrap_or_else(|| RoomId::new(NO_ROOM).unwrap());
        }
        self.random.pick(&self.model.places).room.id.clone()
    }

    /// Often the host.
    fn somebody(&mut self, room: &RoomId) -> usize {
        if self.random.one_in(2) {
            let host = self.house.rooms.host(room);
            let mut clients = self.clients.iter();
            let place = clients.position(|c| c.peer.as_ref().is_some_and(|p| Some(p.id()) == host));
            if let Some(place) = place {
                return place;
            }
        }
        self.random.upto(self.clients.len() - 1)
    }

    /// Mostly one that is in the room.
    fn some_player(&mut self, room: &RoomId) -> PeerId {
        if !self.random.one_in(3)
            && let Some(room) = self.house.rooms.view(room)
        {
            return self.random.pick(&room.players).id.clone();
        }
        let client = self.random.pick(&self.clients);
        let peer = client.peer.as_ref().map(|peer| peer.id().clone());
        peer.unwrap_or_else(|| PeerId::new(client.names[0]).unwrap())
    }

    /// Often one to the room.
    fn some_invite(&mut self, room: &RoomId) -> Option<Secret> {
        let random = &mut self.random;
        let unknown = random.maybe(40, |_| Secret::new(NO_ROOM));
        let of_room = self.codes.iter().filter(|(of, _)| of == room);
        let mut several: Vec<_> = of_room.map(|(_, code)| code).collect();
        if random.one_in(4) {
            several = self.codes.iter().map(|(_, code)| code).collect();
        }
        if several.is_empty() || random.one_in(3) {
            return unknown;
        }
        Some((*random.pick(&several)).clone())
    }

    fn end_all(&mut self) {
        self.note("the end of all rooms");
        self.house.end_all(LeaveReason::Shutdown);
        self.model.end_all();
        self.check(false, &Cause::Ended(LeaveReason::Shutdown));
    }

    pub(super) fn wait(&mut self) {
        let most = *self.random.pick(&[10, 100, 10_000, 100_000_000]);
        let time = self.random.below(most);
        self.now += time;
        self.house.wait(Duration::from_millis(time));
    }

    pub(super) fn create(&mut self, by: &Peer) {
        let random = &mut self.random;
        let request = CreateRoom {
            name: some_name(random),
            capacity: random.maybe(2, some_capacity),
            visibility: random.maybe(2, some_visibility),
            password: random.maybe(3, some_password),
            meta: random.maybe(3, some_meta),
            on_host_leave: random.maybe(3, |random| {
                *random.pick(&[OnHostLeave::Migrate, OnHostLeave::Close])
            }),
            nonce: random.maybe(3, |random| match random.below(8) {
                0 => "n".repeat(65),
                nonce => format!("nonce {}", nonce % 3),
            }),
        };
        let id = RoomId::new(self.house.code("room-")).unwrap();
        self.ids.push(id.clone());
        let password = None;
        self.create_by(
            by,
            Create {
                id,
                request,
                password,
            },
        );
    }

    fn create_by(&mut self, by: &Peer, mut create: Create) {
        let hashed = create
            .password
            .as_ref()
            .map(|hash| hash.as_str().to_owned());
        let (id, request) = (&create.id, &create.request);
        let expected = self.model.create(&by.name, id, request, hashed);
        let seen = self.house.apply(by, create.clone());
        let seen = seen.map(|created| match created {
            Created::Is(room) => Some(room),
            Created::Hash => None,
        });
        let is_half_done = seen == Ok(None);
        let answers = (seen, expected);
        self.told(by, &create.request, answers, ("create", Cause::Created));
        if is_half_done {
            create.password = self.house.hash(create.request.password.as_ref());
            if self.random.one_in(3) {
                self.half_done.push((by.line, HalfDone::Create(create)));
            } else {
                self.create_by(by, create);
            }
        }
    }

    pub(super) fn join(&mut self, by: &Peer, room: RoomId) {
        let invite = self.some_invite(&room);
        let random = &mut self.random;
        let request = JoinRoom {
            room: Some(room).filter(|_| invite.is_none() || random.one_in(2)),
            invite,
            password: random.maybe(2, some_password),
        };
        let proof = random.maybe(30, |_| Proof {
            hash: PasswordHash::new("another$"),
            matches: true,
        });
        self.join_by(by, Join { request, proof });
    }

    /// Gives a command again whose password was looked at some time ago.
    fn go_on(&mut self) {
        let Some((line, command)) = self.half_done.pop() else {
            return;
        };
        let mut peers = self.clients.iter().filter_map(|c| c.peer.as_ref());
        if let Some(peer) = peers.find(|peer| peer.line == line).cloned() {
            self.note("goes on");
            match command {
                HalfDone::Create(create) => self.create_by(&peer, create),
                HalfDone::Join(join) => self.join_by(&peer, join),
                HalfDone::Update(update) => self.update_by(&peer, update),
            }
        }
    }

    fn join_by(&mut self, by: &Peer, mut join: Join) {
        let proof = join.proof.as_ref();
        let proof = proof.map(|proof| (proof.hash.as_str(), proof.matches));
        let expected = self.model.join(&by.name, self.now, &join.request, proof);
        let actual = self.house.apply(by, join.clone());
        let seen = actual.as_ref().map_err(|error| *error);
        let seen = seen.map(|joined| match joined {
            Joined::In(room) => Entered::In(room.clone()),
            Joined::Prove(hash) => Entered::Prove(hash.as_str().to_owned()),
        });
        let answers = (seen, expected);
        self.told(by, &join.request, answers, ("join", Cause::Other));
        if let Ok(Joined::Prove(hash)) = actual {
            let matches = matches(join.request.password.as_ref(), &hash);
            join.proof = Some(Proof { hash, matches });
            if self.random.one_in(3) {
                self.half_done.push((by.line, HalfDone::Join(join)));
            } else {
                self.join_by(by, join);
            }
        }
    }

    pub(super) fn leave(&mut self, by: &Peer, room: RoomId) {
        let peer = by.id().clone();
        let expected = self.model.leave(&peer, &room);
        let expected = expected.map(|rev| Changed { rev });
        let request = LeaveRoom { room };
        let asked = request.clone();
        let answers = (self.house.apply(by, Leave(request)), expected);
        let reason = LeaveReason::Left;
        self.told(by, &asked, answers, ("leave", Cause::Left { peer, reason }));
    }

    fn kick(&mut self, by: &Peer, room: RoomId) {
        let player = self.some_player(&room);
        let random = &mut self.random;
        let request = KickPlayer {
            room,
            player,
            ban_ms: random.maybe(2, |random| match random.below(4) {
                0 => 0,
                1 => u64::MAX,
                _ => random.below(10_000),
            }),
            message: random.maybe(3, |_| "no cheating".to_owned()),
        };
        let key = PeerName::new(&request.player).unwrap();
        let expected = self.model.kick(by.id(), self.now, &request, key.key());
        let expected = expected.map(|rev| Changed { rev });
        let asked = request.clone();
        let cause = Cause::Kicked {
            by: by.id().clone(),
            message: request.message.clone(),
        };
        let answers = (self.house.apply(by, Kick(request)), expected);
        self.told(by, &asked, answers, ("kick", cause));
    }

    fn update(&mut self, by: &Peer, room: RoomId) {
        let rev = self.house.rooms.view(&room).map_or(0, |room| room.rev);
        let random = &mut self.random;
        let request = UpdateRoom {
            room,
            if_rev: random.maybe(3, |random| rev.saturating_sub(random.below(3) / 2)),
            name: random.maybe(4, some_name),
            capacity: random.maybe(4, some_capacity),
            locked: random.maybe(4, |random| random.one_in(3)),
            visibility: random.maybe(4, some_visibility),
            password: random.maybe(4, some_password),
            meta: random.maybe(4, some_meta),
        };
        let password = None;
        self.update_by(by, Update { request, password });
    }

    fn update_by(&mut self, by: &Peer, mut update: Update) {
        let hashed = update
            .password
            .as_ref()
            .map(|hash| hash.as_str().to_owned());
        let expected = self.model.update(by.id(), &update.request, hashed);
        let seen = self.house.apply(by, update.clone());
        let seen = seen.map(|updated| match updated {
            Updated::Is(room) => Some(room),
            Updated::Hash => None,
        });
        let is_half_done = seen == Ok(None);
        let answers = (seen, expected);
        self.told(by, &update.request, answers, ("update", Cause::Other));
        if is_half_done {
            update.password = self.house.hash(update.request.password.as_ref());
            if self.random.one_in(3) {
                self.half_done.push((by.line, HalfDone::Update(update)));
            } else {
                self.update_by(by, update);
            }
        }
    }

    fn delete(&mut self, by: &Peer, room: RoomId) {
        let refusal = if self.model.shows(&room, by.id()) {
            DeleteError::NotHost
        } else {
            DeleteError::RoomNotFound
        };
        let rev = self.model.delete(by.id(), &room);
        let expected = rev.map(|rev| Changed { rev }).ok_or(refusal);
        let request = DeleteRoom { room };
        let asked = request.clone();
        let answers = (self.house.apply(by, Delete(request)), expected);
        let cause = Cause::Deleted {
            by: by.id().clone(),
        };
        self.told(by, &asked, answers, ("delete", cause));
    }

    fn set_host(&mut self, by: &Peer, room: RoomId) {
        let player = self.some_player(&room);
        let expected = self.model.set_host(by.id(), &room, &player);
        let expected = expected.map(|rev| Changed { rev });
        let request = SetHost { room, player };
        let asked = request.clone();
        let answers = (self.house.apply(by, Appoint(request)), expected);
        self.told(by, &asked, answers, ("set_host", Cause::Other));
    }

    fn invite(&mut self, by: &Peer, room: RoomId) {
        let random = &mut self.random;
        let ttl_ms = random.maybe(2, |random| match random.below(4) {
            0 => NonZeroU64::MAX,
            _ => NonZeroU64::MIN.saturating_add(random.below(10_000)),
        });
        let uses = random.maybe(2, |random| match random.below(2) {
            0 => NonZeroU32::MIN,
            _ => NonZeroU32::MIN.saturating_add(1),
        });
        let code = self.house.code("invite-");
        let (named, holds) = (
            (&room, &*code),
            (ttl_ms.map(Into::into), uses.map(Into::into)),
        );
        let made = self.model.invite(by.id(), self.now, named, holds);
        let expected = made.then(|| code.clone()).ok_or(InviteError::NotHost);
        let code = Secret::new(code);
        let request = CreateInvite { room, ttl_ms, uses };
        let asked = request.clone();
        let actual = self.house.apply(by, Invite { code, request });
        let actual = actual.map(|invited| {
            let code = invited.invite.expose().to_owned();
            self.codes.push((asked.room.clone(), invited.invite));
            code
        });
        self.told(by, &asked, (actual, expected), ("invite", Cause::Other));
    }
}

fn some_name(random: &mut Random) -> String {
    // Those that are none are rare.
    let names = if random.one_in(6) {
        &NAMES
    } else {
        &NAMES[..4]
    };
    random.pick(names).0.to_owned()
}

fn some_capacity(random: &mut Random) -> Capacity {
    Capacity::new(1 + random.upto(4)).unwrap()
}

fn some_visibility(random: &mut Random) -> Visibility {
    let several = [
        Visibility::Public,
        Visibility::Unlisted,
        Visibility::Private,
    ];
    *random.pick(&several)
}

fn some_password(random: &mut Random) -> Secret {
    Secret::new(*random.pick(&PASSWORDS))
}

fn some_meta(random: &mut Random) -> Meta {
    let several = ["null", r#"{"map":"desert"}"#, "[1, 2]"];
    Meta::new(Json::parse(random.pick::<&str>(&several)).unwrap()).unwrap()
}
