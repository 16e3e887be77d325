#!/usr/bin/env bash
# Drives a web-search server with the Inspector's command line.
#
# Usage: INSPECTOR=path/to/mcp-inspector inspector.sh COMMAND [ARGUMENT...]
#        INSPECTOR=path/to/mcp-inspector inspector.sh URL
#
# A URL is served over HTTP; over SSE where it ends in /sse. Keys in MCP_KEYS,
# separated by commas, take turns, one for each era.
#
# In each era: list the tools strictly, call one, let a validation fail, ask for
# a tool that does not exist. Ends with 0 and one line for each step, or with 1
# and what was wrong.
set -euo pipefail

if [ $# -eq 0 ]; then
  sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
inspector=${INSPECTOR:-mcp-inspector}
server=("$@")
name=inspector
eras=(legacy modern auto)
transport=()
case $1 in
  http*/sse) name="inspector over SSE" eras=(legacy) transport=(--transport sse) ;;
  http*) name="inspector over HTTP" transport=(--transport http) ;;
esac
IFS=, read -ra keys <<<"${MCP_KEYS:-}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# step ERA NAME EXPECTED-EXIT-CODE INSPECTOR-OPTION... ; the result is in $scratch/out
step() {
  local era=$1 name=$2 expected=$3 code=0
  shift 3
  timeout 120 "$inspector" --cli "${server[@]}" "${transport[@]}" "${header[@]}" --protocol-era "$era" --format json "$@" \
    >"$scratch/out" 2>"$scratch/err" </dev/null || code=$?
  if [ "$code" -ne "$expected" ]; then
    wrong "$era" "$name" "exit code $code instead of $expected"
  fi
}

wrong() {
  {
    echo "$name, $1: FAILED at '$2': $3"
    echo "--- stdout"
    head -c 4000 "$scratch/out"
    echo "--- stderr"
    head -c 4000 "$scratch/err"
  } >&2
  exit 1
}

# holds ERA NAME JAVASCRIPT ; an expression over `out`, the parsed result
holds() {
  node -e '
    const out = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    const holds = new Function("out", `return (${process.argv[2]});`);
    process.exit(holds(out) ? 0 : 1);
  ' "$scratch/out" "$3" || wrong "$1" "$2" "this does not hold: $3"
}

# --strict ends with 6 for a schema that some host cannot use; 5 is a tool error.
turn=0
for era in "${eras[@]}"; do
  header=()
  if [ ${#keys[@]} -gt 0 ]; then
    header=(--header "X-API-Key: ${keys[turn % ${#keys[@]}]}")
  fi
  turn=$((turn + 1))
  step "$era" "list" 0 --method tools/list --strict
  holds "$era" "list" 'out.result.tools.some(tool => tool.name === "search_web" && tool.outputSchema)'
  step "$era" "call" 0 --method tools/call --tool-name search_web --tool-arg query=timeout
  holds "$era" "call" '!out.result.isError && out.result.structuredContent && out.result.content.length > 0'
  step "$era" "validation" 5 --method tools/call --tool-name search_web --tool-args-json '{"query":"","qurey":1}'
  holds "$era" "validation" 'out.result.isError === true && /query.*qurey/s.test(out.result.content[0].text)'
  step "$era" "unknown tool" 5 --method tools/call --tool-name no_such_tool
  grep -q tool_not_found "$scratch/err" || wrong "$era" "unknown tool" "no readable refusal"
  echo "$name, $era: listed, called, refused and answered as it should"
done
