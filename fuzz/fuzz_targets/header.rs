//! The target `header` for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| patchwork_fuzz::targets::header(data));
