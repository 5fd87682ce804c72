#!/usr/bin/env bash
# What an AI receptionist does after a call: it hands the call over, answers while it may, and stops when a
# person has written.
#
#   examples/hand-off.sh http://127.0.0.1:8080 SERVICE_TOKEN +14155550199
#
# Run twice with the same CALL it is one hand-off still.
set -euo pipefail

url=${1:?the URL of the hub}
token=${2:?a service token}
phone=${3:?the phone that called}
call=${CALL:-call-$(date +%s)}
now=$(date +%s)000

post() {
    curl -sS --fail-with-body -H "Authorization: Bearer $token" -H "Content-Type: application/json" -d "$2" "$url$1"
    echo
}

answer=$(post /v1/handoffs "{
    \"id\": \"$call\", \"phone\": \"$phone\",
    \"reason\": \"A leak\", \"summary\": \"The leak under the sink is back\",
    \"open_question\": \"Can somebody come today?\", \"call_back_at\": $((now + 3600000)),
    \"transcript\": [
        {\"at\": $((now - 60000)), \"speaker\": \"ai\", \"text\": \"How can I help?\"},
        {\"at\": $((now - 50000)), \"speaker\": \"caller\", \"text\": \"The leak is back\"}
    ]
}")
echo "$answer"
thread=$(sed -E 's/.*"thread":"([^"]+)".*/\1/' <<<"$answer")
seq=$(sed -E 's/.*"seq":([0-9]+).*/\1/' <<<"$answer")

# It says what it has seen. `stale`: somebody wrote after that. `forbidden`: a person answers now.
post "/v1/threads/$thread/messages" \
    "{\"id\": \"$call-1\", \"as\": \"ai\", \"seen\": $seq, \"text\": \"Somebody will call you back within the hour.\"}"
