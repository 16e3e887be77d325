# Functions that install what the checks need. Sourced, from the root of the tree.
tools=$PWD/target/ci
mkdir -p "$tools"

install() {
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -q
  "${sudo[@]}" apt-get install -q -y --no-install-recommends "$@"
}

# need COMMAND PACKAGE: installs Debian's package unless the command is there.
need() {
  command -v "$1" >/dev/null || install "$2"
}

# environment NAME PACKAGE==VERSION... ; a Python of its own with these packages,
# in $python. Fetches nothing if it has them.
environment() {
  python=$tools/$1
  shift
  if [ ! -x "$python/bin/python" ]; then
    python3 -c 'import ensurepip' 2>/dev/null || install python3-venv
    python3 -m venv --clear "$python"
  fi
  # The packages of the last time.
  [ "$(cat "$python/packages" 2>/dev/null)" = "$*" ] && return
  "$python/bin/pip" install -q --disable-pip-version-check "$@"
  echo "$*" >"$python/packages"
}

# node_packages NAME PACKAGE@VERSION... ; a folder with these packages, in $node.
# Fetches nothing if it has them.
node_packages() {
  node=$tools/$1
  shift
  [ "$(cat "$node/packages" 2>/dev/null)" = "$*" ] && return
  mkdir -p "$node"
  echo '{"private": true}' >"$node/package.json"
  npm install --prefix "$node" --ignore-scripts --no-audit --no-fund --loglevel=error "$@"
  echo "$*" >"$node/packages"
}
