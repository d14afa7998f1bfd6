//! What every codec must do, whatever it does to the bytes, and what an encrypted link withstands:
//! somebody in the middle who may do anything to it, and peers that break the rules.

mod by_hand;
mod end;
mod first_byte;
mod handshake;
mod kinds;
mod laws;
mod plain_answers;
mod records;
mod rekey;
mod server_keys;
mod weak_keys;
mod wire_form;

use kinds::Kind;
use protocol_core::codec::Suite::{AesGcm, ChaChaPoly};

/// The laws as tests of one kind of link.
macro_rules! hold {
    ($kind:expr; $($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                $crate::laws::$law($kind);
            }
        )*
    };
}

/// The suite for each kind of link.
macro_rules! conform {
    ($($name:ident: $kind:expr;)*) => {
        $(
            mod $name {
                use super::*;

                hold! {
                    $kind;
                    each_length_arrives_both_ways
                    what_is_sent_arrives_however_it_is_cut
                    each_cut_of_the_handshake_and_the_first_records_is_the_same
                    random_cuts_are_the_same
                    what_comes_with_the_end_of_the_handshake_is_kept
                    what_the_owner_has_not_taken_yet_is_kept
                    both_directions_are_independent
                    nothing_comes_of_nothing
                    nobody_is_known_and_nothing_sent_before_the_link_is_open
                    memory_stays_flat
                    an_end_says_that_it_sends_no_more
                    a_stream_may_end_behind_its_last_record_only
                    a_handshake_that_breaks_off_is_no_end
                    bytes_behind_the_end_are_an_error
                }
            }
        )*
    };
}

conform! {
    plain: Kind::Plain;
    plain_at_plain: Kind::PlainAtPlain;
    plain_at_both: Kind::PlainAtBoth;
    chacha_poly: Kind::Encrypted(ChaChaPoly);
    aes_gcm: Kind::Encrypted(AesGcm);
    chacha_poly_at_both: Kind::EncryptedAtBoth(ChaChaPoly);
    aes_gcm_at_both: Kind::EncryptedAtBoth(AesGcm);
}
