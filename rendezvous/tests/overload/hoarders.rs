//! Connections that each fill all that is kept for them: the server's memory stays within what its
//! limits say, times connections.

use serde_json::{Value, json};

use crate::bare::{Bare, sockets};
use crate::choose;
use crate::place::{Place, grown};

/// The limits of a connection here, in bytes.
const FRAME_IN: usize = 16 << 10;
const OUTBOUND: usize = 32 << 10;
const QUEUED: usize = 32 << 10;
const HELD: usize = 32 << 10;
const ANSWERS: usize = 32 << 10;

/// What is kept of an answer beside its frame, in bytes: its id and whose it is, twice.
const OF_AN_ANSWER: usize = 512;

/// What a connection takes that holds nothing, in bytes, with what the allocator keeps of it; in a build
/// that is not optimized.
const IDLE: usize = 24 << 10;

/// Changes of a room that fit into what is held for a member, with what else there is to be told.
const CHANGES: usize = 20;

pub(crate) async fn stay_within_their_limits() {
    let count = sockets(choose(100, 500));
    let knobs = [
        "stall_ms=3600000".to_owned(),
        "frame_ms=3600000".to_owned(),
        format!("frame_in={FRAME_IN}"),
        format!("outbound_bytes={OUTBOUND}"),
        format!("queued_bytes={QUEUED}"),
        format!("held_bytes={HELD}"),
        format!("answers_bytes={ANSWERS}"),
    ];
    let mut crowd = Crowd {
        place: Place::start(&knobs),
        count,
        links: Vec::new(),
        limits: 0,
    };
    let before = crowd.place.settled_memory();
    crowd.half_frames().await;
    crowd.set_aside().await;
    crowd.kept_answers().await;
    crowd.slow_readers().await;
    crowd.lost_links().await;
    let after = crowd.place.settled_memory();
    let sessions = crowd.place.standing().sessions;
    let limits = (crowd.limits * count + sessions * IDLE) >> 10;
    println!("{sessions} sessions: {before:?} to {after:?} KiB; their limits are {limits} KiB");
    if let Some(grown) = grown(before, after) {
        assert!(grown <= limits, "{grown} KiB are taken");
    }
}

struct Crowd {
    place: Place,
    /// How many there are of each kind.
    count: usize,
    links: Vec<Bare>,
    /// The limits of what one of each kind has filled, together.
    limits: usize,
}

impl Crowd {
    /// A frame that lacks its end.
    async fn half_frames(&mut self) {
        let before = self.place.settled_memory();
        for number in 0..self.count {
            let mut link = self.member("half", number).await;
            link.write(&format!("{{{}", " ".repeat(FRAME_IN - 1))).await;
            self.links.push(link);
        }
        self.filled("half a frame", before, FRAME_IN, FRAME_IN);
    }

    /// Events behind one that is not handled yet, until one finds no room.
    async fn set_aside(&mut self) {
        let before = self.place.settled_memory();
        for number in 0..self.count {
            let mut link = self.member("aside", number).await;
            let hold = json!({"type": "pass", "name": "hold"});
            link.send(&hold).await;
            for request in 0.. {
                let fill = json!({
                    "type": "request", "name": "fill", "request_id": request.to_string(),
                    "data": {"bytes": 1, "more": "x".repeat(1_000)},
                });
                link.send(&fill).await;
                // An event that finds no room is answered at once.
                if request * 1_000 > QUEUED && refused(&mut link).await == "busy" {
                    break;
                }
            }
            self.links.push(link);
        }
        self.filled("events set aside", before, QUEUED, QUEUED);
    }

    /// Answers to requests that may come again.
    async fn kept_answers(&mut self) {
        let before = self.place.settled_memory();
        for number in 0..self.count {
            let mut link = Bare::connect(self.place.address()).await;
            let id = format!("answers {number}");
            let login = json!({"id": id, "inc": id, "grace_ms": 60_000});
            let server = link.log_in(login).await["inc"].clone();
            let ask = |seq: usize| {
                json!({
                    "type": "request", "name": "fill", "data": {"bytes": 1_000}, "seq": seq,
                    "dest_inc": server, "request_id": seq.to_string(),
                })
            };
            for seq in 1..=2 * ANSWERS / 1_000 {
                link.send(&ask(seq)).await;
                assert_eq!(refused(&mut link).await, Value::Null);
            }
            // The last is kept, the first no more.
            link.send(&ask(2 * ANSWERS / 1_000)).await;
            assert_eq!(refused(&mut link).await, Value::Null);
            link.send(&ask(1)).await;
            assert_eq!(refused(&mut link).await, "expired");
            self.links.push(link);
        }
        let limit = ANSWERS + ANSWERS / 1_000 * OF_AN_ANSWER;
        self.filled("answers that are kept", before, limit, ANSWERS);
    }

    /// Members of rooms who do not read; passes for them until one is refused, then news.
    async fn slow_readers(&mut self) {
        let before = self.place.settled_memory();
        let mut bob = self.member("bob", 0).await;
        for number in 0..self.count {
            let mut host = self.host("slow", number).await;
            let id = format!("slow {number}");
            let link = self.joins(&id, &host.1).await;
            self.links.push(link);
            fill(&mut bob, &id).await;
            change(&mut host).await;
            self.links.push(host.0);
        }
        self.links.push(bob);
        // Each has a room, and thus a host, of its own: members of one room share what they are told.
        // What others send gets half of the queue, and news of rooms four times all of it.
        self.filled(
            "queues that nobody reads",
            before,
            4 * OUTBOUND + HELD + IDLE,
            OUTBOUND / 2 + CHANGES * 1_000,
        );
    }

    /// Members of rooms without a link, and news for them.
    async fn lost_links(&mut self) {
        let before = self.place.settled_memory();
        for number in 0..self.count {
            let mut host = self.host("lost", number).await;
            let link = self.joins(&format!("lost {number}"), &host.1).await;
            link.cut();
            change(&mut host).await;
            self.links.push(host.0);
        }
        self.filled("news for lost links", before, HELD + IDLE, CHANGES * 1_000);
    }

    async fn member(&self, kind: &str, number: usize) -> Bare {
        let mut link = Bare::connect(self.place.address()).await;
        link.log_in(json!({"id": format!("{kind} {number}")})).await;
        link
    }

    /// The host of a room, and the room.
    async fn host(&self, kind: &str, number: usize) -> (Bare, Value) {
        let mut host = self.member(&format!("{kind} host"), number).await;
        let made = host.ask("create_room", json!({"name": "lobby"})).await;
        assert!(made["error"].is_null(), "{made}");
        (host, made["data"]["id"].clone())
    }

    /// One with a grace, in a room.
    async fn joins(&self, id: &str, room: &Value) -> Bare {
        let mut link = Bare::narrow(self.place.address()).await;
        link.log_in(json!({"id": id, "inc": id, "grace_ms": 60_000}))
            .await;
        let joined = link.ask("join_room", json!({"room": room})).await;
        assert!(joined["error"].is_null(), "{joined}");
        link
    }

    /// One kind has filled at least `filled` bytes each, for which `limit` is granted.
    fn filled(&mut self, what: &str, before: Option<usize>, limit: usize, filled: usize) {
        self.limits += limit;
        let after = self.place.settled_memory();
        let Some(grown) = grown(before, after) else {
            return;
        };
        let each = (grown << 10) / self.count;
        println!("{what}: {each} bytes each, of {limit} and {IDLE}");
        assert!(each <= limit + IDLE, "{what}: {each} bytes each");
        assert!(
            each >= filled,
            "{what}: only {each} bytes each, nothing was proved"
        );
    }
}

/// The code with which the next answer refuses; none where it does not.
async fn refused(link: &mut Bare) -> Value {
    let answer = link.line().await.expect("the link is up");
    let answer: Value = serde_json::from_str(&answer).expect("a frame");
    answer["error"]["code"].clone()
}

/// Has the members of a host's room hear of changes.
async fn change((host, room): &mut (Bare, Value)) {
    for number in 0..CHANGES {
        let meta = json!({"number": number, "filling": "x".repeat(1_000)});
        let changed = host
            .ask("update_room", json!({"room": room, "meta": meta}))
            .await;
        assert!(changed["error"].is_null(), "{changed}");
    }
}

/// Sends passes to somebody until one is refused.
async fn fill(bob: &mut Bare, id: &str) {
    let pass = json!({
        "type": "pass", "name": "wave", "dest": id, "data": "x".repeat(4_000),
    });
    let passes = format!("{pass}\n").repeat(4);
    for number in 0..10_000 {
        bob.write(&passes).await;
        let confirm = json!({
            "type": "confirm_pass", "name": "wave", "dest": id, "pass_id": format!("{id} {number}"),
        });
        bob.send(&confirm).await;
        let ping = json!({"type": "request", "name": "ping", "request_id": "1"});
        bob.send(&ping).await;
        let first = refused(bob).await;
        if first == "peer_slow" {
            assert_eq!(refused(bob).await, Value::Null);
            return;
        }
    }
    panic!("there is always room for more");
}
