#!/usr/bin/env bash
# Puts a report on a pull request: one comment, which later runs write anew.
#
# Usage: comment.sh REPORT. Reads GITHUB_TOKEN, GITHUB_REPOSITORY, PULL_REQUEST and GITHUB_API_URL.
set -euo pipefail

report=$1
mark='<!-- rooftree-review -->'
base="${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY"

github() {
  # The token goes by a file descriptor: arguments can be read by every process of the machine.
  curl --fail --silent --show-error --max-time 60 \
    --header "Accept: application/vnd.github+json" --header "X-GitHub-Api-Version: 2022-11-28" \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$GITHUB_TOKEN") "$@"
}

find_comment() {
  local page=1 found
  while :; do
    found=$(github "$base/issues/$PULL_REQUEST/comments?per_page=100&page=$page")
    jq --raw-output --arg mark "$mark" 'map(select(.body | startswith($mark)))[0].id // empty' <<<"$found"
    [ "$(jq length <<<"$found")" = 100 ] || break
    page=$((page + 1))
  done | head -n 1
}

body=$(jq --null-input --rawfile text "$report" --arg mark "$mark" '{body: ($mark + "\n" + $text)}')
comment=$(find_comment)
if [ -n "$comment" ]; then
  github --request PATCH --data @- "$base/issues/comments/$comment" <<<"$body" >/dev/null
else
  github --request POST --data @- "$base/issues/$PULL_REQUEST/comments" <<<"$body" >/dev/null
fi
