//! The program that is cut off and killed: a courier, which sends and receives, or the office, which
//! is a rendezvous server that receives mail itself.
//!
//! Told to `start`, a courier that is logged in makes calls; told to `stop`, it starts no more, and says
//! so when all have ended. Each process ends when nobody types into it any more, which is so, too, once
//! whoever started it is gone.

mod desk;
mod flags;
mod office;
mod rounds;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use protocol_core::{Client, SecretKey, ignore};
use rendezvous::events::LogIn;
use rendezvous::{LoginExt, SessionNews};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::journal::Journal;
use crate::post::Post;
use desk::Desk;
pub(crate) use flags::{Flags, IN_FLIGHT, OFFICE};
use rounds::Rounds;

/// For how long the session may be without a link.
const GRACE: Duration = Duration::from_secs(20);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// Runs the process that `args` ask for.
pub(crate) fn run(args: impl Iterator<Item = String>) -> ExitCode {
    let flags = Flags::of(args);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the runtime starts");
    runtime.block_on(async {
        let stages = stages();
        if flags.is_office {
            office::serve(&flags, stages).await;
        } else {
            deliver(&flags, stages).await;
        }
    });
    ExitCode::SUCCESS
}

/// How far a process has got, by the word of whoever started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Waiting,
    Working,
    /// No more calls are started.
    Stopping,
    Leaving,
}

/// What is typed, as it comes.
fn stages() -> watch::Receiver<Stage> {
    let (stage, stages) = watch::channel(Stage::Waiting);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            stage.send_replace(match &*line {
                "start" => Stage::Working,
                "stop" => Stage::Stopping,
                _ => panic!("no such word: {line}"),
            });
        }
        stage.send_replace(Stage::Leaving);
    });
    stages
}

/// Waits until the process has got this far.
async fn reached(stages: &mut watch::Receiver<Stage>, wanted: Stage) {
    // Whoever sets the last stage is gone then.
    let _ = stages.wait_for(|stage| *stage >= wanted).await;
}

/// A courier's work.
async fn deliver(flags: &Flags, mut stages: watch::Receiver<Stage>) {
    let journal = Arc::new(Journal::open(&flags.journal, flags.incarnation));
    let client = arrive(flags, &journal).await;
    println!("logged in");
    reached(&mut stages, Stage::Working).await;
    let rounds = flags.destinations.iter().map(|destination| {
        let (client, journal, stages) = (client.clone(), Arc::clone(&journal), stages.clone());
        let rounds = Rounds::new(flags, destination.clone(), client, journal);
        tokio::spawn(rounds.make(stages))
    });
    for rounds in rounds.collect::<Vec<_>>() {
        rounds.await.expect("the rounds end");
    }
    reached(&mut stages, Stage::Stopping).await;
    println!("done");
    reached(&mut stages, Stage::Leaving).await;
    // Whoever is not heard any more is killed next.
    let _ = timeout(GOODBYE, client.close()).await;
}

/// Connects and logs in, once: from then on links are the library's affair.
async fn arrive(flags: &Flags, journal: &Arc<Journal>) -> Client<Post> {
    let mut connect = Client::<Post>::connect(flags.at);
    if let Some((server, own)) = &flags.keys {
        let own = SecretKey::from_file(own).expect("a key of ours");
        connect = connect.encrypted(*server).identity(own);
    }
    let desk = Desk::new(Arc::clone(journal));
    let connecting = connect.handle((ignore::<SessionNews>(), desk));
    let client = connecting.await.expect("the server is there");
    let mut login = LogIn::new(&flags.id).grace(GRACE);
    if let Some(token) = &flags.token {
        login = login.token(token);
    }
    let logged_in = client.login_with(login).await;
    logged_in.expect("the id is free, or ours");
    client
}
