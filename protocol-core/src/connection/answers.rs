//! What an event is answered with: its handler's reply, or a refusal, within what the other end reads.

use super::core::Core;
use super::incoming::{Exchange, Incoming, Mode};
use crate::metrics;
use crate::wire::{self, Delivery, ErrorCode, Frame, FrameType, WireError};

impl Core {
    pub(super) fn answer(&mut self, exchange: &Exchange, result: Result<&[u8], &WireError>) {
        let (dest, id) = (exchange.dest.as_deref(), exchange.id.as_str());
        let start = self.out.len();
        match (exchange.mode, result) {
            (Mode::Reply, _) | (Mode::Pass, Ok(_)) => {}
            (Mode::Pass, Err(error)) => self.note_pass_refused(exchange.name, error),
            (Mode::ConfirmPass, result) => {
                self.processed(exchange, result.map(drop));
            }
            (Mode::Request, _) if self.muted => {}
            (Mode::Request, Ok(data)) => {
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
                    metrics::count_by(metrics::FRAMES_TOO_LARGE, "direction", "out");
                    self.out.truncate(start);
                    let limit = self.limits.frame_out;
                    let text = format!("the answer takes {size} bytes, the limit is {limit}");
                    let error = WireError::new(ErrorCode::Internal, text);
                    wire::write_error_response(&mut self.out, dest, exchange.name, id, &error);
                }
            }
            (Mode::Request, Err(error)) => self.refuse_request(dest, exchange.name, id, error),
        }
        if exchange.mode == Mode::Request {
            if let Some(track) = &exchange.track {
                self.keep_answer(track, id, start);
            } else if self.down {
                self.out.truncate(start);
            }
        }
    }

    pub(super) fn refuse(&mut self, incoming: &Incoming<'_>, error: &WireError) {
        match incoming.mode {
            Mode::Pass => self.note_pass_refused(incoming.name, error),
            Mode::Reply => self.ignore_answer(),
            _ if self.muted || self.down || self.room == 0 => {}
            Mode::Request => {
                self.refuse_request(incoming.from, incoming.name, incoming.id, error);
            }
            Mode::ConfirmPass => {
                // Says to relays that it belongs to a stream, and to the sender that it is no outcome.
                let delivery = Delivery {
                    seq: incoming.frame.delivery.seq,
                    ..Delivery::default()
                };
                self.write_acknowledgement(incoming.from, incoming.id, &delivery, Some(error));
            }
        }
    }

    /// Refuses a call of the other end in a peer's place.
    pub(super) fn write_refusal(
        &mut self,
        mode: Mode,
        dest: Option<&str>,
        name: &str,
        id: &str,
        error: &WireError,
    ) {
        if mode == Mode::Request {
            self.refuse_request(dest, name, id, error);
        } else {
            self.write_acknowledgement(dest, id, &Delivery::default(), Some(error));
        }
    }

    /// Writes a refusal, cut to what the other end reads: neither a peer's long name nor a
    /// handler's long error may cost this end its link.
    fn refuse_request(&mut self, dest: Option<&str>, name: &str, id: &str, error: &WireError) {
        // No event has a longer name, so none that is known is cut.
        let short = &name[..name.floor_char_boundary(wire::MAX_NAME_BYTES)];
        self.write_within_limit(error, |out, error, is_cut| {
            let name = if is_cut { short } else { name };
            wire::write_error_response(out, dest, name, id, error);
        });
    }

    /// Writes an acknowledgement, whose error is cut to what the other end reads.
    pub(super) fn write_acknowledgement(
        &mut self,
        dest: Option<&str>,
        id: &str,
        delivery: &Delivery<'_>,
        error: Option<&WireError>,
    ) {
        let Some(error) = error else {
            wire::write_acknowledgement(&mut self.out, dest, id, delivery, None);
            return;
        };
        self.write_within_limit(error, |out, error, _| {
            wire::write_acknowledgement(out, dest, id, delivery, Some(error));
        });
    }

    /// Writes what says `error` within what the other end reads: as it is, or cut, or with another
    /// error in its place.
    fn write_within_limit(
        &mut self,
        error: &WireError,
        write: impl Fn(&mut Vec<u8>, &WireError, bool),
    ) {
        let (out, limit) = (&mut self.out, self.limits.frame_out);
        let start = out.len();
        write(out, error, false);
        if out.len() - start - 1 <= limit {
            return;
        }
        out.truncate(start);
        write(out, error, true);
        let size = out.len() - start - 1;
        if size > limit {
            out.truncate(start);
            let text = format!("the refusal takes {size} bytes, the limit is {limit}");
            write(out, &WireError::new(ErrorCode::Internal, text), true);
        }
    }

    /// Refuses an event for which there is no room beside a handler at work.
    pub(super) fn refuse_busy(&mut self, frame: &Frame<'_>) {
        self.counters.busy += 1;
        metrics::count_by(metrics::BUSY, "limit", "queued");
        let text = "too many events wait for the handler at work: send again later";
        let error = WireError::new(ErrorCode::Busy, text);
        let _: Option<()> = self.consider(frame, true, |_| Err(error.clone()));
    }
}
