//! What the links of a test are: plain, or encrypted.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use protocol_core::{Bind, CloseReason, Connect, Encryption, Protocol, SecretKey};

/// The key of each server of the tests.
pub(crate) static SERVER: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_bytes([7; 32]));

/// The key of each client of the tests: one for all, so that whoever takes a name that somebody had
/// before is the same one for a server that binds names to keys.
pub(crate) static CLIENT: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_bytes([8; 32]));

/// What the links of a test are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Bytes that everybody can read and change.
    Plain,
    /// What the ends say goes through Noise.
    Encrypted,
}

/// What the threads of a test know.
#[derive(Debug, Clone)]
pub(crate) struct OfTest {
    pub(crate) links: Links,
    /// Whether anything in the test depends on its links.
    asked: Arc<AtomicBool>,
}

thread_local! {
    /// A test has its threads to itself, so this is the test's.
    static OF_TEST: RefCell<OfTest> = RefCell::new(OfTest::new(Links::Plain));
}

impl OfTest {
    pub(crate) fn new(links: Links) -> Self {
        Self {
            links,
            asked: Arc::default(),
        }
    }

    /// Makes this thread one of the test.
    pub(crate) fn begin(&self) {
        OF_TEST.set(self.clone());
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Links {
    /// Those of the test that runs on this thread; plain where it says nothing.
    pub fn of_this_test() -> Self {
        OF_TEST.with_borrow(|test| {
            test.asked.store(true, Ordering::Relaxed);
            test.links
        })
    }

    /// The value for links of this kind, where the two are to be different.
    pub fn choose<T>(self, plain: T, encrypted: T) -> T {
        match self {
            Self::Plain => plain,
            Self::Encrypted => encrypted,
        }
    }
}

impl fmt::Display for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.choose("plain links", "encrypted links"))
    }
}

/// Why a link ended whose other end is gone without having said that it sends no more: on plain
/// links there is no way to say so, and this is what any end looks like.
pub fn vanished() -> CloseReason {
    Links::of_this_test().choose(CloseReason::PeerClosed, CloseReason::CutOff)
}

/// Ends that are to be what the links of the test are.
pub trait PlainOrEncrypted {
    /// Makes it plain or encrypted, as [`Links::of_this_test`] says.
    #[must_use]
    fn plain_or_encrypted(self) -> Self;
}

impl<P: Protocol> PlainOrEncrypted for Bind<'_, P> {
    fn plain_or_encrypted(self) -> Self {
        let encrypted = Encryption::Encrypted(SERVER.clone());
        self.encryption(Links::of_this_test().choose(Encryption::Plain, encrypted))
    }
}

impl<P: Protocol> PlainOrEncrypted for Connect<'_, P> {
    fn plain_or_encrypted(self) -> Self {
        match Links::of_this_test() {
            Links::Plain => self,
            Links::Encrypted => self.encrypted(SERVER.public()).identity(CLIENT.clone()),
        }
    }
}
