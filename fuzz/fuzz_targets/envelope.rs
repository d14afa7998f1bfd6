//! See `protocol_fuzz::envelope::run`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    protocol_fuzz::envelope::run(input);
});
