//! How often an address may try to log in, bind an id or try a password, and how often a connection may
//! fail.
//!
//! Knows no clock and no sockets: the time and addresses are passed in.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use protocol_core::ConnectionId;

/// Sources are looked through for idle ones when there are this many, then at each doubling.
const PRUNE_AT: usize = 1_024;

/// How often something may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptLimits {
    /// The time in which one source gets one more attempt; zero for no limit.
    pub(crate) interval: Duration,
    /// Attempts that one source may make at once.
    pub(crate) burst: u32,
}

/// Attempts to log in and to bind ids, by address, passwords, by where they come from, and failures, by
/// connection.
#[derive(Debug)]
pub(crate) struct Attempts {
    logins: Paces<IpAddr>,
    bindings: Paces<IpAddr>,
    passwords: Paces<Source>,
    failures: HashMap<ConnectionId, u32>,
}

/// Where a password comes from: one site, or on loopback one connection.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Source {
    Site(IpAddr),
    Connection(ConnectionId),
}

impl Attempts {
    /// No attempts yet.
    pub(crate) fn new(
        logins: AttemptLimits,
        bindings: AttemptLimits,
        passwords: AttemptLimits,
    ) -> Self {
        Self {
            logins: Paces::new(logins),
            bindings: Paces::new(bindings),
            passwords: Paces::new(passwords),
            failures: HashMap::new(),
        }
    }

    /// Takes note of an attempt to log in. Loopback addresses, and links without an address, have no
    /// limit: they are one machine's many programs. An IPv6 address counts by its /64 network, which
    /// is what one site gets.
    ///
    /// # Errors
    ///
    /// The time after which the next attempt is granted, where this one is one too many.
    pub(crate) fn may_log_in(
        &mut self,
        now: Instant,
        address: Option<IpAddr>,
    ) -> Result<(), Duration> {
        match address.and_then(site) {
            Some(site) => self.logins.may_try(now, site),
            None => Ok(()),
        }
    }

    /// Takes note of an id that is to be bound; whether it may be. Addresses count as for logins.
    pub(crate) fn may_bind(&mut self, now: Instant, address: Option<IpAddr>) -> bool {
        let site = address.and_then(site);
        site.is_none_or(|site| self.bindings.may_try(now, site).is_ok())
    }

    /// Takes note of a password that is to be worked on.
    ///
    /// # Errors
    ///
    /// The time after which the next is granted, where this one is one too many.
    pub(crate) fn may_try_password(
        &mut self,
        now: Instant,
        address: Option<IpAddr>,
        connection: ConnectionId,
    ) -> Result<(), Duration> {
        let site = address.and_then(site).map(Source::Site);
        let source = site.unwrap_or(Source::Connection(connection));
        self.passwords.may_try(now, source)
    }

    /// Takes note of a refused login; returns how many that makes on this connection.
    pub(crate) fn failed(&mut self, connection: ConnectionId) -> u32 {
        let failures = self.failures.entry(connection).or_default();
        *failures = failures.saturating_add(1);
        *failures
    }

    /// Forgets a connection that is gone.
    pub(crate) fn forget(&mut self, connection: ConnectionId) {
        self.failures.remove(&connection);
    }
}

/// How far each source is ahead of its rate.
#[derive(Debug)]
struct Paces<K> {
    limits: AttemptLimits,
    /// When all attempts so far are paid for, in the sense of a generic cell rate algorithm (ITU-T
    /// I.371).
    paid_at: HashMap<K, Instant>,
    prune_at: usize,
}

impl<K: Eq + Hash> Paces<K> {
    fn new(limits: AttemptLimits) -> Self {
        Self {
            limits,
            paid_at: HashMap::new(),
            prune_at: PRUNE_AT,
        }
    }

    fn may_try(&mut self, now: Instant, source: K) -> Result<(), Duration> {
        let AttemptLimits { interval, burst } = self.limits;
        if interval.is_zero() {
            return Ok(());
        }
        self.prune(now);
        let paid_at = self.paid_at.get(&source).map_or(now, |paid| now.max(*paid));
        let ahead = interval.saturating_mul(burst.saturating_sub(1));
        let wait = paid_at.duration_since(now).saturating_sub(ahead);
        if !wait.is_zero() {
            return Err(wait);
        }
        // An interval that no clock can add is for ever: then nothing is granted twice anyway.
        let paid_at = paid_at.checked_add(interval).unwrap_or(paid_at);
        self.paid_at.insert(source, paid_at);
        Ok(())
    }

    /// Forgets the sources that have their whole burst again.
    fn prune(&mut self, now: Instant) {
        if self.paid_at.len() >= self.prune_at {
            self.paid_at.retain(|_, paid_at| *paid_at > now);
            self.prune_at = PRUNE_AT.max(2 * self.paid_at.len());
        }
    }
}

/// What counts as one address; none where there is no limit.
fn site(address: IpAddr) -> Option<IpAddr> {
    let address = address.to_canonical();
    match address {
        _ if address.is_loopback() => None,
        IpAddr::V4(_) => Some(address),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            Some(Ipv6Addr::from_bits(network).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn attempts(burst: u32) -> Attempts {
        let limits = AttemptLimits {
            interval: SECOND,
            burst,
        };
        Attempts::new(limits, limits, limits)
    }

    fn ip(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn a_burst_then_one_an_interval() {
        let (mut attempts, now) = (attempts(10), Instant::now());
        for _ in 0..10 {
            assert_eq!(attempts.may_log_in(now, ip("192.0.2.1")), Ok(()));
        }
        assert_eq!(attempts.may_log_in(now, ip("192.0.2.1")), Err(SECOND));
        assert_eq!(attempts.may_log_in(now, ip("192.0.2.2")), Ok(()));
        let millisecond = Duration::from_millis(1);
        let early = now + Duration::from_millis(999);
        assert_eq!(
            attempts.may_log_in(early, ip("192.0.2.1")),
            Err(millisecond)
        );
        assert_eq!(attempts.may_log_in(now + SECOND, ip("192.0.2.1")), Ok(()));
        assert_eq!(
            attempts.may_log_in(now + SECOND, ip("192.0.2.1")),
            Err(SECOND)
        );
    }

    #[test]
    fn one_site_counts_once_and_loopback_never() {
        let (mut attempts, now) = (attempts(1), Instant::now());
        assert_eq!(attempts.may_log_in(now, ip("2001:db8::1")), Ok(()));
        assert_eq!(
            attempts.may_log_in(now, ip("2001:db8::ffff:2")),
            Err(SECOND)
        );
        assert_eq!(attempts.may_log_in(now, ip("2001:db8:0:1::1")), Ok(()));
        assert_eq!(attempts.may_log_in(now, ip("192.0.2.1")), Ok(()));
        assert_eq!(
            attempts.may_log_in(now, ip("::ffff:192.0.2.1")),
            Err(SECOND)
        );
        for local in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            for _ in 0..100 {
                assert_eq!(attempts.may_log_in(now, ip(local)), Ok(()), "{local}");
            }
        }
        assert_eq!(attempts.may_log_in(now, None), Ok(()));
    }

    #[test]
    fn idle_addresses_are_forgotten() {
        let (mut attempts, start) = (attempts(10), Instant::now());
        for number in 0..100_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            let now = start + Duration::from_millis(10) * number;
            assert_eq!(attempts.may_log_in(now, Some(address)), Ok(()));
            assert!(attempts.logins.paid_at.len() <= PRUNE_AT);
        }
    }
}
