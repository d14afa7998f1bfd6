//! A scripted player: a client as anybody would write it, and a check of everything that it hears.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use protocol_core::{
    Client, ClientState, Event, EventError, Inbox, PeerId, RequestError, SecretKey, Server, queue,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::ear::{Ear, Heard, in_words};
use super::events::Playground;
use super::stage::{Sign, Stage};
use crate::cli::in_words::Sentence;
use crate::client::LoginExt;
use crate::events::LogIn;
use crate::my_rooms::MyRooms;

/// The longest that anybody waits for news; on one machine they take well under a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);

/// News that may wait to be looked at; the story looks at each as it comes.
const UNREAD: usize = 256;

pub(super) struct Player {
    pub(super) id: PeerId,
    pub(super) client: Client<Playground>,
    heard: Inbox<Heard>,
    asked: mpsc::Receiver<Sentence>,
    rooms: MyRooms,
    stage: Arc<Stage>,
}

impl Player {
    /// Connects to a server that is known by its key, with a new key of its own, and logs in.
    pub(super) async fn log_in(
        name: &'static str,
        server: &Server<Playground>,
        stage: &Arc<Stage>,
    ) -> Result<Self> {
        let (queue, heard) = queue(UNREAD);
        let (tell, asked) = mpsc::channel(UNREAD);
        let handlers = (
            queue.of(Heard::Session),
            queue.of(Heard::Rooms),
            queue.of(Heard::Players),
            Ear(tell),
        );
        let server_key = server.public_key().context("the server has no key")?;
        let client = Client::<Playground>::connect(server.address())
            .encrypted(server_key)
            .identity(SecretKey::generate()?)
            .handle(handlers)
            .await?;
        let text = format!("as {name}");
        stage.line(name, Sign::Sends, LogIn::NAME, &text).await?;
        let session = client.login(name).await?;
        let player = Self {
            id: session.id,
            client,
            heard,
            asked,
            rooms: MyRooms::default(),
            stage: Arc::clone(stage),
        };
        let welcome = format!("done, others reach you as {}", player.id);
        player.gets::<LogIn>(&welcome).await?;
        Ok(player)
    }

    /// Shows what this player does next.
    pub(super) async fn sends<E: Event>(&self, text: &str) -> Result<()> {
        self.show(Sign::Sends, E::NAME, text).await
    }

    /// Shows what this player was answered.
    pub(super) async fn gets<E: Event>(&self, text: &str) -> Result<()> {
        self.show(Sign::Gets, E::NAME, text).await
    }

    /// Shows why this player was refused, which has to be with `code`.
    pub(super) async fn is_refused<E, T, R>(
        &self,
        code: &str,
        answer: Result<T, RequestError<R>>,
    ) -> Result<()>
    where
        E: Event,
        R: EventError,
    {
        let (found, why) = match answer {
            Err(RequestError::Refused(error)) => (error.code().to_owned(), error.to_string()),
            Err(RequestError::Rejected(error)) => (error.code.to_string(), error.message),
            Err(error) => return Err(error).context(E::NAME),
            Ok(_) => bail!("`{}` of {} was not refused with `{code}`", E::NAME, self.id),
        };
        ensure!(
            found == code,
            "`{}` of {} was refused with `{found}`, not with `{code}`",
            E::NAME,
            self.id
        );
        let text = format!("refused: {code}: {why}");
        self.show(Sign::Refused, E::NAME, &text).await
    }

    /// Waits for what this player hears next, which has to be this, and shows it.
    pub(super) async fn hears<E: Event>(&mut self, text: &str) -> Result<()> {
        let expected = Sentence::new::<E>(text);
        let next = timeout(PATIENCE, self.next()).await;
        let next = next.with_context(|| {
            let Sentence { event, text } = &expected;
            format!("{} waits in vain for `{event}`: {text}", self.id)
        })?;
        let heard = next?.with_context(|| format!("the link of {} has ended", self.id))?;
        ensure!(
            heard == expected,
            "{} hears `{}`: {}; instead of `{}`: {text}",
            self.id,
            heard.event,
            heard.text,
            expected.event
        );
        self.show(Sign::Gets, heard.event, &heard.text).await
    }

    /// Waits for the end of the link, before which this player hears nothing more.
    pub(super) async fn ends(mut self) -> Result<()> {
        let closed = timeout(PATIENCE, self.client.closed()).await;
        closed.with_context(|| format!("the link of {} goes on", self.id))?;
        let next = timeout(PATIENCE, self.next()).await;
        let next = next.with_context(|| format!("the handlers of {} go on", self.id))?;
        if let Some(Sentence { event, text }) = next? {
            bail!("{} hears `{event}`: {text}; expected nothing", self.id);
        }
        Ok(())
    }

    /// Waits until the server has given the link up, and closes the client instead of waiting for that
    /// server to come back.
    pub(super) async fn gives_up(self) -> Result<()> {
        let mut states = self.client.states();
        let lost = async {
            while self.client.state() == ClientState::Connected && states.next().await.is_some() {}
        };
        let lost = timeout(PATIENCE, lost).await;
        lost.with_context(|| format!("the link of {} goes on", self.id))?;
        self.client.clone().close().await;
        self.ends().await
    }

    /// What is heard next; none after the link's end. Nothing is lost where this is dropped.
    async fn next(&mut self) -> Result<Option<Sentence>> {
        tokio::select! {
            biased;
            Some(heard) = self.heard.next() => {
                let sentence = in_words(&heard, &self.rooms);
                if let Heard::Rooms(news) = &heard.event {
                    self.rooms.hear(news)?;
                }
                Ok(Some(sentence))
            }
            // What has to be answered is no queue's, so this has no place among the others.
            asked = self.asked.recv() => Ok(asked),
        }
    }

    async fn show(&self, sign: Sign, event: &str, text: &str) -> Result<()> {
        Ok(self.stage.line(&self.id, sign, event, text).await?)
    }
}
