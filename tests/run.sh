#!/bin/sh
# All tests, as `make test` and CI run them: set-up, format, lints, tests on both databases, the deployment guide.
# Ends with what was skipped and why.
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

heading() { printf '\n== %s\n' "$1"; }

heading "Set-up"
tests/setup.sh

heading "Format"
$cargo fmt --all --check
echo "formatted"

heading "Lints"
$cargo clippy --workspace --all-targets --locked -- -D warnings

PATCHWORK_TEST_SKIPPED=$(mktemp)
export PATCHWORK_TEST_SKIPPED
trap 'rm -f "$PATCHWORK_TEST_SKIPPED"' EXIT

heading "Tests of the library, lib/fastcgi, and the programs on both databases"
status=0
# A test that never ends must not keep its name to itself: it is the one that ran "for over 60 seconds" last.
timeout --foreground -k 60 3000 $cargo test --workspace --locked --lib --bins --tests || status=$?
[ "$status" != 124 ] || echo "the tests did not end within 50 minutes"

heading "The deployment guide, with real servers"
# Elsewhere than on a machine for tests, no server is installed for it; steps that miss one say so. The package and the guide as
# a whole (T17, T18) take a release build and ten minutes more: `make deploy-test`.
[ "${CI:-}" != true ] || tests/deploy/setup.sh
PATCHWORK=${CARGO_TARGET_DIR:-$PWD/target}/debug/patchwork TRIES=2 timeout --foreground -k 60 1500 \
    tests/deploy/run.sh $(seq -f 'T%02g' 1 15) || status=$?

heading "Skipped"
if [ -s "$PATCHWORK_TEST_SKIPPED" ]; then
    sort -u "$PATCHWORK_TEST_SKIPPED"
else
    echo "nothing"
fi

heading "Result"
if [ "$status" = 0 ]; then echo "all tests passed"; else echo "tests failed"; fi
exit "$status"
