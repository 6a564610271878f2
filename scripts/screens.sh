#!/bin/sh
# Every screen of the console in both languages, light and dark, with axe, compared with its kept picture.
# `screens.sh update` keeps new pictures, `screens.sh record` records new answers of the program first.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PATH:$HOME/.cargo/bin"
export SQLX_OFFLINE=true

scripts/setup.sh test
scripts/ui.sh build
cargo build --quiet
case "${1:-all}" in
all) PACELINE_LOOKS=all PACELINE_PICTURES=all scripts/ui.sh e2e screens/ ;;
update) PACELINE_PICTURES=update scripts/ui.sh e2e pictures ;;
record)
    PACELINE_PICTURES=record scripts/ui.sh e2e pictures
    PACELINE_PICTURES=update scripts/ui.sh e2e pictures
    ;;
*)
    echo "usage: screens.sh [update|record]" >&2
    exit 2
    ;;
esac
