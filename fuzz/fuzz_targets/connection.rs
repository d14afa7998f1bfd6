//! See `protocol_fuzz::connection::run`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    protocol_fuzz::connection::run(input);
});
