#!/usr/bin/env bash
# Builds Sluice on a fresh Debian 12 and shows it at work: see --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ "${1:-}" == --help || "${1:-}" == -h ]]; then
  cat <<'HELP'
Usage: ./deploy/quickstart.sh

Installs the packages of deploy/packages.txt, builds Sluice into build/release, and moves deploy/jobs/orders.csv into a
SQLite file under build/quickstart with deploy/jobs/quickstart.json. Then it shows the account, five rows of the
destination and the first dirty record. Needs Debian 12, as root or with sudo. Run again it takes seconds.
HELP
  exit 0
fi
if (($# > 0)); then
  echo "quickstart.sh takes no arguments; --help says what it does." >&2
  exit 2
fi

system=unknown
if [[ -r /etc/os-release ]]; then
  system=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-}")
fi
if [[ "$system" != "debian 12" ]]; then
  cat >&2 <<REFUSAL
This is "$system"; quickstart knows Debian 12 only and changes nothing elsewhere.
Where to go: run it in a container of the image debian:12 with this folder mounted, or install the libraries named in
deploy/packages.txt with your system's package manager and build with: cmake --preset release && ninja -C build/release sluice
REFUSAL
  exit 1
fi

program=build/release/bin/sluice
if [[ -x $program ]]; then
  echo "Sluice is built already: bringing the build up to date, then running the sample job. About 15 seconds."
else
  echo "This will (1) install the Debian packages of deploy/packages.txt, (2) build Sluice into build/release, (3) run the"
  echo "sample job deploy/jobs/quickstart.json into build/quickstart. Nothing else is changed. About 10 minutes on 2 cores,"
  echo "nearly all of it compiling."
fi

./deploy/install-packages.sh deploy/packages.txt

# Tests are configured by tests/run.sh, which needs more packages; a build that has them keeps them.
if [[ ! -f build/release/build.ninja ]]; then
  mkdir -p build/release
  cmake --preset release -DSLUICE_TESTS=OFF >build/release/configure.log 2>&1 || { cat build/release/configure.log >&2; exit 1; }
fi
ninja -C build/release sluice

# The folder is quickstart's own: it starts from an empty destination each time.
folder=build/quickstart
rm -rf "$folder"
mkdir -p "$folder"

echo
echo "\$ $program run deploy/jobs/quickstart.json --state-dir $folder/state"
"$program" run deploy/jobs/quickstart.json --state-dir "$folder/state"

echo
echo "Five rows of the destination, $folder/orders.db:"
sqlite3 -box -nullvalue NULL "$folder/orders.db" 'SELECT * FROM orders ORDER BY id LIMIT 5'

dirty=$(find "$folder/state" -name dirty.jsonl -size +0 | head -n 1)
echo
echo "The first dirty record, of ${dirty:?the sample has bad records, but no dirty file was found}:"
head -n 1 "$dirty"
