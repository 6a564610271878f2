#!/bin/sh
# Installs missing Debian packages; does nothing when all are installed: `setup.sh run` or `setup.sh test`.
set -eu
cd "$(dirname "$0")/.."

case "${1:-run}" in
run) wanted="cc:build-essential" ;;
test)
    wanted="cc:build-essential sipp:sip-tester sox:sox lame:lame sqlite3:sqlite3"
    wanted="$wanted baresip:baresip-core svwar:sipvicious python3:python3" ;;
*)
    echo "usage: setup.sh run|test" >&2
    exit 2
    ;;
esac

packages=""
for pair in $wanted; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair#*:}"
done

if [ -n "$packages" ]; then
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        as_root="sudo"
        if ! command -v sudo >/dev/null 2>&1; then
            echo "error: missing:$packages; as root: apt-get install$packages" >&2
            exit 1
        fi
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "error: missing:$packages; this script installs with apt-get, which is not here" >&2
        exit 1
    fi
    echo "installing:$packages"
    # The package list of a fresh machine is empty or old, so a first failure updates it.
    # shellcheck disable=SC2086 # one word a package
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $packages >/dev/null 2>&1 || {
        $as_root apt-get update -qq
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $packages >/dev/null
    }
fi

if ! command -v cargo >/dev/null 2>&1; then
    [ -x "$HOME/.cargo/bin/cargo" ] || {
        echo "error: cargo is missing; install Rust 1.95 or newer from https://rustup.rs" >&2
        exit 1
    }
fi
