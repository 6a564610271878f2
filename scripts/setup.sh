#!/bin/sh
# Installs missing Debian packages, and Node for the console's pages; does nothing when all are installed:
# `setup.sh run` or `setup.sh test`.
set -eu
cd "$(dirname "$0")/.."

case "${1:-run}" in
run) wanted="cc:build-essential npm:npm" ;;
test)
    wanted="cc:build-essential sipp:sip-tester sox:sox lame:lame sqlite3:sqlite3"
    wanted="$wanted baresip:baresip-core svwar:sipvicious python3:python3 npm:npm chromium:chromium" ;;
*)
    echo "usage: setup.sh run|test" >&2
    exit 2
    ;;
esac

packages=""
for pair in $wanted; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair#*:}"
done
# Pages of the console are looked at in Chinese.
if [ "${1:-run}" = test ] && ! fc-list :lang=zh-cn 2>/dev/null | grep -q .; then
    packages="$packages fontconfig fonts-noto-cjk"
fi

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

# Vite needs Node 20.19 or newer; Debian 12 has 18. The npm package `node` is a Node binary.
new_enough='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
node -e "$new_enough" 2>/dev/null || .run/node/node_modules/node/bin/node -e "$new_enough" 2>/dev/null || {
    echo "installing: Node 22 into .run/node"
    npm install --silent --no-save --no-fund --no-audit --prefix .run/node node@22
}
