//! How a client gets in: it connects and logs in, for as long as it takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol_core::{Client, RequestError};
use rendezvous::LoginExt;
use rendezvous::events::{LogIn, LoginError};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::acts::short;
use crate::hearing::Hearing;
use crate::house::{SERVER, token};
use crate::journal::LifeId;
use crate::links::{self, Standing};
use crate::peer::Start;
use crate::post::{Postman, World};

/// Between two tries to connect or to log in.
const PAUSE: Duration = Duration::from_millis(400);

/// How often one tries to get an id that another has, where that one does not leave.
const CHALLENGES: usize = 4;

/// What is known of a client from outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Door(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
pub(crate) struct Inside {
    /// Once it is logged in.
    pub(crate) client: Option<Client<World>>,
    pub(crate) hearing: Arc<Mutex<Hearing>>,
    pub(crate) has_given_up: bool,
    /// Write down how its links stand.
    watching: JoinSet<()>,
}

impl Door {
    pub(crate) fn look(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gets in, or gives up where somebody has the id and this one is only a challenger.
    pub(crate) async fn enter(self, start: Start, life: LifeId, host: String) {
        let mut challenges = if start.is_challenger {
            CHALLENGES
        } else {
            usize::MAX
        };
        loop {
            let postman = Postman::new(start.journal.clone(), life);
            let hearing = Arc::clone(&postman.hearing);
            let seed = start.journal.seed(life);
            let connect = links::connect(&start.network, &host, SERVER, seed);
            match connect.handle(postman).await {
                Ok(client) => {
                    self.watch(&client, &hearing, &start, life);
                    if log_in(&client, &start, life, &mut challenges).await {
                        let mut inside = self.look();
                        (inside.client, inside.hearing) = (Some(client), hearing);
                        return;
                    }
                }
                // Its words may name a key or a path.
                Err(_) => start.journal.note(life, "finds no server"),
            }
            if challenges == 0 {
                self.look().has_given_up = true;
                return;
            }
            sleep(PAUSE).await;
        }
    }

    /// Has the story say how the client's link stands.
    fn watch(&self, client: &Client<World>, hearing: &Mutex<Hearing>, start: &Start, life: LifeId) {
        let mut hearing = hearing.lock().expect("nothing panics with it");
        hearing.watch(client.states());
        let (mut states, journal) = (client.states(), start.journal.clone());
        self.look().watching.spawn(async move {
            while let Some(state) = states.next().await {
                journal.note(life, &links::in_words(&state).0);
            }
        });
    }
}

/// Tries on one link, while it is there and only the id stands in the way.
async fn log_in(
    client: &Client<World>,
    start: &Start,
    life: LifeId,
    challenges: &mut usize,
) -> bool {
    loop {
        let mut login = LogIn::new(start.name);
        if start.is_proved {
            login = login.token(token(start.name));
        }
        login.grace_ms = u64::try_from(start.grace.as_millis()).ok();
        let answer = client.login_with(login).await;
        start
            .journal
            .note(life, &format!("logs in: {}", short(&answer)));
        if answer.is_ok() {
            return true;
        }
        let is_taken = matches!(answer, Err(RequestError::Refused(LoginError::IdTaken)));
        *challenges -= usize::from(is_taken);
        if !is_taken || *challenges == 0 || links::standing(client) != Standing::Connected {
            return false;
        }
        sleep(PAUSE).await;
    }
}
