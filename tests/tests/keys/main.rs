//! Keys in files, servers' keys that are pinned, and what a client makes of them.

mod files;
mod hosts;
mod trust;
