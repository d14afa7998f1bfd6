//! Output for programs: one JSON object a line.

use protocol_core::Json;
use serde::Serialize;

use super::escape::escaped;
use super::redact::redacted;
use crate::cli::client::session::Ticket;

/// One line. What does not apply is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Record<'a> {
    /// `event`, `result`, `notice`.
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ok: Option<bool>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) frame: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    /// By which a request can be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<u64>,
    /// Of a login: whether its link is encrypted, and then who the server has proved to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encrypted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<&'a Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Failure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Failure<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<&'a Json>,
    #[serde(rename = "try", skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<&'static str>,
}

impl<'a> Record<'a> {
    /// A command that went well.
    pub(super) fn result(ticket: Ticket, data: Option<&'a Json>) -> Self {
        Self {
            kind: "result",
            line: Some(ticket.line),
            command: Some(ticket.command),
            ok: Some(true),
            data,
            ..Self::default()
        }
    }

    /// The line, without its end.
    pub(super) fn render(&self, redact: bool) -> String {
        let json = serde_json::to_string(self)
            .unwrap_or_default()
            .replace('\t', " ");
        let secretless = if redact { redacted(&json) } else { json.into() };
        escaped(&secretless).into_owned()
    }
}
