//! What the derives and the core each have to know holds the same in both.

use protocol_core::wire::{ErrorCode, RESERVED};

const DERIVE: &str = include_str!("../../protocol-derive/src/name.rs");

#[test]
fn the_derives_refuse_every_standard_code_and_every_reserved_name() {
    let codes = ErrorCode::ALL.iter().map(|code| code.as_str());
    for word in codes.chain(RESERVED.iter().copied()) {
        assert!(
            DERIVE.contains(&format!("\"{word}\"")),
            "protocol-derive does not know `{word}`"
        );
    }
}

#[test]
fn every_standard_code_is_explained_in_the_protocol() {
    let protocol = include_str!("../../PROTOCOL.md");
    for code in ErrorCode::ALL {
        assert!(protocol.contains(&format!("\n| `{code}` |")), "{code}");
    }
}
