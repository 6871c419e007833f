#!/usr/bin/env bash
# Asks what the policy files that a branch has changed would do, and leaves the report as Markdown and as SARIF.
#
# Reads POLICIES, BASE, and SNAPSHOT or ROOFTREE_URL with ROOFTREE_TOKEN (and ORGANIZATION); writes to RUNNER_TEMP,
# GITHUB_OUTPUT and GITHUB_STEP_SUMMARY. Ends with 0 whether decisions change or not: that is for people to judge.
# It ends with 1 where a policy has errors, and with 2 where it cannot be said what would change.
set -euo pipefail

folder=${RUNNER_TEMP:-$(mktemp -d)}
report=$folder/rooftree-review.md
sarif=$folder/rooftree-review.sarif
organization=$folder/rooftree-organization.json

fail() {
  echo "::error title=Rooftree::$1"
  exit 2
}

# Policies come by their content as this branch has it. What was deleted hangs on in AWS until somebody detaches it.
mapfile -d '' -t changed < <(git diff -z --name-only --diff-filter=ACMR "$BASE"...HEAD -- "$POLICIES" | grep -z '\.json$' || true)
mapfile -d '' -t deleted < <(git diff -z --name-only --no-renames --diff-filter=D "$BASE"...HEAD -- "$POLICIES" | grep -z '\.json$' || true)

if [ "${#changed[@]}" = 0 ]; then
  printf '## Decision changes\n\nNo policy file has a new content.\n' >"$report"
  printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Rooftree"}},"results":[]}]}\n' >"$sarif"
  status=0
else
  if [ -n "${SNAPSHOT:-}" ]; then
    organization=$SNAPSHOT
  elif [ -n "${ROOFTREE_URL:-}" ]; then
    # The token goes by a file descriptor: arguments can be read by every process of the machine.
    curl --fail --silent --show-error --location --max-time 120 --output "$organization" \
      --config <(printf 'header = "Authorization: Bearer %s"\n' "$ROOFTREE_TOKEN") \
      "${ROOFTREE_URL%/}/api/v1/snapshot${ORGANIZATION:+?organization_id=$ORGANIZATION}" ||
      fail "$ROOFTREE_URL gives no snapshot"
  else
    fail "expected the input snapshot or url"
  fi
  arguments=()
  for file in "${changed[@]}"; do arguments+=(--update-file "$file"); done
  rooftree lint "${changed[@]}" || { echo "::error title=Rooftree::a policy has errors, see above"; exit 1; }
  status=0
  rooftree what-if --org "$organization" "${arguments[@]}" --markdown >"$report" || status=$?
  [ "$status" -le 1 ] || fail "rooftree what-if ended with status $status"
  rooftree what-if --org "$organization" "${arguments[@]}" --sarif >"$sarif" || [ $? = 1 ]
fi

for file in "${deleted[@]}"; do
  # shellcheck disable=SC2016  # the backticks are Markdown
  printf '\n- `%s` was deleted here; its policy goes on to bind until it is detached in AWS.\n' "${file//\`/}" >>"$report"
done

cat "$report" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
{
  echo "changed=$([ "$status" = 1 ] && echo true || echo false)"
  echo "report=$report"
  echo "sarif=$sarif"
} >>"${GITHUB_OUTPUT:-/dev/stdout}"
