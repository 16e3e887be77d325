#!/usr/bin/env bash
# Drives a server with the Inspector's command line.
#
# Usage: INSPECTOR=path/to/mcp-inspector inspector.sh [--primitives] COMMAND [ARGUMENT...]
#        INSPECTOR=path/to/mcp-inspector inspector.sh [--primitives] URL
#
# A URL is served over HTTP; over SSE where it ends in /sse. Keys in MCP_KEYS,
# separated by commas, take turns, one for each era.
#
# In each era: list the tools of web-search strictly, call one, let a validation
# fail, ask for a tool that does not exist. With --primitives instead: list, get and
# read the prompts and resources of the conformance server. Ends with 0 and one
# line for each era, or with 1 and what was wrong.
set -euo pipefail

if [ $# -eq 0 ]; then
  sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
inspector=${INSPECTOR:-mcp-inspector}
steps=search
if [ "$1" = --primitives ]; then
  steps=primitives
  shift
fi
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
search() {
  step "$1" "list" 0 --method tools/list --strict
  holds "$1" "list" 'out.result.tools.some(tool => tool.name === "search_web" && tool.outputSchema)'
  step "$1" "call" 0 --method tools/call --tool-name search_web --tool-arg query=timeout
  holds "$1" "call" '!out.result.isError && out.result.structuredContent && out.result.content.length > 0'
  step "$1" "validation" 5 --method tools/call --tool-name search_web --tool-args-json '{"query":"","qurey":1}'
  holds "$1" "validation" 'out.result.isError === true && /query.*qurey/s.test(out.result.content[0].text)'
  step "$1" "unknown tool" 5 --method tools/call --tool-name no_such_tool
  grep -q tool_not_found "$scratch/err" || wrong "$1" "unknown tool" "no readable refusal"
  echo "$name, $1: listed, called, refused and answered as it should"
}

primitives() {
  step "$1" "prompts" 0 --method prompts/list
  holds "$1" "prompts" 'out.result.prompts.some(prompt => prompt.name === "test_prompt_with_arguments" && prompt.arguments.length === 2)'
  step "$1" "prompt" 0 --method prompts/get --prompt-name test_prompt_with_arguments --prompt-args arg1=tea arg2=milk
  holds "$1" "prompt" '/arg1=.tea., arg2=.milk./.test(out.result.messages[0].content.text)'
  step "$1" "resources" 0 --method resources/list
  holds "$1" "resources" 'out.result.resources.some(resource => resource.uri === "test://static-binary" && resource.mimeType === "image/png")'
  step "$1" "templates" 0 --method resources/templates/list
  holds "$1" "templates" 'out.result.resourceTemplates.some(one => one.uriTemplate === "test://template/{id}/data")'
  step "$1" "template" 0 --method resources/read --uri test://template/7/data
  holds "$1" "template" 'JSON.parse(out.result.contents[0].text).data === "Data for ID: 7"'
  step "$1" "progress" 0 --method tools/call --tool-name test_tool_with_progress
  holds "$1" "progress" '!out.result.isError'
  echo "$name, $1: prompts and resources were listed, made and read as they should"
}

turn=0
for era in "${eras[@]}"; do
  header=()
  if [ ${#keys[@]} -gt 0 ]; then
    header=(--header "X-API-Key: ${keys[turn % ${#keys[@]}]}")
  fi
  turn=$((turn + 1))
  "$steps" "$era"
done
