//! The target `message` for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| patchwork_fuzz::targets::message(data));
