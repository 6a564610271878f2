#!/bin/sh
# Sends made-up requests by the OpenAPI document to a service of its own, as every role: no answer may be a fault of the
# service or outside its schema. `fuzz-api.sh [EXAMPLES [ROLE...]]`; EXAMPLES = requests an operation and phase, without
# it 10. Not a part of `make test`: it takes some minutes a role and installs schemathesis below .run/.
set -eu
cd "$(dirname "$0")/.."
examples=${1:-10}
[ $# -eq 0 ] || shift
roles=${*:-agent lead manager analyst auditor admin program}
program=$(realpath -m "${CARGO_TARGET_DIR:-target}/debug/paceline")
tools=${FUZZ_TOOLS:-$PWD/.run/fuzz}
port=${FUZZ_PORT:-18472}

[ -x "$program" ] || cargo build
[ -x "$tools/bin/schemathesis" ] || {
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet schemathesis==4.32.5
}

data=$(mktemp -d)
service=
stop() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$data"
}
trap stop EXIT INT TERM

cat >"$data/paceline.toml" <<END
[store]
url = "sqlite://$data/paceline.db"
[http]
listen = "127.0.0.1:$port"
[sip]
listen = ["udp://127.0.0.1:$((port + 1))"]
END
run() { (cd "$data" && exec "$program" "$@"); }
url=http://127.0.0.1:$port
mkdir "$data/campaigns"
(cd "$data" && exec "$program" serve --campaigns "$data/campaigns") >"$data/log" 2>&1 &
service=$!
tries=0
until curl -sf "$url/healthz" >/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] && kill -0 $service 2>/dev/null || { cat "$data/log" >&2; exit 1; }
    sleep 0.1
done

run group add vote --telephones >/dev/null
# The examples of the document are about 8001; requests as the others must not remove who sends them.
number=9000
for role in somebody agent lead manager analyst auditor admin; do
    number=$((number + 1))
    case $role in somebody) set -- agent 8001 ;; *) set -- "$role" $number ;; esac
    echo "correct horse" |
        run user add "$role" --role "$1" --number "$2" --group vote --password-stdin >/dev/null
done

# What the examples are about: a campaign with a list.
token=$(run token add seed --role admin | tail -n 1)
send() {
    path=$1
    shift
    curl -sf -o /dev/null "$url/api/v1$path" -H "Authorization: Bearer $token" -H "Idempotency-Key: $path" "$@"
}
send /campaigns -H 'Content-Type: application/json' -d '{"toml":"name = \"spring\"\nmode = \"announce\"\n"}'
printf 'name,phone\nAna,13800138000\nBo,1380013\n' >"$data/list.csv"
send '/campaigns/spring/lists?file_name=list.csv' -H 'Content-Type: application/octet-stream' \
    --data-binary "@$data/list.csv"

# The header that signs requests of a role in.
header() {
    case $1 in
    program) echo "Authorization: Bearer $token" ;;
    *)
        curl -sf -D - -o /dev/null "$url/api/v1/sign-in" -H 'Content-Type: application/json' \
            -d "{\"login\":\"$1\",\"password\":\"correct horse\"}" | tr -d '\r' |
            sed -n 's/^[Ss]et-[Cc]ookie: \(paceline=[^;]*\).*/Cookie: \1/p'
        ;;
    esac
}

# Left out: the stream, what waits for a telephone, and what ends the session that the requests are sent in.
failed=
for role in $roles; do
    echo "== $role"
    # A program must not revoke the token that it sends.
    case $role in program) own="--exclude-path /api/v1/tokens/{id}" ;; *) own= ;; esac
    "$tools/bin/schemathesis" run schemas/openapi.json --url "$url" \
        --header "$(header "$role")" --header "Origin: $url" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        --phases examples,coverage,fuzzing --max-examples "$examples" --rate-limit 40/s --workers 1 \
        --exclude-path /api/v1/live --exclude-path /api/v1/sign-out --exclude-path /api/v1/me/password \
        --exclude-path /api/v1/me/device-check $own \
        --exclude-path /api/v1/sign-in \
        --generation-with-security-parameters false --generation-database none --request-timeout 20 --suppress-health-check all --no-color || failed="$failed $role"
done
grep -E '(ERROR|panicked)' "$data/log" && failed="$failed log"
[ -z "$failed" ] || { echo "failed as:$failed" >&2; exit 1; }
