//! Shared fixtures of the workspace tests.

#[path = "support/folder.rs"]
mod folder;
#[path = "support/links.rs"]
mod links;
#[path = "support/meter.rs"]
mod meter;
#[path = "support/notices.rs"]
mod notices;
#[path = "support/pipe.rs"]
mod pipe;
#[path = "support/process.rs"]
mod process;
#[path = "support/raw.rs"]
mod raw;
#[path = "support/run.rs"]
mod run;

pub use folder::Folder;
pub use links::{Links, PlainOrEncrypted, vanished};
pub use meter::{Meter, meter};
pub use notices::{Notices, Seen, notices};
pub use pipe::Pipe;
pub use process::{Lines, Process, WATCHDOG};
pub use raw::{RECORD_OVERHEAD, Raw, RawServer};
pub use run::{both, run, run_on_one_thread, run_paused, still_waits};
