//! See `protocol_fuzz::codec::server`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    protocol_fuzz::codec::server(input);
});
