//! Each rule, each refusal, and each bound from both sides.

mod bans;
mod create;
mod delete;
mod hidden;
mod hosts;
mod invites;
mod join;
mod kick;
mod leave;
mod list;
mod passwords;
mod resume;
mod revisions;
mod shutdown;
mod statuses;
mod update;
mod values;
