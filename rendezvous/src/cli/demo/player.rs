//! A scripted player: a client as anybody would write it, and a check of everything that it hears.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use protocol_core::{Client, Event, EventError, Inbox, PeerId, RequestError, inbox};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::ear::{Ear, Heard, in_words};
use super::events::Playground;
use super::stage::{Sign, Stage};
use crate::client::LoginExt;
use crate::events::{
    HostChanged, LogIn, PlayerJoined, PlayerLeft, PlayerUpdated, RoomNews, RoomUpdated, SelfJoined,
    SelfLeft,
};
use crate::my_rooms::MyRooms;

/// The longest that anybody waits for news; on one machine they take well under a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);

/// News that may wait to be looked at; the story looks at each as it comes.
const UNREAD: usize = 16;

pub(super) struct Player {
    pub(super) id: PeerId,
    pub(super) client: Client<Playground>,
    news: Inbox<RoomNews>,
    heard: mpsc::Receiver<Heard>,
    rooms: MyRooms,
    stage: Arc<Stage>,
}

impl Player {
    /// Connects and logs in.
    pub(super) async fn log_in(
        name: &'static str,
        address: SocketAddr,
        stage: &Arc<Stage>,
    ) -> Result<Self> {
        let (on_news, news) = inbox(UNREAD);
        let (tell, heard) = mpsc::channel(UNREAD);
        let client = Client::<Playground>::connect(address)
            .handle((Ear(tell), on_news))
            .await?;
        let text = format!("as {name}");
        stage.line(name, Sign::Sends, LogIn::NAME, &text).await?;
        let session = client.login(name).await?;
        let player = Self {
            id: session.id,
            client,
            news,
            heard,
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
        let expected = Heard::new::<E>(text);
        let next = timeout(PATIENCE, self.next()).await;
        let next = next.with_context(|| {
            let Heard { event, text } = &expected;
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
        if let Some(Heard { event, text }) = next? {
            bail!("{} hears `{event}`: {text}; expected nothing", self.id);
        }
        Ok(())
    }

    /// What is heard next; none after the link's end. Nothing is lost where this is dropped.
    async fn next(&mut self) -> Result<Option<Heard>> {
        tokio::select! {
            biased;
            Some(received) = self.news.next() => {
                let news = received.event;
                let heard = Heard {
                    event: name_of(&news),
                    text: in_words(&news, &self.rooms),
                };
                self.rooms.hear(&news)?;
                Ok(Some(heard))
            }
            heard = self.heard.recv() => Ok(heard),
        }
    }

    async fn show(&self, sign: Sign, event: &str, text: &str) -> Result<()> {
        Ok(self.stage.line(&self.id, sign, event, text).await?)
    }
}

fn name_of(news: &RoomNews) -> &'static str {
    match news {
        RoomNews::SelfJoined(_) => SelfJoined::NAME,
        RoomNews::SelfLeft(_) => SelfLeft::NAME,
        RoomNews::PlayerJoined(_) => PlayerJoined::NAME,
        RoomNews::PlayerLeft(_) => PlayerLeft::NAME,
        RoomNews::PlayerUpdated(_) => PlayerUpdated::NAME,
        RoomNews::HostChanged(_) => HostChanged::NAME,
        RoomNews::RoomUpdated(_) => RoomUpdated::NAME,
    }
}
