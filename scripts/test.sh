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
cargo test --workspace --doc
cargo test --workspace --lib --bins --tests --no-run
scripts/ui.sh e2e
# Most tests wait for timers of SIP, so more than one a core is run.
RUST_TEST_THREADS=3 cargo test --workspace --lib --bins --tests
