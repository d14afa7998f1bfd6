//! See `protocol_fuzz::delivery::run`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    protocol_fuzz::delivery::run(input);
});
