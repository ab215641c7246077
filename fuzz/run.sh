#!/bin/sh
# Fuzzes each target for FUZZ_SECONDS (30), and reads 16 MiB mails of every bad shape first.
# libFuzzer does it where nightly Rust and cargo-fuzz are installed, else a small fuzzer of our own.
set -eu
cd "$(dirname "$0")"
cargo=${CARGO:-cargo}
seconds=${FUZZ_SECONDS:-30}
targets="message header diff subject address mbox"

echo "== Hostile mails"
$cargo run --quiet --locked --release --bin hostile

missing=
rustup toolchain list 2>/dev/null | grep -q '^nightly' || missing="$missing\n  a nightly compiler: rustup toolchain install nightly --profile minimal"
$cargo fuzz --version >/dev/null 2>&1 || missing="$missing\n  cargo-fuzz: cargo install cargo-fuzz"

if [ -n "$missing" ]; then
    echo "== $seconds seconds a target, without coverage"
    printf "libFuzzer cannot run; missing:$missing\nSo a small fuzzer runs that needs neither and finds less.\n"
    exec $cargo run --quiet --locked --release --bin bounded -- "$seconds"
fi
for target in $targets; do
    echo "== $target, $seconds seconds"
    mkdir -p "corpus/$target"
    cargo +nightly fuzz run --fuzz-dir . --features libfuzzer "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="$seconds" -max_len=65536 -timeout=2 -verbosity=0 -print_final_stats=1
done
