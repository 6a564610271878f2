#!/bin/sh
# The console in ui/: `ui.sh build` makes ui/dist where something changed, `ui.sh check` runs its checks and
# unit tests, `ui.sh e2e [NAME]` its journeys and pictures in Chromium against the debug build of the program,
# `ui.sh failed` names those that failed in the last run, `ui.sh load` the frame times of its pages under load.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
# Where setup.sh puts Node if the system has none that is new enough.
export PATH="$root/.run/node/node_modules/node/bin:$PATH"
cd ui

# A hash of every file that the build reads.
sources() {
    find . \( -name node_modules -o -path ./dist -o -path ./e2e \) -prune -o -type f -print | LC_ALL=C sort | xargs sha256sum | sha256sum
}

# Installs the packages of package-lock.json, if they are not those that are installed.
packages() {
    wanted=$(sha256sum package-lock.json)
    if [ "$(cat node_modules/.cache/lock 2>/dev/null)" != "$wanted" ]; then
        npm ci --no-progress --loglevel=error
        mkdir -p node_modules/.cache
        echo "$wanted" >node_modules/.cache/lock
    fi
}

case "${1:-}" in
build)
    packages
    wanted=$(sources)
    if [ ! -f dist/index.html ] || [ "$(cat node_modules/.cache/sources 2>/dev/null)" != "$wanted" ]; then
        npm run --silent build
        echo "$wanted" >node_modules/.cache/sources
    fi
    ;;
check)
    packages
    npm run --silent check
    npm run --silent size
    npm test --silent
    ;;
e2e)
    packages
    shift
    npm run --silent e2e -- "$@"
    ;;
failed)
    node scripts/failed.mjs
    ;;
load)
    packages
    node scripts/run-ts.mjs ./e2e/load/load.ts
    ;;
*)
    echo "usage: ui.sh build|check|e2e [NAME]|failed|load" >&2
    exit 2
    ;;
esac
