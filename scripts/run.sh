#!/bin/sh
# Builds, runs the sample campaign on the simulated carrier, shows the results. No phone rings.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PATH:$HOME/.cargo/bin"
# The checked SQL is in .sqlx, so the build needs no database.
export SQLX_OFFLINE=true

scripts/setup.sh run
# The sample campaign needs no pages; where they cannot be built (no network), the console says so.
scripts/ui.sh build || echo "warning: the console's pages are not built; the reason stands above" >&2
cargo build --bin paceline
# Ask Cargo for its target directory.
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
paceline="$target/debug/paceline"

dir=.run/demo
"$paceline" demo --dir "$dir"

echo
echo "The first attempts ($dir/results/attempts.csv):"
head -n 6 "$dir/results/attempts.csv" | cut -c 1-150
echo
echo "Next: $paceline run campaigns/jade-garden/campaign.toml, or your own campaign beside it."
