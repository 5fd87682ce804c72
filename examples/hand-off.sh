#!/usr/bin/env bash
# What an AI receptionist does after a call: it hands the call over, answers while it may, and stops when a
# person has written.
#
#   examples/hand-off.sh http://127.0.0.1:8080 SERVICE_TOKEN +14155550199 [SECONDS]
#
# SECONDS since 1970 is when the call ended, now if left out. Run twice for the same call it is one hand-off
# still: the id, and all that is told under it, has to be the same.
set -euo pipefail

url=${1:?the URL of the hub}
token=${2:?a service token}
phone=${3:?the phone that called}
ended=${4:-$(date +%s)}
call=call-${phone#+}-$ended

post() {
    local answer
    if ! answer=$(curl -sS --fail-with-body \
        -H "Authorization: Bearer $token" -H "Content-Type: application/json" -d "$2" "$url$1"); then
        # A problem document says what is wrong.
        echo "$answer" >&2
        return 1
    fi
    echo "$answer"
}

landed=$(post /v1/handoffs "{
    \"id\": \"$call\", \"phone\": \"$phone\",
    \"reason\": \"A leak\", \"summary\": \"The leak under the sink is back\",
    \"open_question\": \"Can somebody come today?\", \"call_back_at\": $((ended + 3600))000,
    \"transcript\": [
        {\"at\": $((ended - 60))000, \"speaker\": \"ai\", \"text\": \"How can I help?\"},
        {\"at\": $((ended - 50))000, \"speaker\": \"caller\", \"text\": \"The leak is back\"}
    ]
}")
echo "$landed"
thread=$(sed -E 's/.*"thread":"([^"]+)".*/\1/' <<<"$landed")
seq=$(sed -E 's/.*"seq":([0-9]+).*/\1/' <<<"$landed")

# It says what it has seen. `stale`: somebody wrote after that. `forbidden`: a person answers now.
post "/v1/threads/$thread/messages" \
    "{\"id\": \"$call-1\", \"as\": \"ai\", \"seen\": $seq, \"text\": \"Somebody will call you back within the hour.\"}"
