//! Work of a client's keeper, which goes beside what the client's user sends.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::Driver;
use crate::connection::{Backlog, Outgoing};
use crate::ids::ConnectionId;
use crate::router::{Link, Work};

/// Work of the keeper, with a queue of its own for what it sends.
pub(super) struct Aside<T> {
    link: Arc<Link>,
    backlog: Backlog,
    work: Work<T>,
}

impl Driver {
    pub(super) fn aside<T>(&self, work: impl FnOnce(Arc<Link>) -> Work<T>) -> Aside<T> {
        let limits = self.connection.limits();
        let identity = self.connection.peer();
        let link = Link::new(limits, ConnectionId(0), None, identity, Weak::new());
        let link = Arc::new(link);
        Aside {
            work: work(Arc::clone(&link)),
            link,
            backlog: Backlog::default(),
        }
    }
}

impl<T> Aside<T> {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, driver: &mut Driver) -> Poll<T> {
        let done = self.work.as_mut().poll(cx);
        self.link.outbox.visit(&mut self.backlog, 0, driver.now);
        while let Some(outgoing) = self.backlog.pop(true) {
            if let Outgoing::Call(call) = outgoing {
                driver.connection.send_aside(driver.now, call);
            }
        }
        done
    }
}
