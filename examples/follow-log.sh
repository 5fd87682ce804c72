#!/usr/bin/env bash
# What a CRM's backend does: follow everything that happens in an org, without missing anything, however often
# it is stopped.
#
#   examples/follow-log.sh http://127.0.0.1:8080 SERVICE_TOKEN [FILE]
#
# Each answer's records are printed as one line of JSON. The cursor is kept in FILE after they were printed
# (default: crewline.cursor), so the next run goes on where this one ended; stopped in between, it prints them
# again. A backend keeps the cursor with what it made of the records, in one transaction. `wait` holds each
# request until there is something, so this polls nobody.
set -euo pipefail

url=${1:?the URL of the hub}
token=${2:?a service token}
file=${3:-crewline.cursor}

while :; do
    after=$(cat "$file" 2>/dev/null || echo 0)
    if ! answer=$(curl -sS --fail-with-body --max-time 60 \
        -H "Authorization: Bearer $token" "$url/v1/log?after=$after&wait=30"); then
        # A problem document says what is wrong; a hub that restarts is back in a moment.
        echo "$answer" >&2
        sleep 2
        continue
    fi
    cursor=$(sed -E 's/.*"cursor":([0-9]+),"head".*/\1/' <<<"$answer")
    [ "$cursor" = "$after" ] && continue
    printf '%s\n' "$answer"
    printf '%s\n' "$cursor" >"$file"
done
