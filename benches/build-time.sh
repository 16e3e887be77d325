#!/usr/bin/env bash
# Compares the build time of a server of this workspace with that of the floor:
# a clean release build, and a rebuild after touching main.rs.
#
#   benches/build-time.sh PACKAGE
#
# RUNS (default 3) is the number of pairs; medians are shown. PROFILE is `cargo`
# (default: what a new project's release profile is) or `workspace` (ours, with
# thin LTO, one codegen unit, stripped).
set -euo pipefail

package=${1:?the package to compare with floor is missing}
runs=${RUNS:-3}
profile=${PROFILE:-cargo}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

case $profile in
cargo)
    export CARGO_PROFILE_RELEASE_LTO=false
    export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    export CARGO_PROFILE_RELEASE_STRIP=none
    ;;
workspace) ;;
*)
    echo "PROFILE has to be cargo or workspace, not $profile" >&2
    exit 2
    ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo fetch --quiet --locked

# Prints the path of a package's main.rs.
main_of() {
    local manifest
    manifest=$(cargo pkgid --offline -p "$1")
    manifest=${manifest#path+file://}
    echo "${manifest%%#*}/src/main.rs"
}

# Builds package $1 and appends the milliseconds to the file $2.
build() {
    local begin end
    begin=${EPOCHREALTIME//[!0-9]/}
    cargo build --quiet --release --locked --offline -p "$1" --target-dir "$scratch/target-$1"
    end=${EPOCHREALTIME//[!0-9]/}
    echo $(((end - begin) / 1000)) >>"$scratch/$2"
}

median() {
    sort -n "$1" | awk '{ line[NR] = $1 } END { print (line[int((NR + 1) / 2)] + line[int(NR / 2) + 1]) / 2 }'
}

crates() {
    cargo tree --offline -p "$1" -e normal,build --prefix none --no-dedupe | awk '{ print $1, $2 }' | sort -u | wc -l
}

for ((run = 0; run < runs; run++)); do
    for name in floor "$package"; do
        rm -rf "$scratch/target-$name"
        build "$name" "clean-$name"
    done
done
for ((run = 0; run < runs; run++)); do
    for name in floor "$package"; do
        touch "$(main_of "$name")"
        build "$name" "rebuild-$name"
    done
done

printf '%-26s%14s%14s%10s\n' "release build ($profile)" floor "$package" ratio
for kind in clean rebuild; do
    floor=$(median "$scratch/$kind-floor")
    other=$(median "$scratch/$kind-$package")
    awk -v kind="$kind" -v floor="$floor" -v other="$other" \
        'BEGIN { printf "%-26s%12.1f s%12.1f s%10.2f\n", kind, floor / 1000, other / 1000, other / floor }'
done
size() { stat -c %s "$scratch/target-$1/release/$1"; }
awk -v floor="$(size floor)" -v other="$(size "$package")" \
    'BEGIN { printf "%-26s%11.2f MB%11.2f MB%10.2f\n", "binary", floor / 1e6, other / 1e6, other / floor }'
printf '%-26s%14d%14d\n' "crates, its own included" "$(crates floor)" "$(crates "$package")"
