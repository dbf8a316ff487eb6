#!/bin/sh
# Official clients against a server with users, over TLS: @elastic/elasticsearch of three major
# versions, and elasticsearch for Python. Each makes a job, feeds it, reads what it found and
# deletes it.
#   sh tests/clients/run.sh [7 | 8 | 9 | python]...
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
blip=${BLIP:-$top/build/release/blip}
home=$top/build/clients

# npm ci and pip run only when what they are to install has changed.
mkdir -p "$home"
if ! cmp -s "$here/package-lock.json" "$home/installed-lock.json"; then
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$home"
    (cd "$home" && npm ci --silent)
    cp "$home/package-lock.json" "$home/installed-lock.json"
fi
if ! cmp -s "$here/requirements.txt" "$home/installed-requirements.txt"; then
    python3 -m venv "$home/python"
    "$home/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$home/installed-requirements.txt"
fi

work=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

export BLIP_PASSWORD=open-sesame BLIP_CA="$work/blip.crt"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/blip.key" -out "$BLIP_CA" 2>/dev/null
echo "$BLIP_PASSWORD" | "$blip" user add admin --roles superuser --file "$work/users.json"
echo "$BLIP_PASSWORD" | "$blip" user add reader --roles machine_learning_user --file "$work/users.json"

"$blip" serve --listen 127.0.0.1:0 --data "$work/data" --users "$work/users.json" \
    --tls-cert "$BLIP_CA" --tls-key "$work/blip.key" --log json >"$work/log" 2>&1 &
server=$!
tries=0
until listen=$(sed -n 's/.*"server_started".*"listen":"\([^"]*\)".*/\1/p' "$work/log") && [ -n "$listen" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
        cat "$work/log" >&2
        exit 1
    fi
    sleep 0.1
done
export BLIP_URL="https://$listen"

failed=0
for client in ${*:-7 8 9 python}; do
    case $client in
    python) "$home/python/bin/python" "$here/journey.py" || failed=1 ;;
    *) NODE_PATH=$home/node_modules node "$here/journey.js" "$client" || failed=1 ;;
    esac
done
[ $failed = 0 ] || grep -v '"level":"info"' "$work/log" >&2 || true
exit $failed
