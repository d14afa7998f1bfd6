//! What an event is answered with: its handler's reply, or a refusal, within what the other end reads.

use super::core::{Core, Notice};
use super::incoming::{Exchange, Incoming, Mode};
use crate::wire::{self, ErrorCode, Frame, FrameType, WireError};

impl Core {
    pub(super) fn answer(&mut self, exchange: &Exchange, result: Result<&[u8], &WireError>) {
        let (dest, id) = (exchange.dest.as_deref(), exchange.id.as_str());
        if self.muted {
            return;
        }
        match (exchange.mode, result) {
            (Mode::Reply, _) | (Mode::Pass, Ok(_)) => {}
            (Mode::Pass, Err(error)) => {
                self.counters.refused_passes += 1;
                self.notice(&Notice::PassRefused {
                    name: exchange.name,
                    error,
                });
            }
            (Mode::ConfirmPass, Ok(_)) => {
                wire::write_acknowledgement(&mut self.out, dest, id, None);
            }
            (Mode::Request, Ok(data)) => {
                let start = self.out.len();
                wire::write_head(
                    &mut self.out,
                    FrameType::Response,
                    dest,
                    None,
                    exchange.name,
                );
                self.out.extend_from_slice(data);
                wire::write_tail(&mut self.out, FrameType::Response, Some(id));
                let size = self.out.len() - start - 1;
                if size > self.limits.frame_out {
                    self.out.truncate(start);
                    let limit = self.limits.frame_out;
                    let text = format!("the answer takes {size} bytes, the limit is {limit}");
                    let error = WireError::new(ErrorCode::Internal, text);
                    wire::write_error_response(&mut self.out, dest, exchange.name, id, &error);
                }
            }
            (mode, Err(error)) => self.write_refusal(mode, dest, exchange.name, id, error),
        }
    }

    pub(super) fn refuse(&mut self, incoming: &Incoming<'_>, error: &WireError) {
        match incoming.mode {
            Mode::Pass => {
                self.counters.refused_passes += 1;
                self.notice(&Notice::PassRefused {
                    name: incoming.name,
                    error,
                });
            }
            Mode::Reply => self.ignore_answer(),
            mode if !self.muted && self.room > 0 => {
                self.write_refusal(mode, incoming.from, incoming.name, incoming.id, error);
            }
            _ => {}
        }
    }

    /// Writes a refusal, cut to what the other end reads: neither a peer's long name nor a
    /// handler's long error may cost this end its link.
    pub(super) fn write_refusal(
        &mut self,
        mode: Mode,
        dest: Option<&str>,
        name: &str,
        id: &str,
        error: &WireError,
    ) {
        let limit = self.limits.frame_out;
        let start = self.out.len();
        let mut write = |name: &str, error: &WireError| {
            self.out.truncate(start);
            if mode == Mode::Request {
                wire::write_error_response(&mut self.out, dest, name, id, error);
            } else {
                wire::write_acknowledgement(&mut self.out, dest, id, Some(error));
            }
            self.out.len() - start - 1
        };
        if write(name, error) <= limit {
            return;
        }
        // No event has a longer name, so none that is known is cut.
        let name = &name[..name.floor_char_boundary(wire::MAX_NAME_BYTES)];
        let size = write(name, error);
        if size > limit {
            let text = format!("the refusal takes {size} bytes, the limit is {limit}");
            write(name, &WireError::new(ErrorCode::Internal, text));
        }
    }

    /// Refuses an event for which there is no room beside a handler at work.
    pub(super) fn refuse_busy(&mut self, frame: Frame<'_>) {
        self.counters.busy += 1;
        let text = "too many events wait for the handler at work: send again later";
        let error = WireError::new(ErrorCode::Busy, text);
        let _: Option<()> = self.consider(frame, true, |_| Err(error.clone()));
    }
}
