//! Which ciphers a link uses, and the preamble that names them.

use bytes::{Buf, BytesMut};

use super::super::CodecError;
use super::super::accept::ENCRYPTED;

/// Bytes before the handshake: the mark of an encrypted link, `TP`, the version, the suite.
pub(super) const PREAMBLE_BYTES: usize = 5;

/// What every preamble of this version starts with.
const MARK: [u8; 3] = [ENCRYPTED, b'T', b'P'];

const VERSION: u8 = 1;

/// The ciphers of a link. A client chooses, a server takes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Suite {
    /// Suite 1, `Noise_XX_25519_ChaChaPoly_BLAKE2s`: fast in plain instructions.
    ChaChaPoly,
    /// Suite 2, `Noise_XX_25519_AESGCM_SHA256`: faster where the processor has instructions for AES.
    AesGcm,
}

impl Suite {
    /// The suite that is the faster one on this machine.
    pub fn fastest() -> Self {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let has_aes = std::arch::is_x86_feature_detected!("aes")
            && std::arch::is_x86_feature_detected!("pclmulqdq");
        #[cfg(target_arch = "aarch64")]
        let has_aes = std::arch::is_aarch64_feature_detected!("aes");
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
        let has_aes = false;
        if has_aes {
            Self::AesGcm
        } else {
            Self::ChaChaPoly
        }
    }

    pub(super) const fn pattern(self) -> &'static str {
        match self {
            Self::ChaChaPoly => "Noise_XX_25519_ChaChaPoly_BLAKE2s",
            Self::AesGcm => "Noise_XX_25519_AESGCM_SHA256",
        }
    }

    /// The preamble of a link with this suite, which is its handshake's prologue too.
    pub(super) const fn preamble(self) -> &'static [u8; PREAMBLE_BYTES] {
        match self {
            Self::ChaChaPoly => &[MARK[0], MARK[1], MARK[2], VERSION, 1],
            Self::AesGcm => &[MARK[0], MARK[1], MARK[2], VERSION, 2],
        }
    }
}

/// Takes the preamble off the front of `wire` and returns the suite that it names; none before the
/// whole of it is there.
pub(in super::super) fn take_preamble(wire: &mut BytesMut) -> Result<Option<Suite>, CodecError> {
    if wire.iter().zip(MARK).any(|(found, mark)| *found != mark) {
        return Err(CodecError::Malformed("no preamble of encryption"));
    }
    let [.., version] = *wire.get(..=MARK.len()).unwrap_or_default() else {
        return Ok(None);
    };
    if version != VERSION {
        return Err(CodecError::UnknownVersion(version));
    }
    let suite = match wire.get(PREAMBLE_BYTES - 1) {
        None => return Ok(None),
        Some(1) => Suite::ChaChaPoly,
        Some(2) => Suite::AesGcm,
        Some(other) => return Err(CodecError::UnknownSuite(*other)),
    };
    wire.advance(PREAMBLE_BYTES);
    Ok(Some(suite))
}
