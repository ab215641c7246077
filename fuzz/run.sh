#!/bin/sh
# Fuzzes each target, or those named, for FUZZ_SECONDS (30); before that reads 16 MiB mails of every bad shape.
# libFuzzer does it where cargo-fuzz is installed, on nightly Rust or else on the compiler that is there; without
# cargo-fuzz a small fuzzer of our own. All targets run; the exit status tells whether one broke.
set -eu
cd "$(dirname "$0")"
cargo=${CARGO:-cargo}
seconds=${FUZZ_SECONDS:-30}
targets=${*:-message header diff subject address mbox}

echo "== Hostile mails"
$cargo run --quiet --locked --release --bin hostile

if ! $cargo fuzz --version >/dev/null 2>&1; then
    echo "== $seconds seconds a target, without coverage"
    echo "libFuzzer cannot run; missing is cargo-fuzz: cargo install cargo-fuzz --locked"
    echo "So a small fuzzer runs that does not need it and finds less."
    exec $cargo run --quiet --locked --release --bin bounded -- "$seconds" $targets
fi

# cargo-fuzz passes flags that only nightly takes; the variable makes any other compiler take them, too.
if rustup toolchain list 2>/dev/null | grep -q '^nightly-[a-z]'; then
    export RUSTUP_TOOLCHAIN=nightly
else
    export RUSTC_BOOTSTRAP=1
fi
sanitizer=none
for runtime in "$(rustc --print target-libdir)"/librustc-*_rt.asan.*; do
    [ ! -e "$runtime" ] || sanitizer=address
done
echo "== libFuzzer with $(rustc --version), sanitizer: $sanitizer"

broken=
for target in $targets; do
    echo "== $target, $seconds seconds"
    mkdir -p "corpus/$target"
    $cargo fuzz run --fuzz-dir . --features libfuzzer --sanitizer "$sanitizer" "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="$seconds" -max_len=65536 -timeout=2 -verbosity=0 -print_final_stats=1 || broken="$broken $target"
done
[ -z "$broken" ] || { echo "Broken:$broken; the inputs are in fuzz/artifacts/"; exit 1; }
