#!/bin/sh
# Every check and every test, cheapest first. The last line is the test
# runner's own summary.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PATH:$HOME/.cargo/bin"
export SQLX_OFFLINE=true

scripts/setup.sh test
scripts/ui.sh build
scripts/ui.sh check
cargo fmt --all --check
cargo clippy --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
# The library and its tests are compiled side by side; the doc tests take the library from there.
cargo test --workspace --lib --bins --tests --no-run
cargo test --workspace --doc
# The journeys and screens of the console wait for a browser, most tests for timers of SIP: side by side they fill two
# cores. The tests' output follows that of the journeys, so that the runner's summary stands last.
log=$(mktemp)
journeys_log=$(mktemp)
tests=
trap 'rm -f "$log" "$journeys_log"; [ -z "$tests" ] || kill "$tests" 2>/dev/null || true' EXIT
RUST_TEST_THREADS=6 cargo test --workspace --lib --bins --tests >"$log" 2>&1 &
tests=$!
{ scripts/ui.sh e2e && echo passed || echo failed; } 2>&1 | tee "$journeys_log"
tail -n +1 -f --pid="$tests" "$log"
ended=$tests
tests=
wait "$ended"
if [ "$(tail -n 1 "$journeys_log")" != passed ]; then
    # Once more at the end, where it is looked for.
    sed -n '/Failed \(Tests\|Suites\)/,$p' "$journeys_log" >&2
    echo "the journeys in Chromium failed" >&2
    scripts/ui.sh failed >&2
    exit 1
fi
