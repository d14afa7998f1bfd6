//! The plain codec: the frames themselves are the bytes on the socket.

use bytes::BytesMut;

use super::{Codec, CodecError, PeerIdentity, Progress};

/// Passes frames through unchanged; protects nothing and authenticates nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Codec for Plain {
    fn start(&mut self, _out: &mut BytesMut) -> Result<Progress, CodecError> {
        Ok(Progress::Open)
    }

    fn receive(
        &mut self,
        wire: &mut BytesMut,
        plain: &mut BytesMut,
        _out: &mut BytesMut,
    ) -> Result<Progress, CodecError> {
        if plain.is_empty() {
            std::mem::swap(wire, plain);
        } else {
            plain.extend_from_slice(wire);
            wire.clear();
        }
        Ok(Progress::Open)
    }

    fn send(&mut self, plain: &[u8], wire: &mut BytesMut) -> Result<(), CodecError> {
        wire.extend_from_slice(plain);
        Ok(())
    }

    fn finish(&mut self, _wire: &mut BytesMut) -> Result<(), CodecError> {
        Ok(())
    }

    fn may_end(&self) -> bool {
        true
    }

    fn is_plain(&self) -> bool {
        true
    }

    fn peer(&self) -> PeerIdentity {
        PeerIdentity::Anonymous
    }
}
