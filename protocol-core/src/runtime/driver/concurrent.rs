//! Handlers of `concurrent` requests that were not ready at once: tasks of their own, which the driver
//! awaits.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::{AbortHandle, JoinSet};

use super::Driver;
use super::failure::Failure;
use crate::connection::Exchange;
use crate::metrics;
use crate::router::ReplyBuffer;
use crate::runtime::guard;

#[derive(Default)]
pub(super) struct Concurrent {
    pub(super) tasks: JoinSet<(u64, Result<ReplyBuffer, Failure>)>,
    /// Each with what it is to answer.
    at_work: HashMap<u64, (AbortHandle, Exchange)>,
    begun: u64,
}

impl Driver {
    /// How many are at work.
    pub(super) fn at_work(&self) -> usize {
        self.concurrent
            .as_ref()
            .map_or(0, |concurrent| concurrent.tasks.len())
    }

    /// Handles one event beside later ones.
    pub(super) async fn start<F>(&mut self, mut handler: Pin<Box<F>>, exchange: Exchange)
    where
        F: Future<Output = ReplyBuffer> + Send + 'static,
    {
        let limit = self.connection.limits().handler_timeout;
        let first = poll_fn(|cx| Poll::Ready(guard::poll(handler.as_mut(), cx))).await;
        match first {
            Poll::Ready(outcome) => self.finish(&exchange, outcome.map_err(Failure::from)),
            Poll::Pending => {
                let concurrent = self.concurrent.get_or_insert_default();
                concurrent.begun += 1;
                let (task, name) = (concurrent.begun, exchange.name);
                let handle = concurrent.tasks.spawn(async move {
                    let guarded = poll_fn(|cx| guard::poll(handler.as_mut(), cx));
                    let outcome = match tokio::time::timeout(limit, guarded).await {
                        Ok(outcome) => outcome.map_err(Failure::from),
                        Err(_) => Err(Failure::TooSlow { limit }),
                    };
                    if guard::call(move || drop(handler)).is_err() {
                        tracing::error!(event = name, "dropping a handler panicked");
                    }
                    (task, outcome)
                });
                concurrent.at_work.insert(task, (handle, exchange));
                self.connection.set_handling(self.at_work());
                if self.is_crowded() {
                    metrics::count_by(metrics::READERS_PAUSED, "limit", "handlers");
                }
            }
        }
    }

    /// Answers of concurrent handlers that are done.
    pub(super) fn poll_concurrent(&mut self, cx: &mut Context<'_>) -> bool {
        let mut finished = false;
        while !self.connection.is_output_full()
            && let Some(concurrent) = &mut self.concurrent
            && let Poll::Ready(Some(joined)) = concurrent.tasks.poll_join_next(cx)
        {
            // A task that was aborted has nobody left to answer.
            if let Ok((task, outcome)) = joined
                && let Some((_, exchange)) = concurrent.at_work.remove(&task)
            {
                self.finish(&exchange, outcome);
            }
            finished = true;
        }
        if finished {
            self.connection.set_handling(self.at_work());
        }
        finished
    }

    /// Ends the work for requests whose callers have given them up.
    pub(super) fn cancel(&mut self) {
        let cancelled = self.connection.take_cancelled();
        if cancelled.is_empty() {
            return;
        }
        for (from, id) in cancelled {
            let Some(concurrent) = &mut self.concurrent else {
                return;
            };
            let mut at_work = concurrent.at_work.iter();
            let meant = at_work.find(|(_, (_, exchange))| exchange.is(from.as_ref(), id));
            if let Some(task) = meant.map(|(task, _)| *task)
                && let Some((handle, exchange)) = concurrent.at_work.remove(&task)
            {
                handle.abort();
                self.finish(&exchange, Err(Failure::Cancelled));
            }
        }
    }
}
